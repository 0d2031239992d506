/** A witness that is killed at any moment: what it signed, it kept. */
import { once } from "node:events";
import { formatAddCheckpoint } from "@femtoclaw/journal";
import { afterAll, expect, test } from "vitest";
import { Playground } from "../playground.ts";
import { OfferedLog } from "./offered-log.ts";

const ROUNDS = 12;
/** Pause between two requests, so that the witness's limit on their rate is not what is tried out. */
const PAUSE_MS = 11;

const place = new Playground();

afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

interface Ready {
  readonly url: string;
  readonly vkey: string;
}

async function serve(vkey: string) {
  const args = ["--json", "audit", "witness", "serve", "--dir", `${place.root}/w`, "--listen", "127.0.0.1:0"];
  const child = place.spawn([...args, "--log", vkey]);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const ready = JSON.parse(line.toString()) as Ready;
  const kill = async (): Promise<void> => {
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
  };
  return { ready, kill };
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test("holds at least what it signed after every kill, and goes on from there", async () => {
  const log = await OfferedLog.open();
  const ask = async (url: string, oldSize: number): Promise<{ status: number; body: string }> => {
    const { note, prove } = await log.offer();
    const body = formatAddCheckpoint({ oldSize, proof: await prove(oldSize), note });
    const response = await fetch(`${url}/add-checkpoint`, { method: "POST", body });
    return { status: response.status, body: await response.text() };
  };
  let signed = 0;
  let sent = 0;
  const keys = new Set<string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const { ready, kill } = await serve(await log.vkey());
    keys.add(ready.vkey);
    await log.grow(1);
    const { status, body } = await ask(ready.url, 0);
    let held = status === 200 ? log.journal.size : Number(body);
    expect(held).toBeGreaterThanOrEqual(signed);
    expect(held).toBeLessThanOrEqual(Math.max(sent, log.journal.size));
    let killed: Promise<void> | null = null;
    try {
      for (;;) {
        await log.grow(1);
        sent = log.journal.size;
        const answer = await ask(ready.url, held);
        expect(answer.status).toBe(200);
        signed = sent;
        held = sent;
        // It has signed at least once, however slow it is.
        killed ??= sleep(Math.random() * 200).then(kill);
        await sleep(PAUSE_MS);
      }
    } catch (error) {
      // The connection ends with the witness.
      if (!(error instanceof TypeError)) throw error;
    }
    await killed;
  }
  expect(signed).toBeGreaterThan(ROUNDS);
  expect(keys.size).toBe(1);
});
