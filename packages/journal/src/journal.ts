/**
 * The only writer of a log. Records that arrive while a group is being written form the next group, so that one disk
 * sync serves all of them. A promise resolves only once its record is durable.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  errorText,
  FemtoError,
  LIMITS,
  MACHINE_OF,
  type Pruning,
  type RecordActor,
  type TypedRecord,
} from "@femtoclaw/protocol";
import { prepareGroup } from "./commit-group.ts";
import { CommitQueue, type QueuedItem, sealedBytes } from "./commit-queue.ts";
import { type OpenedLog, openLog } from "./journal-opening.ts";
import type { Appended, JournalEntry, JournalOptions, Projector } from "./journal-options.ts";
import { StoreReader } from "./journal-reader.ts";
import { KeyRotation } from "./keys/key-rotation.ts";
import { Listeners } from "./listeners.ts";
import type { DrawnCheckpoint, Notary } from "./notary.ts";
import { Frames } from "./records/frames.ts";
import { numberOfName, SNAPSHOTS } from "./records/object-name.ts";
import { assertReadable } from "./records/record.ts";
import type { ErasureRequest, PlannedRemoval } from "./retention/erasure.ts";
import { removalOf } from "./retention/pruning.ts";
import { Removals } from "./retention/removals.ts";
import { Salts } from "./sealing/commitments.ts";
import { type SealableEntry, seal } from "./sealing/seal.ts";
import type { JournalStore } from "./store/store.ts";
import type { TileTree } from "./tree/tiles.ts";

/**
 * The journal of a running host. Every acknowledged append is durable; if that cannot be achieved, the journal as a
 * whole fails. The methods of `LogReader` read it.
 */
export class Journal extends StoreReader {
  /** Name of the log, as it stands in its checkpoints and public keys. */
  readonly origin: string;
  readonly #store: JournalStore;
  readonly #frames: Frames;
  readonly #salts: Salts;
  readonly #keepsValues: () => boolean;
  readonly #projector: Projector | undefined;
  readonly #onNumbered: ((record: TypedRecord) => void) | undefined;
  readonly #snapshotEvery: number;
  readonly #queue = new CommitQueue();
  readonly #tree: TileTree;
  readonly #notary: Notary;
  readonly #rotation: KeyRotation;
  readonly #removals: Removals;
  readonly #onCommitted = new Listeners<readonly TypedRecord[]>("a listener to committed records");
  readonly #onCheckpoint = new Listeners<string>("a listener to checkpoints");
  readonly #onFailed = new Listeners<FemtoError>("the listener to the journal's failure");
  #state: "open" | "closing" | "failed" = "open";
  #nextSeq: number;
  #sinceSnapshot = 0;
  #flushing: Promise<void> | null = null;
  #closed: Promise<void> | null = null;

  private constructor(options: JournalOptions, frames: Frames, log: OpenedLog) {
    super(options.store, log.tree.size);
    this.origin = log.origin;
    this.#store = options.store;
    this.#frames = frames;
    this.#keepsValues = options.keepsValues ?? (() => true);
    this.#salts = new Salts(options.randomBytes ?? randomBytes);
    this.#projector = options.projector;
    this.#onNumbered = options.onNumbered;
    this.#snapshotEvery = options.snapshotEveryRecords ?? LIMITS.snapshotEveryRecords;
    if (options.onFailed !== undefined) this.#onFailed.add(options.onFailed);
    this.#tree = log.tree;
    this.#notary = log.notary;
    this.#nextSeq = log.tree.size;
    this.#rotation = new KeyRotation({
      origin: log.origin,
      keyring: options.keyring,
      notary: log.notary,
      assertOpen: () => this.#assertOpen(),
      append: (entry, onDurable) =>
        new Promise((resolve, reject) => {
          const durable = (): void => {
            onDurable();
            resolve();
          };
          this.#enqueue(entry, durable, reject);
        }),
      checkpoint: () => this.checkpoint(),
    });
    this.#removals = new Removals({
      store: options.store,
      append: ({ entry, ...removed }) =>
        new Promise((resolve, reject) => this.#enqueue(entry, resolve, reject, removed)),
      checkpoint: () => this.checkpoint(),
    });
  }

  /**
   * Opens the store and makes the checks whose time does not grow with its size. An empty store gets its first record,
   * so that a journal always has a name and a key.
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const { store, boot, clock, machines } = options;
    const { size } = await store.open();
    try {
      const frames = new Frames(boot, clock, machines);
      const log = await openLog({ ...options, size, frames });
      const journal = new Journal(options, frames, log);
      const covered = numberOfName((await store.lastObject(SNAPSHOTS)) ?? "") ?? -1;
      journal.#sinceSnapshot = journal.size - 1 - covered;
      if (log.rotating) await journal.#rotation.finish();
      journal.#notary.arm(journal.#tree, () => journal.#arm());
      return journal;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /**
   * Resolves once the record is durable. The caller must not change `body` any more. Rejecting with
   * FEMTO_JOURNAL_OVERLOADED or FEMTO_JOURNAL_RECORD_TOO_LARGE does not harm the journal.
   */
  append(entry: JournalEntry): Promise<Appended> {
    // An exception thrown in here rejects the promise.
    return new Promise((resolve, reject) => this.#enqueue(entry, resolve, reject));
  }

  /** Saves the state of the actors now. Resolves with the number of the last record that the snapshot covers. */
  snapshot(): Promise<number> {
    assert(this.#projector !== undefined, "a snapshot needs a projector");
    return new Promise((resolve, reject) => {
      this.#assertOpen();
      const covered = this.#nextSeq - 1;
      this.#queue.assertRoom(0);
      this.#pushSnapshot(() => resolve(covered), reject);
      this.#arm();
    });
  }

  /** Resolves with a stored, signed note over at least all records that were appended before. */
  checkpoint(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#assertOpen();
      this.#queue.assertRoom(0);
      this.#queue.push({ kind: "checkpoint", resolve: () => this.#notary.request({ resolve, reject }), reject });
      this.#arm();
    });
  }

  /**
   * Puts a new signing key in force and destroys the old one. Resolves with the new public key as `name+id+key`. After
   * a crash at any point, the next opening finishes the rotation or finds that it never began.
   */
  rotateKey(): Promise<string> {
    return this.#rotation.rotate();
  }

  /**
   * Erases values that a record commits to. Resolves with the record of the erasure once no file of the store holds the
   * values any more. A crash leaves either the values and no such record, or the record and no values.
   */
  erase(request: ErasureRequest): Promise<Appended> {
    return this.#removals.inTurn(async () => {
      const { planErasure } = await import("./retention/erasure.ts");
      return await planErasure(this, request);
    });
  }

  /** Drops the oldest records as planned, for good. A snapshot and a checkpoint above the boundary are made first. */
  prune(pruning: Pruning, actor: RecordActor): Promise<Appended> {
    return this.#removals.inTurn(async () => {
      await this.snapshot();
      await this.checkpoint();
      return await removalOf(this, this.#store, pruning, actor);
    });
  }

  /**
   * Calls the listener with durable records, in order; the returned function removes it. If a listener throws, a
   * warning is emitted.
   */
  onCommitted(listener: (records: readonly TypedRecord[]) => void): () => void {
    return this.#onCommitted.add(listener);
  }

  /** Calls the listener with each signed note once it is stored. */
  onCheckpoint(listener: (note: string) => void): () => void {
    return this.#onCheckpoint.add(listener);
  }

  /** Writes and signs what is waiting, then closes the store. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    if (this.#state === "open") {
      this.#state = "closing";
      this.#notary.stop();
      this.#notary.demand();
      this.#arm();
    }
    await this.#flushing;
    await this.#store.close();
  }

  #enqueue(
    entry: SealableEntry,
    resolve: (appended: Appended) => void,
    reject: (error: FemtoError) => void,
    { removal, also = [] }: Partial<Omit<PlannedRemoval, "entry">> = {},
  ): void {
    this.#assertOpen();
    const sealed = seal(this.#frames.of(this.#nextSeq, MACHINE_OF[entry.type]), entry, {
      salts: this.#salts,
      keepsValues: this.#keepsValues(),
    });
    const { record, bytes } = sealed;
    assertReadable(record);
    const size = sealedBytes(sealed);
    this.#queue.assertRoom(size, entry.type);
    this.#nextSeq += 1;
    const blobs = also.length === 0 ? sealed.blobs : [...sealed.blobs, ...also];
    const durable = (): void => resolve({ seq: record.seq, record, bytes: size });
    this.#queue.push({ kind: "record", record, bytes, blobs, removal, resolve: durable, reject });
    this.#onNumbered?.(record);
    this.#sinceSnapshot += 1;
    if (this.#projector !== undefined && this.#sinceSnapshot >= this.#snapshotEvery) this.#pushSnapshot(ignore, ignore);
    this.#arm();
  }

  #assertOpen(): void {
    if (this.#state !== "open") throw new FemtoError("FEMTO_JOURNAL_CLOSED", `the journal is ${this.#state}`);
  }

  #pushSnapshot(resolve: () => void, reject: (error: FemtoError) => void): void {
    this.#queue.push({ kind: "snapshot", frame: this.#frames.of(this.#nextSeq, "memory"), resolve, reject });
    this.#nextSeq += 1;
    this.#sinceSnapshot = 1;
  }

  #arm(): void {
    this.#flushing ??= new Promise((resolve) => {
      setImmediate(() => resolve(this.#flush()));
    });
  }

  async #flush(): Promise<void> {
    while (this.#queue.length > 0 || this.#notary.pressing) {
      const items = this.#queue.take();
      let drawn: DrawnCheckpoint | null = null;
      try {
        // INVARIANT: what is signed here is durable, because the tree grows only with the group that follows.
        drawn = this.#notary.draw(this.#tree);
        await this.#write(items, drawn);
      } catch (error) {
        this.#fail([...items, ...(drawn?.waiting ?? [])], error);
      }
      // Callers that this group released may join the next one: their outcomes do not have to wait for a sync that
      // began without them.
      if (this.#queue.length > 0) await nextTurn();
    }
    this.#flushing = null;
    if (this.#state === "open") this.#notary.arm(this.#tree, () => this.#arm());
  }

  async #write(items: readonly QueuedItem[], drawn: DrawnCheckpoint | null): Promise<void> {
    const also = drawn === null ? [] : [drawn.object];
    const { records, commit } = prepareGroup(items, this.#tree, this.#projector, also);
    if (commit.records.length + commit.objects.length > 0) await this.#store.append(commit);
    this.grow(records.length);
    if (drawn !== null) {
      this.#notary.stored(drawn);
      this.#onCheckpoint.tell(drawn.checkpoint.note);
    }
    for (const item of items) item.resolve();
    if (records.length > 0) this.#onCommitted.tell(records);
  }

  /**
   * INVARIANT: after a failure that the store could not repair, nothing is written any more. The failed group may or
   * may not be on the disk, so a later record could follow one that was never reported to anyone.
   */
  #fail(waiting: readonly { reject(error: FemtoError): void }[], cause: unknown): void {
    this.#state = "failed";
    const error = new FemtoError("FEMTO_JOURNAL_WRITE_FAILED", errorText(cause), { cause });
    for (const item of [...waiting, ...this.#queue.takeAll()]) item.reject(error);
    this.#notary.fail(error);
    this.#onFailed.tell(error);
  }
}

/** Nobody waits for a snapshot that falls due by itself. If it fails, the records beside it are rejected. */
function ignore(): void {}
