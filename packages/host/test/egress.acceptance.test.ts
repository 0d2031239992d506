/** A real `git push` and a real `npm ci` from the sandbox of a real host, to servers that its operator named and to others. */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { ExecutionView, Reply } from "@femtoclaw/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Host, Playground } from "./playground.ts";

let place: Playground;
let server: Server;
let other: Server;
let host: Host;
/** What each server was asked for. */
const heard: Record<"named" | "other", string[]> = { named: [], other: [] };

const portOf = (listening: Server): number => (listening.address() as AddressInfo).port;
const git = (cwd: string, ...args: string[]): string =>
  execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], { cwd, encoding: "utf8" });

beforeAll(async () => {
  place = new Playground("");
  const [key, cert] = ["key.pem", "p/cert.pem"].map((name) => join(place.root, name));
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const files = ["-keyout", String(key), "-out", String(cert)];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...names, ...files], {
    stdio: "ignore",
  });
  const tls = { key: readFileSync(String(key)), cert: readFileSync(String(cert)) };
  server = createServer(tls, (request, response) => {
    heard.named.push(`${request.method} ${request.url}`);
    // Of an answer that never ends, nothing arrives.
    if (request.url?.startsWith("/slow/")) return;
    if (request.url?.startsWith("/npm/")) return registry(request, response);
    return backend(request, response);
  });
  other = createServer(tls, ({ url }, response) => {
    heard.other.push(String(url));
    response.end();
  });
  for (const one of [server, other]) await new Promise<void>((resolve) => one.listen(0, "127.0.0.1", resolve));
  project();
  host = await place.up();
});

afterAll(async () => {
  await place[Symbol.asyncDispose]();
  for (const one of [server, other]) {
    one.closeAllConnections();
    await new Promise((resolve) => one.close(resolve));
  }
});

function project(): void {
  const [named, cert] = [`localhost:${portOf(server)}`, join(place.project, "cert.pem")];
  place.configure(`workspace = "."
[capabilities]
process_exec = true
[allow]
read = ["."]
write = ["repo", "repo/.git", "app"]
run = { git = ["ls-remote"], npm = [{ any = true, unsafe = true }] }
[ask]
run = { git = ["push"] }
[sandbox]
connect = { git = ["${named}"], npm = ["${named}"] }
[limits]
timeout_ms = 120000
[memory]
path = "../state"
[host]
runtime_dir = "../run"
`);
  git(place.root, "init", "-q", "--bare", "served.git");
  git(join(place.root, "served.git"), "config", "http.receivepack", "true");
  const repo = join(place.project, "repo");
  git(place.project, "init", "-q", "-b", "main", "repo");
  place.write("p/repo/file", "pushed\n");
  git(repo, "add", "file");
  git(repo, "commit", "-q", "-m", "one");
  git(repo, "config", "http.sslCAInfo", cert);
  git(repo, "remote", "add", "origin", `https://${named}/served.git`);
  const app = join(place.project, "app");
  mkdirSync(app);
  const settings = { registry: `https://${named}/npm/`, cafile: cert, audit: false, fund: false, "fetch-retries": 0 };
  const lines = Object.entries({ ...settings, "update-notifier": false }).map(([name, value]) => `${name}=${value}`);
  writeFileSync(join(app, ".npmrc"), `${lines.join("\n")}\n`);
  const dependency = { version: "1.0.0", resolved: `https://${named}/npm/left.tgz`, integrity: integrity() };
  const root = { name: "app", version: "1.0.0", dependencies: { left: "1.0.0" } };
  writeFileSync(join(app, "package.json"), JSON.stringify(root));
  const lock = {
    name: "app",
    version: "1.0.0",
    lockfileVersion: 3,
    packages: { "": root, "node_modules/left": dependency },
  };
  writeFileSync(join(app, "package-lock.json"), JSON.stringify(lock));
}

/** One package, packed once. */
let packed: Buffer | null = null;
function tarball(): Buffer {
  if (packed === null) {
    place.write("package/package.json", JSON.stringify({ name: "left", version: "1.0.0", main: "index.js" }));
    place.write("package/index.js", "module.exports = 42;\n");
    packed = execFileSync("tar", ["-cz", "package"], { cwd: place.root });
  }
  return packed;
}
const integrity = (): string => `sha512-${createHash("sha512").update(tarball()).digest("base64")}`;

function registry({ url }: IncomingMessage, response: ServerResponse): void {
  response.writeHead(url === "/npm/left.tgz" ? 200 : 404).end(url === "/npm/left.tgz" ? tarball() : "");
}

/** The smart protocol of git, as its own program serves it. */
function backend(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(String(request.url), "https://localhost");
  const variables = { GIT_PROJECT_ROOT: place.root, GIT_HTTP_EXPORT_ALL: "1", PATH_INFO: pathname, REMOTE_USER: "a" };
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"],
      ...variables,
      QUERY_STRING: String(searchParams),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"],
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"],
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.on("close", () => {
    const all = Buffer.concat(chunks);
    const end = all.indexOf("\r\n\r\n");
    for (const line of all.toString("latin1", 0, end).split("\r\n")) {
      const [name = "", value = ""] = line.split(": ");
      if (name === "Status") response.statusCode = Number(value.slice(0, 3));
      else response.setHeader(name, value);
    }
    response.end(all.subarray(end + 4));
  });
}

const started = (reply: Reply) => ({ code: reply.result?.["exit_code"], said: `${reply.result?.["stderr"]}` });
const exec = async (bin: string, cwd: string, ...argv: string[]) => place.propose("process_exec", { bin, argv, cwd });

test("who trusts a project is told to which hosts its programs may connect", async () => {
  const { stdout } = await place.run(["trust", place.project]);
  const named = `localhost:${portOf(server)}`;
  expect(stdout).toMatch(
    new RegExp(`^programs may connect to:\n {2}/usr/bin/git: ${named} {2}\\(femtoclaw\\.toml:`, "m"),
  );
});

test("an approved git push reaches the host that its operator named, and no other", async () => {
  const pending = await exec("git", "repo", "push", "origin", "main");
  expect(pending.status).toBe("pending");
  expect((await place.run(["approvals", "allow", pending.approval?.id ?? ""])).code).toBe(0);
  await using client = await place.agent();
  const pushed = await client.wait(pending.execution_id);
  expect(started(pushed), started(pushed).said).toMatchObject({ code: 0 });
  expect(git(join(place.root, "served.git"), "show", "main:file")).toBe("pushed\n");

  const elsewhere = await exec("git", "repo", "ls-remote", `https://localhost:${portOf(other)}/served.git`);
  expect(started(elsewhere)).toMatchObject({ code: 128, said: expect.stringContaining("403") });
  expect(heard.other).toEqual([]);
  const shown = await place.run(["executions", "show", elsewhere.execution_id]);
  expect(shown.stdout).toContain(`localhost:${portOf(other)}`);
  expect(shown.stdout).toContain("floor/connect/unlisted-host");
  const ref = /record (\d+)\S* +execution\.hop/.exec(shown.stdout)?.[1] ?? "";
  const why = await place.run(["policy", "why", ref]);
  const entry = `[sandbox] connect = { git = ["localhost:${portOf(other)}"] }`;
  expect(why.stdout, why.stderr).toContain(entry);
  expect((await place.run(["policy", "allow", ref])).stdout).toContain(entry);
});

test("an npm ci installs from the registry that its operator named, and from no other", async () => {
  const installed = await exec("npm", "app", "ci");
  expect(started(installed), started(installed).said).toMatchObject({ code: 0 });
  expect(readFileSync(join(place.project, "app/node_modules/left/index.js"), "utf8")).toContain("42");
  expect(heard.named).toContain("GET /npm/left.tgz");
  const elsewhere = await exec("npm", "app", "view", "left", "--registry", `https://127.0.0.1:${portOf(other)}/`);
  expect(started(elsewhere).code).not.toBe(0);
  expect(heard.other).toEqual([]);
});

test("what a killed host leaves open is ended with it, and told as interrupted", async () => {
  const url = `https://localhost:${portOf(server)}/slow/`;
  const lost = exec("npm", "app", "view", "left", "--registry", url).catch(() => null);
  await expect.poll(() => heard.named.some((line) => line.includes("/slow/"))).toBe(true);
  host.kill("SIGKILL");
  await host.ended;
  await lost;
  // Each is told where it runs, and so are the relay and bubblewrap around it.
  await expect.poll(() => processes().filter((words) => words.includes(place.project))).toEqual([]);
  host = await place.up();
  const { value } = await place.json<ExecutionView[]>(["executions", "list", "--state", "interrupted"]);
  expect(value).toMatchObject([{ tool: "process_exec" }]);
  await place.down();
  expect((await place.run(["audit", "verify"])).code).toBe(0);
  expect((await place.run(["replay", "--recompute"])).code).toBe(0);
});

/** The command lines of what runs on this machine. */
function processes(): string[] {
  return readdirSync("/proc").flatMap((name) => {
    try {
      return /^\d+$/.test(name) ? [readFileSync(`/proc/${name}/cmdline`, "utf8")] : [];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}
