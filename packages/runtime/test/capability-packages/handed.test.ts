/** What a call of a capability of others is handed: files to read, one to write, one host; and nothing but that. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { listExecutions, type Runtime } from "@femtoclaw/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ofType, recordsOf } from "../runtime-fixture.ts";
import { PackagePlace, proposed, told } from "./package-place.ts";

const TEXT = { type: "string" } as const;
const input = (...names: string[]) => ({
  type: "object" as const,
  additionalProperties: false,
  properties: Object.fromEntries(names.map((name) => [name, TEXT])),
});

/** Http goes through a tunnel like everything else; what fetches by https needs none of this. */
const TUNNEL = `import { request } from "node:http";
const { hostname, port } = new URL(process.env.HTTPS_PROXY ?? "http://127.0.0.1:1");
const tunnelled = (path) => new Promise((resolve) => {
  const asked = request({ hostname, port, method: "CONNECT", path });
  asked.on("error", () => resolve("unreachable"));
  asked.on("connect", ({ statusCode }, socket) => {
    if (statusCode !== 200) return resolve(String(statusCode));
    let text = "";
    socket.setEncoding("utf8").on("data", (piece) => (text += piece)).on("end", () => resolve(text.split("\\n").at(-1)));
    socket.write("GET / HTTP/1.0\\r\\n\\r\\n");
  });
  asked.end();
});`;

const place = new PackagePlace();
const servers: Server[] = [];
let runtime: Runtime;
let url = "";
let other = "";

async function serve(answer: string): Promise<string> {
  const server = createServer((_, response) => response.end(answer));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  const [named, denied] = [await serve("hello"), await serve("secret")];
  url = `http://${named}/`;
  other = `http://${denied}/`;
  place.add("takes_names", {
    run: "return { args };",
    manifest: { input: { type: "object", additionalProperties: false, properties: { table: { type: "object" } } } },
  });
  place.add("upper", {
    run: `const text = Buffer.from(files["/from"]).toString(); put("/to", text.toUpperCase());
      return { characters: text.length };`,
    manifest: {
      input: input("from", "to"),
      arguments: [
        { pointer: "/from", kind: "path", access: "read" },
        { pointer: "/to", kind: "path", access: "create" },
      ],
      effect: "write",
    },
  });
  place.add("fetches", {
    before: TUNNEL,
    run: `const hosts = [new URL(args.url).host, ...(args.also ?? "").split(" ").filter(Boolean)];
      return { got: await Promise.all(hosts.map(tunnelled)) };`,
    manifest: {
      input: input("url", "also"),
      arguments: [{ pointer: "/url", kind: "host" }],
      effect: "network",
    },
  });
  mkdirSync(join(place.root, "workspace/out"));
  writeFileSync(join(place.root, "workspace/out/notes.txt"), "some notes");
  runtime = await place.open({
    permit: ["takes_names"],
    configuration: {
      capabilities: { fs_write: true },
      allow: { read: ["workspace"], write: ["workspace/out"], fetch: [named] },
    },
  });
});

afterAll(async () => {
  for (const server of servers) server.close();
  await place[Symbol.asyncDispose]();
});

test("what it gives for a file is put there whole, and an operator takes it back", async () => {
  const out = join(place.root, "workspace/out/loud.txt");
  const reply = await proposed(runtime, "upper", { from: "out/notes.txt", to: "out/loud.txt" });
  expect(told(reply)).toBe('completed: {"characters":10}');
  expect(readFileSync(out, "utf8")).toBe("SOME NOTES");
  writeFileSync(join(place.root, "workspace/out/notes.txt"), "other");
  await proposed(runtime, "upper", { from: "out/notes.txt", to: "out/loud.txt" });
  expect(readFileSync(out, "utf8")).toBe("OTHER");
  const [newest] = await listExecutions(runtime.reader, { limit: 1 });
  const undone = await runtime.undo(String(newest?.execution_id));
  expect(undone.status).toBe("completed");
  expect(readFileSync(out, "utf8")).toBe("SOME NOTES");
  const elsewhere = await proposed(runtime, "upper", { from: "out/notes.txt", to: "loud.txt" });
  expect(elsewhere.error?.code).toBe("FEMTO_POLICY_NO_PERMIT");
  const outcomes = ofType(await recordsOf(runtime.reader), "execution.outcome");
  expect(outcomes.map(({ body }) => body.left?.sha256?.length)).toEqual([64, 64, 64]);
});

test("it reaches the host that its call was decided on, and no other", async () => {
  const { host, port } = new URL(url);
  const also = [new URL(other).host, "127.0.0.1:1", `localhost:${port}`, `[::ffff:127.0.0.1]:${port}`, "0x7f.1:80"];
  const reply = await proposed(runtime, "fetches", { url, also: [...also, host].join(" ") });
  expect(told(reply)).toBe(`completed: {"got":["hello","403","403","403","403","403","hello"]}`);
  const denied = await proposed(runtime, "fetches", { url: other });
  expect(denied.status).toBe("denied");
});

test("what it sends to that host and gets back is recorded, by which it counts against the budget of its session", async () => {
  const { host } = new URL(url);
  await proposed(runtime, "fetches", { url, also: "127.0.0.1:1" });
  const outcome = ofType(await recordsOf(runtime.reader), "execution.outcome").at(-1);
  const [told, ...others] = outcome?.body.connections ?? [];
  expect([told, others]).toMatchObject([{ host, connections: 1, bytes_out: 18 }, []]);
  expect(told?.bytes_in).toBeGreaterThan(70);
});

test("it gets the names of its arguments as they were decided on, whatever V8 makes of them", async () => {
  // After the first of two names, V8 14.6 reads the second one as the first.
  const table = {
    a: { "\\": 1 },
    b: { "\n": 2 },
    c: { e: 1, "ab\\": [{ x: 3 }] },
    d: { e: 1, 'ab"': null },
    "\ue000%41": { "\ue000": 5, "": 6, __proto__x: { "\\n": "\\n:" } },
  };
  const reply = await proposed(runtime, "takes_names", { table });
  expect(JSON.stringify(reply.result)).toBe(JSON.stringify({ args: { table } }));
});
