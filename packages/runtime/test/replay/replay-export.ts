/**
 * Replays an export in a process of its own: `node replay-export.ts FOLDER SEED`. Prints the root and the states
 * as one line. With a seed, the keys of every record and snapshot stand in an order that it picks.
 */
import { TilesReader, TilesSource, verifyLog } from "@femtoclaw/journal";
import { type FoldedLog, recompute, replay } from "@femtoclaw/runtime";

const [, , folder = "", seed = ""] = process.argv;
const { root, verdict } = await verifyLog({ source: new TilesSource(folder) });
const reader = await TilesReader.open(folder);
const { projection, snapshotsEqual } = await replay(seed === "" ? reader : shuffledLog(reader, Number(seed)));
// Digests are over bytes, so that they can be compared only where keys stand as they were written.
const recomputed = seed === "" ? (await recompute(reader)).verdict : null;
const moment = new Date(0);
const surroundings = {
  zone: moment.getTimezoneOffset(),
  number: (1234.5).toLocaleString(),
  date: moment.toLocaleString(),
};
const states = inOrder(projection.snapshot());
process.stdout.write(`${JSON.stringify({ root, verdict, snapshotsEqual, recomputed, states, surroundings })}\n`);

function shuffledLog(log: TilesReader, from: number): FoldedLog {
  const shuffle = shuffler(from);
  return {
    size: log.size,
    read: async function* (first, end) {
      for await (const record of log.read(first, end)) yield shuffle(record);
    },
    prunedBefore: () => log.prunedBefore(),
    oldestSnapshot: () => log.oldestSnapshot(),
    snapshots: () => log.snapshots(),
    snapshotAt: async (seq) => shuffle(await log.snapshotAt(seq)),
  };
}

/** Copies a value with the keys of each object in another order. */
function shuffler(from: number): <T>(value: T) => T {
  let state = from;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
  const copy = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(copy);
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map((entry) => ({ entry, place: next() }));
    entries.sort((left, right) => left.place - right.place);
    return Object.fromEntries(entries.map(({ entry: [name, inner] }) => [name, copy(inner)]));
  };
  return (value) => copy(value) as typeof value;
}

/** The same value with sorted keys, so that equal states are equal texts. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [name, inOrder((value as Record<string, unknown>)[name])]));
}
