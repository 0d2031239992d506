/** Being a witness: right answers, many at once, hostile clients, and nothing signed that is not kept. */
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  findCosignature,
  formatAddCheckpoint,
  parseVerifierKey,
  parseWitnessKey,
  REQUEST_CHARS_MAX,
  witnessKey,
} from "@femtoclaw/journal";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HttpWitness } from "../../src/witness/http-witness.ts";
import { WitnessLedger } from "../../src/witness/witness-ledger.ts";
import { WitnessServer } from "../../src/witness/witness-server.ts";
import { OfferedLog } from "./offered-log.ts";

let folder = "";
let log: OfferedLog;
let ledger: WitnessLedger;
let server: WitnessServer;

async function serve(): Promise<void> {
  const verifier = parseVerifierKey(await log.vkey());
  if (verifier === null) throw new Error("the log has a key");
  ledger = await WitnessLedger.open(join(folder, "witness"), [verifier]);
  server = await WitnessServer.listen(ledger, { host: "127.0.0.1", port: 0 }, () => undefined);
}

async function stop(): Promise<void> {
  await server[Symbol.asyncDispose]();
  await ledger[Symbol.asyncDispose]();
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "femtoclaw-serve-"));
  log = await (await OfferedLog.open()).grow(9);
  await serve();
});

afterEach(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Answered {
  readonly status: number;
  readonly body: string;
  readonly type: string | null;
}

async function post(body: string, path = "/add-checkpoint", method = "POST"): Promise<Answered> {
  const response = await fetch(`${server.url}${path}`, { method, ...(method === "POST" ? { body } : {}) });
  return { status: response.status, body: await response.text(), type: response.headers.get("content-type") };
}

/** The request for the newest checkpoint of a log. */
async function request(oldSize: number, from = log): Promise<string> {
  const { note, prove } = await from.offer();
  return formatAddCheckpoint({ oldSize, proof: await prove(oldSize), note });
}

const heldSize = async (): Promise<string> => (await post(await request(0))).body;

describe("a witness", () => {
  it("keeps no place for who says something now and then and never all of it", async () => {
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    socket.on("error", () => undefined).resume();
    socket.write("POST /add-checkpoint HTTP/1.1\r\nX-Slow: ");
    const drip = setInterval(() => socket.write("x"), 300);
    const late = new Promise((resolve) => setTimeout(() => resolve("still there"), 20_000));
    expect(await Promise.race([once(socket, "close").then(() => "gone"), late])).toBe("gone");
    clearInterval(drip);
  }, 30_000);

  it("cosigns what goes on, tells what it holds, and remembers over a restart", async () => {
    const first = await request(0);
    const taken = await post(first);
    const text = first.split("\n\n")[1] ?? "";
    const key = parseWitnessKey(witnessKey(ledger.signer)) ?? ledger.signer;
    expect(taken.status).toBe(200);
    expect(findCosignature(`${text}\n`, taken.body, key)?.timeS).toBeGreaterThan(1_700_000_000);
    await log.grow(300);
    expect(await post(await request(0))).toEqual({ status: 409, body: "10\n", type: "text/x.tlog.size" });
    await stop();
    await serve();
    expect(parseWitnessKey(witnessKey(ledger.signer))).toEqual(key);
    expect(await heldSize()).toBe("10\n");
    expect((await post(await request(10))).status).toBe(200);
    // The same again is no harm.
    expect((await post(await request(310))).status).toBe(200);
  });

  it("serves our own client, also after it forgot where it was", async () => {
    const witness = new HttpWitness("w", server.url, ledger.signer);
    expect(await witness.take(await log.offer())).toMatchObject({ taken: true });
    await log.grow(5);
    expect(await witness.take(await log.offer())).toMatchObject({ taken: true });
    expect(await witness.take(await log.offer())).toMatchObject({ taken: true });
  });

  it("takes one of two logs that grew apart from one copy", async () => {
    await post(await request(0));
    const copy = await log.copy();
    await Promise.all([log.grow(5, "here"), copy.grow(7, "there")]);
    const both = await Promise.all([post(await request(10)), post(await request(10, copy))]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    const loser = both[0]?.status === 409 ? log : copy;
    const answer = await new HttpWitness("w", server.url, ledger.signer).take(await (await loser.grow(50)).offer());
    expect(answer).toMatchObject({ taken: false, contradicts: true });
  });

  it("lets one of many requests from the same size win, and never goes back", async () => {
    await post(await request(0));
    const requests: string[] = [];
    for (let count = 0; count < 20; count += 1) requests.push(await request(10, await log.grow(1)));
    const answers = await Promise.all(requests.map((body) => post(body)));
    const won = answers.findIndex(({ status }) => status === 200);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(19);
    expect(await heldSize()).toBe(`${11 + won}\n`);
  });

  it("answers as the protocol says to what is wrong", async () => {
    const stranger = await OfferedLog.open();
    const right = await request(0);
    expect((await post("old 0\n")).status).toBe(400);
    expect((await post("")).status).toBe(400);
    expect((await post(right.replace("old 0", "old 11"))).status).toBe(400);
    expect((await post(await request(0, stranger))).status).toBe(404);
    const signature = right.trim().split(" ").at(-1) ?? "";
    const forged = Buffer.from(signature, "base64");
    forged[40] = (forged[40] ?? 0) ^ 1;
    expect((await post(right.replace(signature, forged.toString("base64")))).status).toBe(403);
    expect((await post(right.replace("old 0\n", `old 0\n${Buffer.alloc(32).toString("base64")}\n`))).status).toBe(422);
    expect((await post(right, "/other")).status).toBe(404);
    expect((await post("", "/add-checkpoint", "GET")).status).toBe(405);
    expect((await post("x".repeat(REQUEST_CHARS_MAX + 1))).status).toBe(413);
    // None of it was remembered: the first size is still to be offered, and is taken.
    expect((await post(right)).status).toBe(200);
  });

  it("takes a body that is too long no further, and answers others meanwhile", async () => {
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    const said: Buffer[] = [];
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => undefined).on("data", (chunk: Buffer) => said.push(chunk));
    socket.write("POST /add-checkpoint HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
    socket.write(chunk.repeat(2));
    expect((await post(await request(0))).status).toBe(200);
    await closed;
    expect(Buffer.concat(said).toString()).toContain("413 Payload Too Large");
  });

  it("refuses more requests in a second than it can judge", async () => {
    const statuses = new Set<number>();
    while (!statuses.has(429)) {
      // Few at once: connections that are closing count among those that it takes.
      for (const { status } of await Promise.all(Array.from({ length: 16 }, () => post("noise")))) statuses.add(status);
    }
    expect(statuses).toEqual(new Set([400, 429]));
  });

  it("keeps its key to itself, and its folder to one process", async () => {
    const mode = (path: string): number => statSync(join(folder, "witness", path)).mode & 0o777;
    expect([mode("."), mode("keys"), mode("keys/log.pem")]).toEqual([0o700, 0o700, 0o600]);
    await expect(WitnessLedger.open(join(folder, "witness"), [])).rejects.toMatchObject({
      code: "FEMTO_JOURNAL_LOCKED",
    });
  });
});
