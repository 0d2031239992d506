/** Tells of each commit as it begins and ends, so that the memory machine's state is what the disk is doing. */
import type { CommitGroup, JournalStore, StoredRecord } from "@femtoclaw/journal";

export interface CommitWatcher {
  onCommit(): void;
  onCommitted(): void;
}

export class WatchedStore implements JournalStore {
  readonly #store: JournalStore;
  readonly #watcher: CommitWatcher;

  constructor(store: JournalStore, watcher: CommitWatcher) {
    this.#store = store;
    this.#watcher = watcher;
  }

  async append(group: CommitGroup): Promise<void> {
    this.#watcher.onCommit();
    await this.#store.append(group);
    this.#watcher.onCommitted();
  }

  open(): Promise<{ readonly size: number }> {
    return this.#store.open();
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
