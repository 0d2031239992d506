/** A client that asks for much at once and reads little: it waits for itself, and keeps nobody else from the loop. */
import { PassThrough, Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import type { ToolDescription } from "@femtoclaw/protocol";
import { expect, test } from "vitest";
import { HostSession, type Proposer } from "../src/host-session.ts";
import { LineTransport } from "../src/line-transport.ts";

const pings = (count: number): string =>
  Array.from({ length: count }, (_, id) => `${JSON.stringify({ jsonrpc: "2.0", id, method: "ping" })}\n`).join("");

test("of what came together a few messages are taken up in one turn of the loop, and all of them in the end", async () => {
  const input = new PassThrough();
  const transport = new LineTransport(input, new PassThrough());
  const ids: unknown[] = [];
  transport.onmessage = (message) => void ids.push("id" in message ? message.id : null);
  await transport.start();
  input.write(pings(200));
  let before = 0;
  while (before < 200) {
    expect(ids.length - before).toBeLessThanOrEqual(16);
    before = ids.length;
    await setImmediate();
  }
  expect(ids).toEqual(Array.from({ length: 200 }, (_, id) => id));
});

test("a client that has said all and left is heard to its end, and then it is over", async () => {
  const input = new PassThrough();
  const transport = new LineTransport(input, new PassThrough().resume());
  const closed = Promise.withResolvers<void>();
  let heard = 0;
  transport.onmessage = (message) => {
    heard += 1;
    if ("id" in message) void transport.send({ jsonrpc: "2.0", id: message.id ?? 0, result: {} });
  };
  transport.onclose = closed.resolve;
  await transport.start();
  input.end(pings(100));
  await closed.promise;
  expect(heard).toBe(100);
});

test("nothing more is taken up for a client that does not read", async () => {
  const input = new PassThrough();
  const unread: (() => void)[] = [];
  const output = new Writable({ write: (_piece, _encoding, written) => void unread.push(written) });
  const transport = new LineTransport(input, output);
  let heard = 0;
  transport.onmessage = (message) => {
    heard += 1;
    if ("id" in message)
      void transport.send({ jsonrpc: "2.0", id: message.id ?? 0, result: { text: "x".repeat(1 << 20) } });
  };
  await transport.start();
  input.write(pings(100));
  for (let turn = 0; turn < 100; turn += 1) await setImmediate();
  expect(heard).toBeLessThan(20);
  const read = setInterval(() => unread.shift()?.());
  await expect.poll(() => heard).toBe(100);
  clearInterval(read);
});

test("lists are made one after the other, and none before what was asked for is read", async () => {
  let making = 0;
  let most = 0;
  let made = 0;
  const proposer = {
    closed: new Promise<void>(() => undefined),
    // Nothing ever changes.
    changes: async (from: number | null) =>
      from === null ? { next: 0, offered: false, updated: [], ended: [] } : await new Promise(() => undefined),
    tools: async (): Promise<readonly ToolDescription[]> => {
      making += 1;
      most = Math.max(most, making);
      await setImmediate();
      making -= 1;
      made += 1;
      return [];
    },
  } as unknown as Proposer;
  const host = new HostSession(async () => proposer);
  const read = Promise.withResolvers<void>();
  host.untilRead = () => read.promise;
  const lists = Array.from({ length: 20 }, () => host.tools());
  for (let turn = 0; turn < 50; turn += 1) await setImmediate();
  expect(made).toBe(0);
  read.resolve();
  await Promise.all(lists);
  expect({ made, most }).toEqual({ made: 20, most: 1 });
});

test("requests that wait for their answers have so many bytes and no more, and those that were answered count no more", async () => {
  const input = new PassThrough();
  const output = new PassThrough();
  const transport = new LineTransport(input, output);
  const heard: number[] = [];
  transport.onmessage = (message) => {
    if ("id" in message) heard.push(Number(message.id));
  };
  await transport.start();
  const refused: number[] = [];
  output.on("data", (chunk: Buffer) => {
    for (const said of String(chunk).split("\n").filter(Boolean)) {
      const { id, error } = JSON.parse(said) as { id: number; error?: { data: unknown } };
      if (error !== undefined) refused.push(id);
    }
  });
  const much = (id: number): string =>
    `${JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params: { name: "t", arguments: { x: "x".repeat(1_000_000) } } })}\n`;
  for (let id = 1; id <= 20; id += 1) input.write(much(id));
  await expect.poll(() => heard.length + refused.length, { timeout: 20_000 }).toBe(20);
  expect([heard.length, refused]).toEqual([16, [17, 18, 19, 20]]);
  await transport.send({ jsonrpc: "2.0", id: 1, result: {} });
  input.write(much(21));
  await expect.poll(() => heard.at(-1)).toBe(21);
});

test("what a client cancelled waits for no turn, so that nothing is kept of however much it asks and cancels", async () => {
  const proposed = Promise.withResolvers<never>();
  const proposer = {
    closed: new Promise<void>(() => undefined),
    propose: () => proposed.promise,
  } as unknown as Proposer;
  const host = new HostSession(async () => proposer);
  const cancel = new AbortController();
  const message = Buffer.from("{}");
  for (let under = 0; under < 32; under += 1) host.propose(message, {}).catch(() => undefined);
  const waits = Array.from({ length: 100 }, () => host.propose(message, { signal: cancel.signal }));
  const outcomes = Promise.allSettled(waits);
  cancel.abort();
  expect((await outcomes).map(({ status }) => status)).toEqual(waits.map(() => "rejected"));
  await expect(waits[0]).rejects.toMatchObject({ code: "FEMTO_EXECUTION_HALTED" });
  proposed.reject(new Error("over"));
});

test("a list that is not wanted any more is not waited for either", async () => {
  const proposer = {
    closed: new Promise<void>(() => undefined),
    changes: async (from: number | null) =>
      from === null ? { next: 0, offered: false, updated: [], ended: [] } : await new Promise(() => undefined),
    tools: () => new Promise(() => undefined),
  } as unknown as Proposer;
  const host = new HostSession(async () => proposer);
  void host.tools();
  const cancel = new AbortController();
  const waits = Promise.allSettled([host.tools(cancel.signal), host.currentTools(cancel.signal)]);
  cancel.abort(new Error("cancelled"));
  expect(await waits).toMatchObject([{ reason: { message: "cancelled" } }, { reason: { message: "cancelled" } }]);
});

test("a request to listen that was cancelled while it was examined is let go of, although its id is used again", async () => {
  const input = new PassThrough();
  const transport = new LineTransport(input, new PassThrough().resume());
  const heard: unknown[] = [];
  const released: number[] = [];
  const examined: (() => void)[] = [];
  transport.onmessage = (message) => void heard.push("method" in message ? message.method : null);
  transport.admit = async (message) => {
    const number = examined.length;
    const { promise, resolve } = Promise.withResolvers<void>();
    examined.push(resolve);
    await promise;
    return { message, release: () => void released.push(number) };
  };
  await transport.start();
  const say = (message: object): void => void input.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  const listen = { id: 1, method: "subscriptions/listen", params: {} };
  say(listen);
  say({ method: "notifications/cancelled", params: { requestId: 1 } });
  say(listen);
  while (examined.length < 2) await setImmediate();
  for (const go of examined) go();
  while (!heard.includes(listen.method)) await setImmediate();
  expect(heard.filter((method) => method === listen.method)).toHaveLength(1);
  expect(released).toEqual([0]);
  await transport.close();
});
