/** Whoever speaks to the MCP server is taken for an attacker: raw lines and raw requests against a real host. */
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { request as httpRequest, type OutgoingHttpHeaders } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { HAS_SMALL_DISK, SmallDisk } from "@femtoclaw/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HTTP_SESSIONS_MAX } from "../src/http/http-sessions.ts";
import { MESSAGE_BYTES_MAX } from "../src/incoming.ts";
import { REQUESTS_MAX } from "../src/overload.ts";
import { type HttpPlace, httpClient, McpPlace } from "./mcp-place.ts";

let place: McpPlace;
let http: HttpPlace;
beforeAll(async () => {
  place = new McpPlace();
  await place.up();
  http = await place.http();
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

interface Line {
  readonly jsonrpc: string;
  readonly id?: number | string | null;
  readonly result?: { readonly isError?: boolean; readonly structuredContent?: Record<string, unknown> };
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

const INITIALIZE = {
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "0" } },
};
const line = (id: number | string, rest: object): string => `${JSON.stringify({ jsonrpc: "2.0", id, ...rest })}\n`;
const call = (id: number | string, name: string, args: object): string =>
  line(id, { method: "tools/call", params: { name, arguments: args } });

/** What the server says to all this until it has said everything. */
async function converse(input: string | Uint8Array): Promise<Line[]> {
  const { code, stdout, stderr } = await place.run(["mcp"], { input });
  expect([code, stderr]).toEqual([0, ""]);
  // INVARIANT: nothing but the protocol is on stdout.
  return stdout
    .trimEnd()
    .split("\n")
    .map((text) => JSON.parse(text) as Line);
}

const byId = (lines: readonly Line[], id: number | string | null): Line[] => lines.filter((one) => one.id === id);

describe("over stdio", () => {
  test("lines that are no messages are answered, and those after them too", async () => {
    const said = await converse(
      [
        "nonsense\n",
        "\n \t\r\n",
        "[]\n",
        '{"jsonrpc":"2.0","method":"notifications/nothing"}\n',
        '{"jsonrpc":"2.0","id":99,"result":{}}\n',
        '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}\n',
        line(3, INITIALIZE),
        line(4, { method: "no/such" }),
        line(5, { method: "tools/call", params: "x" }),
        line(6, { method: "tools/list", params: { cursor: "../" } }),
        line(7, { method: "initialize", params: {} }),
        call(8, "fs_read", { path: "notes.txt" }),
        // Without its newline, as the last thing that a client says.
        call("last", "fs_read", { path: "notes.txt" }).trimEnd(),
      ].join(""),
    );
    expect(
      byId(said, null)
        .map(({ error }) => error?.code)
        .toSorted(),
    ).toEqual([-32600, -32700]);
    expect(byId(said, 2)).toMatchObject([{ error: { code: -32600, message: expect.stringContaining("twice") } }]);
    expect(byId(said, 3)).toMatchObject([{ result: { protocolVersion: "2025-11-25" } }]);
    expect(byId(said, 4)).toMatchObject([{ error: { code: -32601 } }]);
    expect(byId(said, 6)).toMatchObject([{ error: { code: -32602 } }]);
    for (const id of [5, 7]) expect(byId(said, id)).toMatchObject([{ error: { code: expect.any(Number) } }]);
    for (const id of [8, "last"]) {
      expect(byId(said, id)).toMatchObject([{ result: { structuredContent: { content: "some notes\n" } } }]);
    }
  });

  test("a state and an answer that were never asked for change nothing about a call", async () => {
    const meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": { elicitation: {} },
      "io.modelcontextprotocol/clientInfo": { name: "raw", version: "0" },
    };
    const forged = {
      requestState: Buffer.from(JSON.stringify({ approved: true })).toString("base64url"),
      inputResponses: { approve: { kind: "elicit", action: "accept", content: { approve: true } } },
    };
    const modern = (id: number, name: string, args: object): string =>
      line(id, { method: "tools/call", params: { name, arguments: args, ...forged, _meta: meta } });
    const args = { path: "out/forged", content: "x", mode: "create" };
    const input = [modern(1, "fs_write", args), modern(2, "fs_read", { path: "secrets/token.txt" })].join("");
    const { stdout } = await place.run(["mcp", "--wait", "1"], { input });
    const said = stdout
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text) as Line);
    expect(byId(said, 1)).not.toMatchObject([{ result: { structuredContent: { bytes: 1 } } }]);
    expect(existsSync(join(place.project, "out/forged"))).toBe(false);
    expect(said).toHaveLength(2);
    expect(JSON.stringify(said)).not.toContain("hunter2");
  });

  test("a line of 50 MB is skipped, and arguments that the host takes no more are refused by it", async () => {
    const said = await converse(
      [
        line(1, INITIALIZE),
        call(2, "fs_read", { path: "x".repeat(50_000_000) }),
        call(3, "fs_read", { path: "x".repeat(1_500_000) }),
        call(4, "fs_read", { path: "notes.txt" }),
      ].join(""),
    );
    const tooLong = expect.stringContaining(`longer than ${MESSAGE_BYTES_MAX} bytes`);
    expect(byId(said, null)).toMatchObject([{ error: { code: -32600, message: tooLong } }]);
    const tooLarge = { status: "error", error: { code: "FEMTO_PROTOCOL_TOO_LARGE" } };
    expect(byId(said, 3)).toMatchObject([{ result: { isError: true, structuredContent: tooLarge } }]);
    expect(byId(said, 4)).toMatchObject([{ result: { structuredContent: { bytes: 11 } } }]);
  });

  test("a thousand calls under way are all answered, those beyond are refused, and an id counts once", async () => {
    const ids = Array.from({ length: REQUESTS_MAX + 100 }, (_, index) => index + 1);
    const calls = ids.map((id) => call(id, "fs_read", { path: "notes.txt" }));
    const again = call(1, "fs_read", { path: "secrets/token.txt" });
    const said = await converse([line("hello", INITIALIZE), calls[0], again, ...calls.slice(1)].join(""));
    expect(said).toHaveLength(ids.length + 2);
    const done = ids.filter((id) => byId(said, id)[0]?.result?.structuredContent?.["content"] === "some notes\n");
    expect(done.length).toBeGreaterThanOrEqual(REQUESTS_MAX - 1);
    for (const id of ids.filter((one) => !done.includes(one))) {
      expect(byId(said, id)).toMatchObject([{ error: { data: { code: "FEMTO_OVERLOADED" } } }]);
    }
    expect(byId(said, null)).toMatchObject([{ error: { code: -32600 } }]);
    expect(JSON.stringify(said)).not.toContain("hunter2");
  });

  test("a client that does not read its answers waits for the rest, and what it asked is held by nobody", async () => {
    place.write("p/big.txt", "x".repeat(1_000_000));
    const server = place.spawn(["mcp"]);
    const calls = Array.from({ length: 100 }, (_, id) => call(id, "fs_read", { path: "big.txt" }));
    server.stdin.write(line("hello", INITIALIZE) + calls.join(""));
    await using operator = await place.operator();
    const records = async () => Number((await operator.status())["records"]);
    const first = await records();
    await expect.poll(records).toBeGreaterThan(first + 20);
    // Until nothing more of it is executed. Each call has two records.
    let now = await records();
    for (let last = 0; now !== last; last = now, now = await records()) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    expect(now - first).toBeLessThan(calls.length * 2 - 80);
    let answered = 0;
    server.stdout.on("data", (chunk: Buffer) => {
      for (const byte of chunk) answered += byte === 0x0a ? 1 : 0;
    });
    server.stdin.end();
    await new Promise((resolve) => server.once("close", resolve));
    expect(answered).toBe(calls.length + 1);
  });

  test("what is ambiguous in arguments is refused by the host, and recorded", async () => {
    const ambiguous = '{"path":"notes.txt","path":"secrets/token.txt"}';
    const said = await converse(
      `${line(1, INITIALIZE)}{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"fs_read","arguments":${ambiguous}}}\n`,
    );
    const error = { code: "FEMTO_PROTOCOL_DUPLICATE_KEY" };
    expect(byId(said, 2)).toMatchObject([{ result: { isError: true, structuredContent: { error } } }]);
    expect((await place.executions())[0]).toMatchObject({ error });
  });
});

interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** One request that no client of ours would send. */
async function send(
  headers: OutgoingHttpHeaders,
  body: string | readonly string[] = line(1, INITIALIZE),
  { method = "POST", path = "/mcp" } = {},
): Promise<Response> {
  return await new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port: http.port, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
      });
    });
    request.on("error", reject);
    for (const part of typeof body === "string" ? [body] : body) request.write(part);
    request.end();
  });
}

const JSON_BODY = { "content-type": "application/json", accept: "application/json, text/event-stream" };
const shown = (): OutgoingHttpHeaders => ({ ...JSON_BODY, authorization: `Bearer ${http.token}` });

describe("over HTTP", () => {
  test.each([
    ["another host", { host: "evil.example" }],
    ["a host that begins like ours", { host: "localhost.evil.example" }],
    ["a page of another origin", { origin: "https://evil.example" }],
    ["a page without an origin", { origin: "null" }],
    ["a page of a file", { origin: "file://" }],
  ])("%s is turned away, also with the token", async (_name, headers) => {
    const { status, body } = await send({ ...shown(), ...headers });
    expect([status, body.includes("protocolVersion")]).toEqual([403, false]);
  });

  test.each([
    ["no token", undefined],
    ["an empty one", "Bearer "],
    ["another one", `Bearer ${"A".repeat(43)}`],
    ["another scheme", "Basic dXNlcjpwYXNz"],
    ["half of it", "half"],
    ["more than it", "more"],
  ])("%s opens nothing", async (_name, authorization) => {
    const written = authorization === "half" ? `Bearer ${http.token.slice(0, 20)}` : authorization;
    const value = written === "more" ? `Bearer ${http.token}A` : written;
    const answer = await send({ ...JSON_BODY, ...(value === undefined ? {} : { authorization: value }) });
    expect(answer).toMatchObject({ status: 401, headers: { "www-authenticate": expect.stringContaining("Bearer") } });
    expect(answer.headers).not.toHaveProperty("mcp-session-id");
  });

  test("pages of other origins are allowed nothing by the browser either", async () => {
    const preflight = { "access-control-request-method": "POST", "access-control-request-headers": "authorization" };
    for (const headers of [
      { ...preflight, origin: "http://localhost:1" },
      { ...shown(), origin: "http://localhost:1" },
    ]) {
      const { headers: answered } = await send(headers, "", { method: "OPTIONS" });
      expect(Object.keys(answered).filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
  });

  test.each([
    ["another path", {}, line(1, INITIALIZE), { path: "/" }, 404],
    ["another method", {}, "", { method: "PUT" }, 405],
    ["no JSON by its type", { "content-type": "text/plain" }, line(1, INITIALIZE), {}, 415],
    ["a compressed body", { "content-encoding": "gzip" }, line(1, INITIALIZE), {}, 415],
    ["no JSON", {}, "nonsense", {}, 400],
    ["a batch", {}, `[${line(1, INITIALIZE)}]`, {}, 400],
    ["a key twice", {}, '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', {}, 400],
    ["no session", {}, line(1, { method: "tools/list" }), {}, 400],
    ["a session of one's own choice", { "mcp-session-id": "x" }, line(1, { method: "tools/list" }), {}, 404],
    ["the end of one that is not there", { "mcp-session-id": "x" }, "", { method: "DELETE" }, 404],
    ["a stream without a session", {}, "", { method: "GET" }, 400],
    ["a body of which the length says too much", { "content-length": 100_000_000 }, "x", {}, 413],
  ] as const)("%s is refused", async (_name, headers, body, how, status) => {
    expect((await send({ ...shown(), ...headers }, body, how)).status).toBe(status);
  });

  test("a body without an end is cut off at its limit", async () => {
    const parts = Array.from({ length: 40 }, () => "x".repeat(100_000));
    const answered = await send(shown(), parts).then(
      ({ status }) => status,
      () => "cut off",
    );
    expect([413, "cut off"]).toContain(answered);
    expect((await send(shown())).status).toBe(200);
  });

  /** A body that never ends, of which so much has arrived. */
  const half = (bytes: number): Socket => {
    const socket = connect(http.port, "127.0.0.1");
    const head = { ...shown(), host: `127.0.0.1:${http.port}`, "content-length": 2_000_000 };
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.on("error", () => undefined).write(`POST /mcp HTTP/1.1\r\n${lines.join("")}\r\n${"x".repeat(bytes)}`);
    return socket;
  };

  test("bodies of all requests without an answer have so many bytes and no more", async () => {
    http = await place.http();
    const refused: string[] = [];
    const sockets = Array.from({ length: 20 }, () => half(1_000_000));
    for (const socket of sockets) socket.on("data", (said: Buffer) => void refused.push(String(said).slice(0, 12)));
    await expect.poll(() => refused.length).toBe(4);
    expect(refused).toEqual(Array.from({ length: 4 }, () => "HTTP/1.1 503"));
    expect((await send(shown(), "x".repeat(1_000_000))).status).toBe(503);
    // What is small goes on, and what ended counts no more.
    expect((await send(shown())).status).toBe(200);
    for (const socket of sockets) socket.destroy();
    await expect.poll(async () => (await send(shown(), "x".repeat(1_000_000))).status).toBe(400);
  });

  test("a call whose client has left counts until it is answered or cancelled, and its session with it", async () => {
    http = await place.http();
    const { headers } = await send(shown());
    const named = { ...shown(), "mcp-session-id": String(headers["mcp-session-id"]) };
    const text = (id: number) => call(id, "process_exec", { bin: "sleep", argv: ["60"], stdin: "x".repeat(900_000) });
    const leave = async (id: number): Promise<number> => {
      const body = text(id);
      return await new Promise((resolve) => {
        const request = httpRequest(
          { host: "127.0.0.1", port: http.port, method: "POST", path: "/mcp", headers: named },
          ({ statusCode = 0 }) => {
            request.destroy();
            resolve(statusCode);
          },
        );
        request.on("error", () => undefined).end(body);
      });
    };
    const answers: number[] = [];
    for (let id = 1; id <= 20; id += 1) answers.push(await leave(id));
    expect(answers).toEqual([...Array.from({ length: 18 }, () => 200), 503, 503]);
    expect(await leave(1)).toBe(503);
    const cancel = JSON.stringify({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } });
    expect((await send(named, cancel)).status).toBe(202);
    expect([await leave(2), await leave(21)]).toEqual([400, 200]);
    expect((await send(named, "", { method: "DELETE" })).status).toBe(200);
    const anew = await send(shown(), "x".repeat(1_000_000));
    expect(anew.status).toBe(400);
  });

  test("who does not say who he is keeps no place", async () => {
    const ends = ["", "POST /mcp HTTP/1.1\r\n", `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${http.port}\r\nX-Slow: `].map(
      async (begun) => {
        const socket = connect(http.port, "127.0.0.1");
        socket.on("error", () => undefined).resume();
        socket.write(begun);
        await new Promise((resolve) => socket.once("close", resolve));
      },
    );
    const late = new Promise((resolve) => setTimeout(() => resolve("still there"), 15_000));
    expect(await Promise.race([Promise.all(ends), late])).not.toBe("still there");
  }, 30_000);

  test("strangers who hold connections keep nobody out who has the token", async () => {
    const strangers = Array.from({ length: 400 }, () => connect(http.port, "127.0.0.1").on("error", () => undefined));
    await Promise.all(strangers.map((stranger) => once(stranger, "connect")));
    expect((await send(shown())).status).toBe(200);
    for (const stranger of strangers) stranger.destroy();
  });

  test("the port is open on one address of this machine and on no other", async () => {
    const reached = await new Promise((resolve) => {
      const socket = connect(http.port, "127.0.0.2");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
    expect(reached).toBe(false);
  });

  test("sessions are bounded: the one that was idle longest makes room, at the host too", async () => {
    await using first = await httpClient("2025-11-25", http);
    await first.callTool({ name: "fs_read", arguments: { path: "notes.txt" } });
    for (let count = 0; count < 2 * HTTP_SESSIONS_MAX; count += 1) expect((await send(shown())).status).toBe(200);
    await using operator = await place.operator();
    const live = async () => ((await operator.status())["sessions"] as unknown[]).length;
    await expect.poll(live).toBeLessThanOrEqual(HTTP_SESSIONS_MAX);
    await using client = await httpClient("2025-11-25", http);
    expect((await client.listTools()).tools.length).toBeGreaterThan(1);
  });

  test("a ticket of one session is none in another", async () => {
    const { url, token, port } = await place.http(["--wait", "50"]);
    await using one = await httpClient("2025-11-25", { url, token, port });
    await using other = await httpClient("2025-11-25", { url, token, port });
    const args = { path: "out/note", content: "x", mode: "append" };
    const pending = await one.callTool({ name: "fs_write", arguments: args });
    const wait = { name: "femtoclaw_wait", arguments: { ...(pending.structuredContent as { execution_id: string }) } };
    const asked = { name: wait.name, arguments: { execution_id: wait.arguments.execution_id } };
    expect(await other.callTool(asked)).toMatchObject({ isError: true });
    expect(await one.callTool(asked)).toMatchObject({ structuredContent: { status: "pending" } });
  });
});

describe("a token file", () => {
  const serve = (file: string) => place.run(["mcp", "--http", "0", "--token-file", file]);

  test.each([
    ["that others can read", (path: string) => chmodSync(place.write(path, `${"A".repeat(43)}\n`), 0o644)],
    ["with a token that is too short", (path: string) => void place.write(path, "secret\n")],
    ["with no token", (path: string) => void place.write(path, "A".repeat(10_000))],
    ["that is a folder", (path: string) => void mkdirSync(join(place.root, path))],
    [
      "that is a link",
      (path: string) => symlinkSync(place.write(`${path}-real`, "A".repeat(43)), join(place.root, path)),
    ],
  ])("%s is refused", async (name, make) => {
    const path = `token-${name.replaceAll(" ", "-")}`;
    make(path);
    expect(await serve(join(place.root, path))).toMatchObject({
      code: 78,
      stderr: expect.stringContaining("token file"),
    });
  });

  test("that calls could read or write is refused, whether it is there or not", async () => {
    place.write("p/out/there", `${"A".repeat(43)}\n`);
    for (const path of ["token", "out/there"]) {
      const { code, stderr } = await serve(path);
      expect([code, stderr]).toEqual([78, expect.stringContaining("FEMTO_CONFIG_OWNER: calls may reach")]);
    }
    expect(existsSync(join(place.project, "token"))).toBe(false);
  });

  test.runIf(HAS_SMALL_DISK)("on a full disk is not left without a token", async () => {
    using disk = new SmallDisk(262_144);
    disk.fill();
    const path = join(disk.path, "token");
    const { code, stderr } = await serve(path);
    expect([code, stderr]).toEqual([78, expect.stringMatching(/the token file .* cannot be written \(ENOSPC\)/)]);
    expect(existsSync(path)).toBe(false);
  });

  test("is made once, for its owner alone, and says nothing of what it holds", async () => {
    const path = join(place.root, "token");
    const tokens: string[] = [];
    for (let start = 0; start < 2; start += 1) {
      const child = place.spawn(["mcp", "--http", "0", "--token-file", path]);
      let said = "";
      child.stderr.on("data", (chunk) => (said += String(chunk)));
      await new Promise((resolve) => child.stdout.once("data", resolve));
      tokens.push(readFileSync(path, "utf8").trim());
      child.kill("SIGTERM");
      await new Promise((resolve) => child.once("close", resolve));
      expect([said, child.exitCode]).toEqual(["", 0]);
    }
    expect(tokens[0]).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(tokens[1]).toBe(tokens[0]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});
