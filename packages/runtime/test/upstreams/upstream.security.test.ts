/** Hostile MCP servers over HTTP, as the runtime looks at what they offer. */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { HttpTransport } from "@femtoclaw/capabilities";
import type { Clock } from "@femtoclaw/journal";
import { LIMITS } from "@femtoclaw/protocol";
import { afterEach, expect, test } from "vitest";
import { Upstream } from "../../src/upstreams/upstream.ts";

interface Message {
  readonly id?: number;
  readonly method: string;
}

/** Time passes when the test says so. */
class SetClock implements Clock {
  #nowMs = 0;
  #due: { readonly atMs: number; readonly callback: () => void }[] = [];

  nowUs(): number {
    return this.#nowMs * 1_000;
  }

  monotonicUs(): number {
    return this.#nowMs * 1_000;
  }

  after(delayMs: number, callback: () => void): () => void {
    const one = { atMs: this.#nowMs + delayMs, callback };
    this.#due.push(one);
    return () => {
      this.#due = this.#due.filter((other) => other !== one);
    };
  }

  pass(ms: number): void {
    this.#nowMs += ms;
    const over = this.#due.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#due = this.#due.filter((one) => !over.includes(one));
    for (const { callback } of over) callback();
  }
}

const servers: Server[] = [];
const upstreams: Upstream[] = [];
afterEach(async () => {
  await Promise.all(upstreams.splice(0).map((upstream) => upstream.stop("the test is over")));
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** `answer` gets null for who listens. */
async function upstreamTo(
  clock: Clock,
  answer: (message: Message | null, response: ServerResponse) => void,
  recorded: object[] = [],
): Promise<Upstream> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    answer(request.method === "GET" ? null : (JSON.parse(body) as Message), response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const host = { kind: "host", scheme: "http", host: "127.0.0.1", port, target: "/mcp" } as const;
  const bound = async () => ({ ...host, addresses: ["127.0.0.1"], secrets: new Map() });
  const upstream = new Upstream({
    setting: {
      name: "evil",
      at: { kind: "url", url: `http://127.0.0.1:${port}/of-mine/mcp?key=of-mine`, headers: {} },
      pins: "first_use",
      tools: null,
    },
    clock,
    connect: () => new HttpTransport({ bound, headers: {} }),
    append: async (entry) => {
      recorded.push(entry);
      return { seq: 1 };
    },
    onListed: async () => undefined,
    onDown: () => undefined,
  });
  upstreams.push(upstream);
  return upstream;
}

const result = (response: ServerResponse, id: number | undefined, value: object): void => {
  response.setHeader("content-type", "application/json").end(JSON.stringify({ jsonrpc: "2.0", id, result: value }));
};
const handshake = { protocolVersion: "2025-06-18", capabilities: { tools: { listChanged: true } }, serverInfo: {} };

test("what its operator wrote behind the host of its address, which may be a token, is in no record", async () => {
  const recorded: object[] = [];
  const answer = (message: Message | null, response: ServerResponse): void => {
    if (message?.method === "initialize") return result(response, message.id, handshake);
    if (message?.method === "tools/list") return result(response, message.id, { tools: [] });
    response.writeHead(message === null ? 405 : 202).end();
  };
  const upstream = await upstreamTo(new SetClock(), answer, recorded);
  await upstream.ready();
  await upstream.stop("enough");
  expect(recorded).toMatchObject([
    { type: "upstream.started", body: { url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) } },
    { type: "upstream.stopped" },
  ]);
  expect(JSON.stringify(recorded)).not.toContain("of-mine");
});

test("one look is under way at a server that says over and over that it changed, and does not say to what", async () => {
  const clock = new SetClock();
  const streams: ServerResponse[] = [];
  const looks: (() => void)[] = [];
  const upstream = await upstreamTo(clock, (message, response) => {
    if (message === null) {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      return void streams.push(response);
    }
    const { id, method } = message;
    if (method === "initialize") return result(response, id, handshake);
    if (method !== "tools/list") return void response.writeHead(202).end();
    looks.push(() => result(response, id, { tools: [] }));
    if (looks.length === 1) looks[0]?.();
  });
  await upstream.ready();
  await expect.poll(() => streams.length).toBe(1);
  const changed = async (): Promise<void> => {
    streams[0]?.write('data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n');
    await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await changed();
  clock.pass(LIMITS.upstreamRelistMs);
  await expect.poll(() => looks.length).toBe(2);
  // That look lasts, and meanwhile it says so again and again.
  for (let said = 0; said < 10; said += 1) {
    await changed();
    clock.pass(LIMITS.upstreamRelistMs / 10);
  }
  expect(looks.length).toBe(2);
  // What it said meanwhile is not lost: it is looked at again, after the pause.
  looks[1]?.();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(looks.length).toBe(2);
  clock.pass(LIMITS.upstreamRelistMs);
  await expect.poll(() => looks.length).toBe(3);
  looks[2]?.();
});

test("a list in many large pages is too much long before all of them were held", async () => {
  let pages = 0;
  const upstream = await upstreamTo(new SetClock(), (message, response) => {
    if (message === null) return void response.writeHead(405).end();
    const { id, method } = message;
    if (method === "initialize") return result(response, id, handshake);
    if (method !== "tools/list") return void response.writeHead(202).end();
    pages += 1;
    const tool = { name: `t${pages}`, description: "x".repeat(1_500_000), inputSchema: { type: "object" } };
    result(response, id, { tools: [tool], nextCursor: String(pages) });
  });
  await expect(upstream.ready()).rejects.toThrow("it lists more than 4194304 bytes of tools");
  expect(pages).toBe(3);
});
