/** What a client of MCP gets wrong, by mistake or on purpose, is told to it as its own fault, and to nobody else. */
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { McpPlace } from "./mcp-place.ts";

let place: McpPlace;
beforeAll(async () => {
  place = new McpPlace();
  await place.up();
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

interface Line {
  readonly id?: unknown;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

const CLIENT = { name: "raw", version: "0" };
const INITIALIZE = {
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: CLIENT },
};
const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
  "io.modelcontextprotocol/clientInfo": CLIENT,
};
const line = (id: unknown, rest: object): string => `${JSON.stringify({ jsonrpc: "2.0", id, ...rest })}\n`;

/** What the server says to all this until it has said everything. */
async function converse(input: string): Promise<Line[]> {
  const { code, stdout, stderr } = await place.run(["mcp"], { input });
  expect([code, stderr]).toEqual([0, ""]);
  return stdout
    .trimEnd()
    .split("\n")
    .map((text) => JSON.parse(text) as Line);
}

test("params of the wrong shape are a fault of the client, which is told in one line what is wrong", async () => {
  const wrong = [
    ["tools/list", { cursor: 5 }, "params.cursor: "],
    ["tools/call", { name: 7 }, "params.name: "],
    ["prompts/get", { name: "x", arguments: [] }, "params.arguments: "],
    ["resources/read", {}, "params.uri: "],
    ["completion/complete", { ref: { type: "ref/prompt", name: "x" } }, "params.argument: "],
    // Only the older era has this request.
    ["logging/setLevel", { level: "\u202eloud" }, "params.level: "],
  ] as const;
  const older = wrong.map(([method, params], id) => line(id, { method, params }));
  const newer = wrong
    .slice(0, -1)
    .map(([method, params], id) => line(id, { method, params: { ...params, _meta: META } }));
  for (const requests of [[line("hello", INITIALIZE), ...older], newer]) {
    const said = await converse(requests.join(""));
    expect(said).toHaveLength(requests.length);
    for (const { id, error } of said.filter(({ id }) => id !== "hello")) {
      const [method, , where] = wrong[Number(id)] ?? [];
      expect(error, method).toMatchObject({ code: -32_602, message: expect.stringContaining(where ?? "") });
      expect(error?.message).not.toMatch(/[\n{\u202e]/);
    }
  }
});

/** Requests of every method with params of any shape. */
const REQUESTS = fc
  .tuple(
    fc.constantFrom(
      ...["initialize", "ping", "tools/list", "tools/call", "resources/list", "resources/read", "resources/subscribe"],
      ...["prompts/list", "prompts/get", "completion/complete", "logging/setLevel", "server/discover", "roots/list"],
      ...["tasks/get", "constructor", "__proto__", "toString", ""],
    ),
    fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.record({ name: fc.jsonValue(), arguments: fc.jsonValue(), uri: fc.jsonValue(), cursor: fc.jsonValue() }),
      fc.record({ ref: fc.jsonValue(), argument: fc.jsonValue(), requestState: fc.jsonValue(), level: fc.jsonValue() }),
      fc.record({
        protocolVersion: fc.jsonValue(),
        capabilities: fc.jsonValue(),
        clientInfo: fc.jsonValue(),
        _meta: fc.record({ progressToken: fc.jsonValue(), "io.modelcontextprotocol/protocolVersion": fc.jsonValue() }),
      }),
    ),
  )
  .map(([method, params]) => ({ method, params }));

test.each([1, 2, 3])(
  "requests of any shape are each answered once, and none is a fault of the server: %i",
  async (seed) => {
    const requests = fc.sample(REQUESTS, { seed, numRuns: 150 });
    const said = await converse(
      [
        line("hello", INITIALIZE),
        ...requests.map((request, id) => line(id, request)),
        line("last", { method: "ping" }),
      ].join(""),
    );
    const answered = said.filter(({ method }) => method === undefined).map(({ id }) => id);
    const unread = answered.filter((id) => id === null).length;
    expect(new Set(answered.filter((id) => id !== null)).size + unread).toBe(requests.length + 2);
    expect(answered).toHaveLength(requests.length + 2);
    expect(said.filter(({ error }) => error?.code === -32_603)).toEqual([]);
    expect(said.find(({ id }) => id === "last")).toMatchObject({ result: {} });
  },
);

test("a client that leaves in the middle of its body is no fault of the server", async () => {
  const child = place.spawn(["mcp", "--http", "0"]);
  let told = "";
  child.stderr.on("data", (said: Buffer) => {
    told += String(said);
  });
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  await expect.poll(() => told).toMatch(/once: \S+\n/);
  const url = new URL(/http:\S+/.exec(String(said))?.[0] ?? "");
  const headers = { authorization: `Bearer ${/once: (\S+)/.exec(told)?.[1]}`, "content-type": "application/json" };
  const head = Object.entries({ ...headers, host: url.host, "content-length": 100 });
  for (let round = 0; round < 20; round += 1) {
    const socket = connect(Number(url.port), "127.0.0.1");
    const lines = head.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    socket.write(`POST /mcp HTTP/1.1\r\n${lines}\r\nhalf of a bo`);
    await once(socket, "connect");
    // The server answers this one after it has read the half.
    expect((await fetch(url, { method: "POST", headers, body: "nonsense" })).status).toBe(400);
    const gone = once(socket, "close");
    socket.destroy();
    await gone;
  }
  expect((await fetch(url, { method: "POST", headers, body: "nonsense" })).status).toBe(400);
  expect(told.trimEnd().split("\n")).toHaveLength(1);
});

test("a request that names two hosts is not read, also with the token and if both are ours", async () => {
  const { port, token } = await place.http();
  const answerTo = async (...hosts: readonly string[]): Promise<string> => {
    const named = hosts.map((host) => `Host: ${host}\r\n`).join("");
    const head = `Authorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 8\r\nConnection: close\r\n`;
    const socket = connect(port, "127.0.0.1");
    socket.write(`POST /mcp HTTP/1.1\r\n${named}${head}\r\nnonsense`);
    return await text(socket);
  };
  expect(await answerTo("localhost")).toContain("is not JSON");
  for (const second of ["evil.example", "localhost"]) {
    expect(await answerTo("localhost", second)).toContain("names two hosts");
  }
});
