/** A store that forwards everything to another one. Subclasses override what they change. */
import type { CommitGroup, JournalStore, StoredObject, StoredRecord } from "./store.ts";

/** Has no state of its own. */
export class ForwardingStore implements JournalStore {
  readonly #store: JournalStore;

  constructor(store: JournalStore) {
    this.#store = store;
  }

  open(): Promise<{ readonly size: number }> {
    return this.#store.open();
  }

  append(group: CommitGroup): Promise<void> {
    return this.#store.append(group);
  }

  purge(): Promise<void> {
    return this.#store.purge();
  }

  read(fromSeq: number, toSeqExclusive: number): AsyncIterable<StoredRecord> {
    return this.#store.read(fromSeq, toSeqExclusive);
  }

  readBackwards(fromSeq: number, toSeqExclusive: number): AsyncIterable<StoredRecord> {
    return this.#store.readBackwards(fromSeq, toSeqExclusive);
  }

  locate(execution: string): Promise<readonly number[]> {
    return this.#store.locate(execution);
  }

  object(name: string): Promise<Uint8Array | null> {
    return this.#store.object(name);
  }

  objects(prefix: string): Promise<readonly string[]> {
    return this.#store.objects(prefix);
  }

  readObjects(prefix: string, from: string, limit: number): Promise<readonly StoredObject[]> {
    return this.#store.readObjects(prefix, from, limit);
  }

  firstObject(prefix: string, from: string): Promise<string | null> {
    return this.#store.firstObject(prefix, from);
  }

  lastObject(prefix: string): Promise<string | null> {
    return this.#store.lastObject(prefix);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
