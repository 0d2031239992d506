/** What the journal's tests share: entries, clocks that count, and a projector that remembers. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Clock,
  FileKeyring,
  type Journal,
  type JournalEntry,
  type Projector,
  type StoredRecord,
  systemClock,
} from "@femtoclaw/journal";
import type { MachineIdentities, TypedRecord } from "@femtoclaw/protocol";
import { expect, onTestFinished } from "vitest";

/** A clock that moves by one microsecond whenever somebody looks. */
export function countingClock(): Clock {
  let ticks = 0;
  return {
    nowUs: () => 1_700_000_000_000_000 + ticks,
    monotonicUs: () => {
      ticks += 1;
      return ticks;
    },
    after: systemClock().after,
  };
}

export function message(content: string, execution: string | null = null): JournalEntry {
  return { type: "message.recorded", session: "session-1", execution, body: { content } };
}

const MACHINE_IDS = ["lifecycle", "memory", "registry", "policy", "observability", "execution"] as const;

export function fill(journal: Journal, count: number): Promise<unknown> {
  return Promise.all(Array.from({ length: count }, (_, index) => journal.append(message(`m${index}`))));
}

/** What an error about damage looks like that says these words. */
export function corrupt(words: string) {
  return { code: "FEMTO_JOURNAL_CORRUPT", message: expect.stringContaining(words) as string };
}

/** Machines that nobody folds with here. */
export const MACHINES = Object.fromEntries(
  MACHINE_IDS.map((id) => [id, { id, version: "1", sha256: "0".repeat(64) }]),
) as unknown as MachineIdentities;

/** Counts what it sees, so that a snapshot proves which records came before it. */
export class CountingProjector implements Projector {
  seqs: number[] = [];

  apply(record: TypedRecord): void {
    this.seqs.push(record.seq);
  }

  snapshot(): ReturnType<Projector["snapshot"]> {
    const state = { applied: this.seqs.length, last: this.seqs.at(-1) ?? null };
    return { memory: { machine: "memory", version: "1.0.0", definition: null, state } };
  }
}

/** A folder for a journal; the folder of its keys stands beside it. */
export async function temporaryDirectory(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "femtoclaw-journal-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const name of ["journal", "keys"]) await mkdir(join(root, name), { mode: 0o700 });
  return join(root, "journal");
}

export function keyringBeside(directory: string): FileKeyring {
  return new FileKeyring(join(directory, "..", "keys"));
}

export async function recordsOf(journal: Journal): Promise<TypedRecord[]> {
  return await collect(journal.readFrom(0));
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** The stored bytes of every record, as comparable text. */
export async function storedTexts(records: AsyncIterable<StoredRecord>): Promise<string[]> {
  const stored = await collect(records);
  return stored.map(({ seq, bytes }) => `${seq} ${Buffer.from(bytes).toString("latin1")}`);
}
