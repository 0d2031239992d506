/** A hostile MCP server over HTTP, as its transport meets it: what it makes this side send is bounded. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { LIMITS } from "@femtoclaw/protocol";
import { afterEach, expect, test } from "vitest";
import { agree } from "../src/mcp/agreement.ts";
import { HttpTransport } from "../src/mcp/http-transport.ts";

type Message = Readonly<Record<string, unknown>>;

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function transportTo(answer: (message: Message, response: ServerResponse) => void): Promise<HttpTransport> {
  const server = createServer(async (request: IncomingMessage, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    answer(JSON.parse(body) as Message, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const bound = { kind: "host", scheme: "http", host: "127.0.0.1", port, target: "/mcp" } as const;
  return new HttpTransport({
    bound: async () => ({ ...bound, addresses: ["127.0.0.1"], secrets: new Map() }),
    headers: {},
  });
}

const event = (message: Message): string => `data: ${JSON.stringify({ jsonrpc: "2.0", ...message })}\n\n`;
const call = { method: "tools/call", params: { name: "t", arguments: {} }, bytesMax: 65_536 };

test("what a server asks on the way to its answer holds few connections, and none for long", async () => {
  const taken: unknown[] = [];
  let open = 0;
  let most = 0;
  const transport = await transportTo(({ id, method }, response) => {
    if (method === undefined) {
      // It takes the answer, and never says that it did.
      taken.push(id);
      open += 1;
      most = Math.max(most, open);
      response.on("close", () => {
        open -= 1;
      });
      return;
    }
    response.setHeader("content-type", "text/event-stream");
    for (let asked = 0; asked < LIMITS.upstreamUnasked - 1; asked += 1)
      response.write(event({ id: `q${asked}`, method: "ping" }));
    setTimeout(() => response.end(event({ id: Number(id), result: { content: [] } })), 2_000);
  });
  const answer = await transport.request({ ...call, signal: AbortSignal.timeout(10_000) });
  expect(answer).toEqual({ content: [] });
  expect(taken.length).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(8);
  await expect.poll(() => open, { timeout: 10_000 }).toBe(0);
  transport.end("enough");
}, 30_000);

test("a server that hangs holds few connections of calls that were cancelled", async () => {
  const told: unknown[] = [];
  let calls = 0;
  const transport = await transportTo(({ method }) => {
    if (method === call.method) calls += 1;
    else told.push(method);
  });
  const cancel = new AbortController();
  const answers = Promise.allSettled(
    Array.from({ length: 50 }, () => transport.request({ ...call, signal: cancel.signal })),
  );
  await expect.poll(() => calls).toBe(50);
  cancel.abort(new Error("cancelled"));
  expect((await answers).every(({ status }) => status === "rejected")).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(told).toEqual(Array.from({ length: 8 }, () => "notifications/cancelled"));
  transport.end("enough");
});

/** All that may be said beside calls hangs, and one call is asked as often as the server likes. */
async function askedWhileAllHangs(asks: number): Promise<{ readonly taken: Message[]; readonly answer: unknown }> {
  const taken: Message[] = [];
  let hanging = 0;
  const transport = await transportTo(({ id, method, params, ...rest }, response) => {
    if (method === "notifications/cancelled") {
      hanging += 1;
      return;
    }
    if (method === undefined) {
      taken.push({ id, ...rest });
      return;
    }
    if ((params as { readonly name: string }).name === "cancelled") return;
    response.setHeader("content-type", "text/event-stream");
    for (let asked = 0; asked < asks; asked += 1)
      response.write(event({ id: `q${asked}`, method: "elicitation/create", params: {} }));
    const waiting = setInterval(() => {
      if (taken.length < Math.min(asks, LIMITS.questionRounds)) return;
      clearInterval(waiting);
      setTimeout(() => response.end(event({ id: Number(id), result: { content: [] } })), 300);
    }, 10);
    response.on("close", () => clearInterval(waiting));
  });
  const cancel = new AbortController();
  const cancelled = { ...call, params: { name: "cancelled", arguments: {} }, signal: cancel.signal };
  const others = Promise.allSettled(Array.from({ length: 8 }, () => transport.request(cancelled)));
  await new Promise((resolve) => setTimeout(resolve, 300));
  cancel.abort(new Error("cancelled"));
  await others;
  await expect.poll(() => hanging).toBe(8);
  const onAsked = async () => ({ action: "accept", content: {} });
  const answer = await transport.request({ ...call, signal: AbortSignal.timeout(4_000), onAsked });
  transport.end("enough");
  return { taken, answer };
}

test("an answer that a call waits for goes out while all that is said beside it hangs", async () => {
  const { taken, answer } = await askedWhileAllHangs(2);
  expect(answer).toEqual({ content: [] });
  const result = { action: "accept", content: {} };
  expect(taken).toEqual(["q0", "q1"].map((id) => ({ id, jsonrpc: "2.0", result })));
});

test("of a call that is asked more often than it may, no more answers go out than that", async () => {
  const { taken, answer } = await askedWhileAllHangs(64);
  expect(answer).toEqual({ content: [] });
  expect(taken.map(({ id }) => id)).toEqual(Array.from({ length: LIMITS.questionRounds }, (_, index) => `q${index}`));
});

test("a server that asks whether anybody is there is told so", async () => {
  const taken: Message[] = [];
  const transport = await transportTo(({ id, method, ...rest }, response) => {
    if (method === undefined) {
      taken.push({ id, ...rest });
      return void response.writeHead(202).end();
    }
    response.setHeader("content-type", "text/event-stream").write(event({ id: "p1", method: "ping" }));
    setTimeout(() => response.end(event({ id: Number(id), result: {} })), 300);
  });
  await transport.request({ ...call, signal: AbortSignal.timeout(10_000) });
  expect(taken).toEqual([{ id: "p1", jsonrpc: "2.0", result: {} }]);
  transport.end("enough");
});

test("an error whose message is no text is the server's error, and is told as JSON", async () => {
  const error = { code: -32_000, message: { toString: 0, valueOf: 0 } };
  const transport = await transportTo(({ id }, response) => {
    response.setHeader("content-type", "application/json").end(JSON.stringify({ jsonrpc: "2.0", id, error }));
  });
  await expect(transport.request({ ...call, signal: AbortSignal.timeout(10_000) })).rejects.toMatchObject({
    code: "FEMTO_UPSTREAM_FAILED",
    message: 'the server answered with an error (-32000): {"toString":0,"valueOf":0}',
  });
});

test("a revision that is no text is not spoken here, and is told as JSON", async () => {
  const protocolVersion = { toString: 0, valueOf: 0 };
  const transport = await transportTo(({ id }, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result: { protocolVersion } }));
  });
  await expect(agree(transport, [], AbortSignal.timeout(10_000))).rejects.toMatchObject({
    code: "FEMTO_UPSTREAM_FAILED",
    message: 'it speaks {"toString":0,"valueOf":0}, which is not spoken here',
  });
});
