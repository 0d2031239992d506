/**
 * A host under load whose collector goes away twice, and which is killed once in between. What the journal holds in
 * the end is held to what a strict decoder got: a span for each execution, a line for each denial, and no other.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { TilesReader } from "@femtoclaw/journal";
import type { TypedRecord } from "@femtoclaw/protocol";
import { freePort, Receiver } from "../../../telemetry/test/receiver.ts";
import { CONFIGURATION, type Host, Playground, toolCall } from "../playground.ts";

const CALLERS = 24;
/** Calls of one session that are denied, and so a line each; a session of which more are is halted. */
const DENIED_MAX = 100;

export interface OutageReport {
  readonly executions: number;
  readonly denied: number;
  /** Spans and lines that arrived, those that came twice among them. */
  readonly spans: number;
  readonly lines: number;
  readonly twice: number;
  /** What the collector counted in the end, by the metric. */
  readonly counted: number;
}

/** Rejects where something is missing, strange, or there twice and not the same. */
export async function outages({ executions }: { readonly executions: number }): Promise<OutageReport> {
  const port = await freePort();
  await using place = new Playground(`${CONFIGURATION}[observability]\notlp = "http://127.0.0.1:${port}"\n`);
  const collected = new Collected();
  const part = Math.ceil(executions / 5);
  let receiver = await Receiver.open(port);
  let host = await place.up();
  await load(place, part);
  // The first outage begins under load: what is under way is cut off.
  const first = load(place, part);
  await collected.takeOver(receiver);
  await first;
  receiver = await Receiver.open(port);
  // The kill is under load too.
  const cut = load(place, part).catch(() => undefined);
  await waitFor(() => receiver.spans.length > 0);
  host.kill("SIGKILL");
  await host.ended;
  await cut;
  // The second outage is over a start.
  await collected.takeOver(receiver);
  host = await place.up();
  await load(place, part);
  receiver = await Receiver.open(port);
  await load(place, part);
  await settled(place);
  // A host that ends in order says at last what it has come to.
  await stop(host);
  const counted = receiver.metric("femtoclaw.executions") ?? 0;
  await collected.takeOver(receiver);
  return collected.judge(await recordsOf(place), counted);
}

async function stop(host: Host): Promise<void> {
  host.kill("SIGTERM");
  assert.equal(await host.ended, 0);
}

async function load(place: Playground, calls: number): Promise<void> {
  await using client = await place.agent();
  const deniedEvery = Math.max(10, Math.ceil(calls / DENIED_MAX));
  let left = calls;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const path = left % deniedEvery === 0 ? "secrets/token.txt" : "notes.txt";
      await client.propose(Buffer.from(JSON.stringify(toolCall("fs_read", { path }))));
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

/** Until the host says that everything was sent. */
async function settled(place: Playground): Promise<void> {
  await waitFor(async () => {
    const { value } = await place.json<{ signals: { lag: number | null; problem: string | null }[] }>(["status"]);
    return value.signals.every(({ lag, problem }) => problem === null && (lag === null || lag < 1));
  });
}

async function waitFor(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 200));
}

async function recordsOf(place: Playground): Promise<TypedRecord[]> {
  const out = join(place.root, "tiles");
  const { code, stderr } = await place.run(["audit", "export", "--format", "tiles", "--out", out]);
  assert.equal(code, 0, stderr);
  await using reader = await TilesReader.open(out);
  const records: TypedRecord[] = [];
  for await (const record of reader.read(0, reader.size)) records.push(record);
  return records;
}

class Collected {
  readonly #spans: Receiver["spans"][number][] = [];
  readonly #lines: Receiver["logs"][number][] = [];

  /** Ends the receiver, in the middle of whatever it does. */
  async takeOver(receiver: Receiver): Promise<void> {
    await receiver[Symbol.asyncDispose]();
    assert.deepEqual(receiver.faults, [], "the decoder objects to nothing");
    this.#spans.push(...receiver.spans);
    this.#lines.push(...receiver.logs);
  }

  judge(records: readonly TypedRecord[], counted: number): OutageReport {
    const ended = records.filter(({ type }) =>
      ["execution.outcome", "execution.refused", "execution.interrupted"].includes(type),
    );
    const denied = ended.filter(({ type }) => type === "execution.refused");
    const spans = bySeq(this.#spans);
    const lines = bySeq(this.#lines);
    const missing = ended.filter(({ seq }) => spans.get(seq) === undefined).map(({ seq }) => seq);
    assert.deepEqual(missing, [], "no execution is without a span");
    assert.deepEqual(
      denied.filter(({ seq }) => lines.get(seq) === undefined),
      [],
      "no denial is without a line",
    );
    for (const { seq, execution } of ended) {
      assert.equal(
        spans.get(seq)?.attributes["gen_ai.tool.call.id"],
        execution,
        `the span of record ${seq} is its own`,
      );
      if (lines.has(seq)) assert.equal(lines.get(seq)?.spanId, spans.get(seq)?.spanId, "a line belongs to its span");
    }
    const ids = new Set([...spans.values()].map(({ traceId, spanId }) => `${traceId}/${spanId}`));
    assert.equal(ids.size, spans.size, "no two records share an identifier");
    return {
      executions: ended.length,
      denied: denied.length,
      spans: this.#spans.length,
      lines: this.#lines.length,
      twice: this.#spans.length - spans.size,
      counted,
    };
  }
}

/** By the record; what came twice has to be the same. */
function bySeq<T extends { readonly attributes: Readonly<Record<string, unknown>> }>(
  items: readonly T[],
): Map<number, T> {
  const found = new Map<number, T>();
  for (const item of items) {
    const seq = Number(item.attributes["femtoclaw.record.seq"]);
    const before = found.get(seq);
    if (before !== undefined) assert.deepEqual(item, before, `record ${seq} was told in two ways`);
    found.set(seq, item);
  }
  return found;
}
