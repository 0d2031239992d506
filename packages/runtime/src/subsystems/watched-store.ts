/**
 * Reports the beginning and the end of each commit, so that the memory machine's state reflects what the disk is doing.
 */
import { type CommitGroup, ForwardingStore, type JournalStore } from "@femtoclaw/journal/live";

interface CommitWatcher {
  onCommit(): void;
  onCommitted(): void;
}

export class WatchedStore extends ForwardingStore {
  readonly #watcher: CommitWatcher;

  constructor(store: JournalStore, watcher: CommitWatcher) {
    super(store);
    this.#watcher = watcher;
  }

  override async append(group: CommitGroup): Promise<void> {
    this.#watcher.onCommit();
    await super.append(group);
    this.#watcher.onCommitted();
  }
}
