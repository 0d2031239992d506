/** What each check of a journal store is given, and the helpers that all of them use. */
import assert from "node:assert/strict";
import type { CommitGroup, IndexEntry, JournalStore, StoredObject, StoredRecord } from "@femtoclaw/journal";

/**
 * How storage fails: an I/O error or a full disk that leaves nothing of the group, a group that is durable although its
 * write failed, a lock that somebody else took over, or a sync that takes its time.
 */
export type StorageFault = "EIO" | "ENOSPC" | "unanswered" | "lock" | "slow";

export interface Run {
  readonly store: JournalStore;
  /** Closes the store and opens another over the same storage. */
  reopen(): Promise<{ readonly store: JournalStore; readonly size: number }>;
  /** A second store over the same storage, not open yet. */
  rival(): JournalStore;
  inject(fault: StorageFault): () => void;
}

export type Check = (run: Run) => Promise<void>;

export const named = (name: string): StoredObject => ({ name, bytes: text(name) });

export function group(
  expectedSize: number,
  records: readonly Uint8Array[],
  index: readonly IndexEntry[] = [],
  objects: readonly StoredObject[] = [],
): CommitGroup {
  return { expectedSize, records, index, objects };
}

export async function appendNumbered(store: JournalStore, groupSizes: readonly number[]): Promise<number> {
  let size = 0;
  for (const groupSize of groupSizes) {
    await store.append(
      group(
        size,
        numbers(size, size + groupSize)
          .map(String)
          .map(text),
      ),
    );
    size += groupSize;
  }
  return size;
}

/** Comparable with what any store returns: a plain `Uint8Array` and a `Buffer` are not equal to `assert`. */
export async function collect(records: AsyncIterable<StoredRecord>): Promise<StoredRecord[]> {
  const found: StoredRecord[] = [];
  for await (const { seq, bytes } of records) found.push({ seq, bytes: Buffer.from(bytes) });
  return found;
}

export async function numbered(records: AsyncIterable<StoredRecord>): Promise<number[]> {
  return (await collect(records)).map(({ seq, bytes }) => {
    assert.equal(Buffer.from(bytes).toString(), String(seq));
    return seq;
  });
}

export const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, offset) => from + offset);
export const text = (content: string): Buffer => Buffer.from(content);

export async function refuses(work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error: unknown) => error instanceof Error && "code" in error);
}
