/** Clients that would have a host hold more of them than it can: nothing is read, nothing is ended, and all at once. */
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { SocketServer } from "../src/endpoints/socket-server.ts";
import type { ConnectionHandlers } from "../src/endpoints/verb-handlers.ts";
import { Playground, proposal, RawConnection, toolCall } from "./playground.ts";

const MIB = 1024 * 1024;

async function serving(verbs: ConnectionHandlers["verbs"]) {
  const directory = mkdtempSync(join(tmpdir(), "femtoclaw-socket-"));
  const path = join(directory, "socket");
  const server = await SocketServer.listen(path, () => ({ verbs, onClosed: () => undefined }));
  const sockets: Socket[] = [];
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await server.close();
    rmSync(directory, { recursive: true });
  });
  return async (): Promise<Socket> => {
    const socket = connect(path).on("error", () => undefined);
    sockets.push(socket);
    await once(socket, "connect");
    return socket;
  };
}

/** Until nothing has changed for many turns of the loop. */
async function settled(look: () => number): Promise<number> {
  for (let [seen, turns] = [look(), 0]; ; turns += 1) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (look() !== seen) [seen, turns] = [look(), 0];
    if (turns > 200) return seen;
  }
}

test("lines without anything in them, of a client that reads nothing, are not cut before they are taken up", async () => {
  const open = await serving({});
  const clients = await Promise.all(Array.from({ length: 64 }, open));
  const before = process.memoryUsage().heapUsed;
  for (const client of clients) client.pause().write(Buffer.alloc(2 * MIB, "\n"));
  await settled(() => process.memoryUsage().external);
  // Each line that is cut takes more than a hundred bytes; a chunk holds 65,536 of them.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(160 * MIB);
});

test("requests under way have a share of memory, which none of many clients is without", async () => {
  const asked = new Map<unknown, number>();
  const answers: (() => void)[] = [];
  const hang = ({ client }: Readonly<Record<string, unknown>>): Promise<void> => {
    asked.set(client, (asked.get(client) ?? 0) + 1);
    return new Promise((resolve) => answers.push(resolve));
  };
  const open = await serving({ hang });
  const clients = await Promise.all(Array.from({ length: 24 }, open));
  const filler = "x".repeat(MIB);
  for (const [client, socket] of clients.entries()) {
    socket.resume();
    for (let id = 0; id < 8; id += 1) socket.write(`${JSON.stringify({ id, verb: "hang", client, filler })}\n`);
  }
  const taken = (): number => [...asked.values()].reduce((sum, count) => sum + count, 0);
  expect(await settled(taken)).toBeLessThanOrEqual(64 + clients.length);
  expect(asked.size).toBe(clients.length);
  // Who comes last, with little, is not behind any of them.
  const late = await open();
  for (let id = 0; id < 20; id += 1) late.write(`${JSON.stringify({ id, verb: "hang", client: "late" })}\n`);
  await expect.poll(() => asked.get("late")).toBe(20);
  // What waited is taken up as room comes, and none is lost.
  while (taken() < 8 * clients.length + 20 || answers.length > 0) {
    for (const answer of answers.splice(0)) answer();
    await new Promise(setImmediate);
  }
  expect([...asked.values()].filter((count) => count !== 8)).toEqual([20]);
});

test("answers that are as large as a result are made when those before them are read, and all of them then", async () => {
  let made = 0;
  const large = (_fields: unknown, _id: number, turns: { next<T>(make: () => Promise<T>): Promise<T> }) =>
    turns.next(async () => {
      made += 1;
      return "y".repeat(MIB);
    });
  const open = await serving({ large });
  const deaf = (await open()).pause();
  deaf.write(Array.from({ length: 100 }, (_, id) => `${JSON.stringify({ id, verb: "large" })}\n`).join(""));
  expect(await settled(() => made)).toBeLessThanOrEqual(10);
  const gone = (await open()).pause();
  gone.write(Array.from({ length: 100 }, (_, id) => `${JSON.stringify({ id, verb: "large" })}\n`).join(""));
  await expect.poll(() => made).toBeGreaterThan(8);
  const soFar = await settled(() => made);
  gone.destroy();
  // For whoever is gone nothing is made any more.
  expect((await settled(() => made)) - soFar).toBeLessThanOrEqual(1);
  let bytes = 0;
  deaf.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  deaf.resume();
  await expect.poll(() => bytes, { timeout: 30_000 }).toBeGreaterThan(100 * MIB);
});

test("results that nobody reads do not fill the memory of a host, and are all there for who reads them", async () => {
  await using place = new Playground();
  const { pid } = await place.up();
  const text = "z".repeat(900_000);
  place.write("p/out/large.txt", text);
  const { execution_id: execution } = await place.propose("fs_read", { path: "out/large.txt" });
  const before = memoryOf(pid);
  const waits = Array.from({ length: 1_024 }, (_, id) => `${JSON.stringify({ id, verb: "wait", execution })}\n`);
  const deaf: RawConnection[] = [];
  for (let count = 0; count < 12; count += 1) {
    const connection = await RawConnection.open(join(place.runtime, "agent.sock"));
    connection.socket.pause();
    connection.write(waits.join(""));
    deaf.push(connection);
  }
  // Proposals that were taken up are executed all the same, and their results wait in the journal.
  using proposing = await RawConnection.open(join(place.runtime, "agent.sock"));
  proposing.socket.pause();
  const read = toolCall("fs_read", { path: "out/large.txt" });
  for (let id = 0; id < 40; id += 1) proposing.write(`${JSON.stringify(proposal(id, read))}\n`);
  await expect.poll(async () => (await place.executions()).length, { timeout: 60_000 }).toBeGreaterThan(8);
  await settled(() => memoryOf(pid));
  // What is held is 128 MiB at the most, and garbage a few times that; without a bound it would be eleven thousand.
  expect(memoryOf(pid) - before).toBeLessThan(900 * MIB);
  proposing.socket.resume();
  const answers = await proposing.answers(40);
  expect(new Set(answers.map(({ id }) => id)).size).toBe(40);
  for (const { value } of answers) {
    expect(value).toMatchObject({ status: "completed", decision: "AUTHORIZED" });
    expect((value as { result: { content: string } }).result.content === text).toBe(true);
  }
  for (const connection of deaf) connection[Symbol.dispose]();
});

/** Resident bytes, as the kernel counts them. */
function memoryOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}
