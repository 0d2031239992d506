/** A client that sends as much at once as it can, beside one that sends a line. */
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HostConnection } from "@femtoclaw/client";
import { LIMITS } from "@femtoclaw/protocol";
import { describe, expect, onTestFinished, test } from "vitest";
import type { AnswerTurns } from "../src/endpoints/answer-turns.ts";
import { SocketPlaces } from "../src/endpoints/socket-places.ts";
import { SocketServer } from "../src/endpoints/socket-server.ts";

const line = (id: number): string => `${JSON.stringify({ id, verb: "mark" })}\n`;

async function serving() {
  const directory = mkdtempSync(join(tmpdir(), "femtoclaw-socket-"));
  const path = join(directory, "socket");
  const asked: string[] = [];
  const closed: number[] = [];
  /** Clients whose requests of the verb `wait` need not be answered any more. */
  const forgotten: number[] = [];
  /** What the verb `wait` waits for. */
  const over = Promise.withResolvers<number>();
  let connections = 0;
  const server = await SocketServer.listen(path, () => {
    connections += 1;
    const own = connections;
    const mark = (): number => {
      asked.push(`client ${own}`);
      return own;
    };
    const wait = async (_fields: unknown, _id: number, { left }: AnswerTurns): Promise<number> => {
      mark();
      left.addEventListener("abort", () => forgotten.push(own));
      return await over.promise;
    };
    return { verbs: { mark, status: mark, wait }, onClosed: () => closed.push(own) };
  });
  onTestFinished(async () => {
    await server.close();
    rmSync(directory, { recursive: true });
  });
  /** In the order in which they are numbered. */
  const openAll = async (count: number): Promise<Socket[]> => {
    const before = connections;
    const sockets = Array.from({ length: count }, () => connect(path));
    await expect.poll(() => connections).toBe(before + count);
    return sockets;
  };
  const open = async (): Promise<Socket> => (await openAll(1))[0] as Socket;
  return { asked, closed, forgotten, open, openAll, over, path };
}

test("what one client sent at once is taken up in portions, between which another has its turn", async () => {
  const { asked, open } = await serving();
  const [flood, calm] = [await open(), await open()];
  const answers: string[] = [];
  flood.on("data", (chunk) => answers.push(String(chunk)));
  flood.write(Array.from({ length: 300 }, (_, id) => line(id)).join(""));
  calm.write(line(0));
  await expect.poll(() => asked.length).toBe(301);
  // Both came in one turn of the loop; the flood's first portion, and perhaps its second, may have come before.
  expect(asked.indexOf("client 2")).toBeLessThanOrEqual(16);
  const ids = (): number[] =>
    answers
      .join("")
      .trim()
      .split("\n")
      .map((answer) => JSON.parse(answer).id);
  await expect.poll(() => ids().length).toBe(300);
  // None is lost, none comes twice.
  expect(new Set(ids()).size).toBe(300);
  for (const socket of [flood, calm]) socket.destroy();
});

test("long lines of many clients are taken up one in a turn of the loop, whoever waits longest first", async () => {
  const { asked, openAll } = await serving();
  const clients = await openAll(20);
  // Turns of the loop by what was asked in each.
  const turns: number[] = [];
  let isOver = false;
  const count = (): void => {
    turns.push(asked.length);
    if (!isOver) setImmediate(count);
  };
  count();
  const long = (id: number): string => `${JSON.stringify({ id, verb: "mark", filler: "x".repeat(1 << 20) })}\n`;
  for (const client of clients) client.write(long(0) + long(1));
  const [late] = await openAll(1);
  await expect.poll(() => asked.length).toBeGreaterThan(4);
  const before = asked.length;
  late?.write(line(0));
  await expect.poll(() => asked.length).toBe(2 * 20 + 1);
  isOver = true;
  // Between two counts may lie two turns, and the line of the late one beside them.
  expect(Math.max(...turns.map((at, turn) => at - (turns[turn - 1] ?? 0)))).toBeLessThanOrEqual(3);
  // It waits for one line of each, and not for all of them.
  expect(asked.indexOf("client 21") - before).toBeLessThanOrEqual(25);
  for (const socket of [...clients, late]) socket?.destroy();
});

test("whoever leaves without waiting for answers has said the last", async () => {
  const { asked, closed, open } = await serving();
  const client = await open();
  client.on("error", () => undefined);
  client.write(Array.from({ length: 3_000 }, (_, id) => line(id)).join(""), () => client.destroy());
  await expect.poll(() => closed).toEqual([1]);
  const soFar = asked.length;
  for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
  expect(asked.length).toBe(soFar);
});

test("whoever has said all that it wants to say gets every answer", async () => {
  const { open } = await serving();
  const client = await open();
  let answers = "";
  client.on("data", (chunk) => {
    answers += String(chunk);
  });
  client.end(Array.from({ length: 3_000 }, (_, id) => line(id)).join(""));
  await new Promise((resolve) => client.once("close", resolve));
  expect(answers.trim().split("\n")).toHaveLength(3_000);
});

const waitLine = (id: number): string => `${JSON.stringify({ id, verb: "wait" })}\n`;

test("whoever leaves while it waits for an answer keeps no place, however much it asked", async () => {
  const { asked, closed, forgotten, openAll } = await serving();
  const [one, many] = await openAll(2);
  one?.write(waitLine(0));
  // More than the host takes up, so that it reads nothing more of this client, not even that it left.
  many?.write(Array.from({ length: LIMITS.socketPipeline + 1 }, (_, id) => waitLine(id)).join(""));
  await expect.poll(() => asked.length).toBe(LIMITS.socketPipeline + 1);
  one?.destroy();
  await expect.poll(() => closed).toEqual([1]);
  expect(forgotten).toEqual([1]);
  many?.destroy();
  await expect.poll(() => closed).toEqual([1, 2]);
  expect(forgotten).toHaveLength(LIMITS.socketPipeline + 1);
});

test("whoever has said the last and still waits for an answer gets it", async () => {
  const { asked, closed, open, over } = await serving();
  const client = await open();
  let answer = "";
  client.on("data", (chunk) => {
    answer += String(chunk);
  });
  client.end(waitLine(7));
  await expect.poll(() => asked.length).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(closed).toEqual([]);
  over.resolve(1);
  await expect.poll(() => answer).toBe(`${JSON.stringify({ id: 7, ok: true, value: 1 })}\n`);
});

const ALL = LIMITS.socketConnections + LIMITS.socketNewcomers;

test("whoever holds all connections and asks nothing keeps nobody out; the one that was silent longest gives way", async () => {
  const { closed, openAll, path } = await serving();
  const silent = await openAll(ALL);
  let said = "";
  silent[0]?.on("data", (chunk) => {
    said += String(chunk);
  });
  await using honest = await HostConnection.open(path);
  expect(await honest.request("status")).toBe(ALL + 1);
  await expect.poll(() => closed).toEqual([1]);
  expect(JSON.parse(said)).toMatchObject({ id: null, ok: false, error: { code: "FEMTO_OVERLOADED" } });
  for (const socket of silent) socket.destroy();
});

test("where all have asked, and wait, whoever comes next has a turn among the newcomers, and the others keep their place", async () => {
  const { asked, closed, openAll, path } = await serving();
  const there = await openAll(ALL);
  for (const socket of there) socket.write(line(0));
  await expect.poll(() => asked.length).toBe(ALL);
  await expect
    .poll(async () => {
      await using connection = await HostConnection.open(path);
      return await connection.request("status").catch((error: unknown) => error);
    })
    .toBe(ALL + 1);
  // It left for the one that came; those before it are there, and are answered.
  await expect.poll(() => closed).toEqual([LIMITS.socketConnections + 1, ALL + 1]);
  there[0]?.write(line(0));
  await expect.poll(() => asked.length).toBe(ALL + 2);
  for (const socket of there) socket.destroy();
});

describe("places", () => {
  function placesOf(count: number) {
    const [left, clock] = [[] as number[], { now: 0 }];
    const client = (id: number) => ({ id, hasAsked: true });
    const places = new SocketPlaces<ReturnType<typeof client>>(
      ({ id }) => left.push(id),
      () => clock.now,
    );
    const come = (id: number) => {
      const one = client(id);
      const hasRoom = places.hasRoom();
      if (hasRoom) places.add(one);
      return hasRoom ? one : null;
    };
    const clients = Array.from({ length: count }, (_, id) => come(id));
    return { clients, come, places, left, clock };
  }

  test("a newcomer has its time, whoever comes, and leaves then for the next one alone", () => {
    const { come, left, clock } = placesOf(ALL);
    expect(come(1_000)).toBeNull();
    clock.now = 1_999;
    for (let id = 0; id < 1_000; id += 1) expect(come(id)).toBeNull();
    expect(left).toEqual([]);
    clock.now = 2_000;
    expect(Array.from({ length: 40 }, (_, id) => come(1_000 + id)).filter((one) => one !== null)).toHaveLength(
      LIMITS.socketNewcomers,
    );
    // No one of those with a place to keep.
    expect(left).toEqual(Array.from({ length: LIMITS.socketNewcomers }, (_, id) => LIMITS.socketConnections + id));
  });

  test("the newcomer that was there longest keeps its place once another one is left", () => {
    const { clients, come, places, left, clock } = placesOf(ALL);
    const [first] = clients;
    if (first != null) places.remove(first);
    clock.now = 2_000;
    for (let id = 0; id < 40; id += 1) come(1_000 + id);
    expect(left).not.toContain(LIMITS.socketConnections);
    expect(left).toContain(LIMITS.socketConnections + 1);
  });
});
