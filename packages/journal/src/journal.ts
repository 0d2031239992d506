/**
 * The one writer. Records that arrive while a group is being written form the next one, so that one
 * sync of the disk serves all that wait, and every promise resolves only once its record is durable.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  errorText,
  FemtoError,
  LIMITS,
  MACHINE_OF,
  type MachineId,
  type MachineIdentities,
  type MachineIdentity,
  RECORD_FORMAT,
  type RecordActor,
  type RecordEntry,
  type TypedRecord,
} from "@femtoclaw/protocol";
import type { Clock } from "./clock.ts";
import { prepareGroup } from "./commit-group.ts";
import { CommitQueue, type QueuedItem, type RecordFrame, sealedBytes } from "./commit-queue.ts";
import { type OpenedLog, openLog } from "./journal-opening.ts";
import type { Appended, JournalEntry, JournalOptions, Projector } from "./journal-options.ts";
import { StoreReader } from "./journal-reader.ts";
import type { Keyring } from "./keys/keyring.ts";
import type { DrawnCheckpoint, Notary } from "./notary.ts";
import { numberOfName, SNAPSHOTS } from "./records/object-name.ts";
import { UtcFormat } from "./records/record.ts";
import { type ErasureRequest, type PlannedRemoval, planErasure } from "./retention/erasure.ts";
import { type Pruning, removalOf } from "./retention/pruning.ts";
import { Salts } from "./sealing/commitments.ts";
import { type SealableEntry, seal } from "./sealing/seal.ts";
import type { JournalStore } from "./store/store.ts";
import { noteSigner, verifierKey } from "./tree/signed-note.ts";
import type { TileTree } from "./tree/tiles.ts";

type Listener<T> = (news: T) => void;

/**
 * The journal that a running host writes: what is appended is durable, or the journal fails as a whole. What reads it
 * are the methods of `LogReader`.
 */
export class Journal extends StoreReader {
  /** Name of the log, which its checkpoints and public keys carry. */
  readonly origin: string;
  readonly #store: JournalStore;
  readonly #keyring: Keyring;
  readonly #boot: string;
  readonly #clock: Clock;
  readonly #machines: MachineIdentities;
  readonly #salts: Salts;
  readonly #keepsValues: () => boolean;
  readonly #utc = new UtcFormat();
  readonly #projector: Projector | undefined;
  readonly #onNumbered: ((record: TypedRecord) => void) | undefined;
  readonly #snapshotEvery: number;
  readonly #onFailed: ((error: FemtoError) => void) | undefined;
  readonly #queue = new CommitQueue();
  readonly #tree: TileTree;
  readonly #notary: Notary;
  readonly #committedListeners = new Set<Listener<readonly TypedRecord[]>>();
  readonly #checkpointListeners = new Set<Listener<string>>();
  #state: "open" | "closing" | "failed" = "open";
  #nextSeq: number;
  #sinceSnapshot = 0;
  #flushing: Promise<void> | null = null;
  #rotating: Promise<string> | null = null;
  /** Settles when what is taken out last is gone, or stays. */
  #removing: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | null = null;

  private constructor(options: JournalOptions, log: OpenedLog) {
    super(options.store, log.tree.size);
    this.origin = log.origin;
    this.#store = options.store;
    this.#keyring = options.keyring;
    this.#boot = options.boot;
    this.#clock = options.clock;
    this.#machines = options.machines;
    this.#keepsValues = options.keepsValues ?? (() => true);
    this.#salts = new Salts(options.randomBytes ?? randomBytes);
    this.#projector = options.projector;
    this.#onNumbered = options.onNumbered;
    this.#snapshotEvery = options.snapshotEveryRecords ?? LIMITS.snapshotEveryRecords;
    this.#onFailed = options.onFailed;
    this.#tree = log.tree;
    this.#notary = log.notary;
    this.#nextSeq = log.tree.size;
  }

  /**
   * Opens the store and checks what can be checked in a time that does not grow with it. An empty
   * store gets its first record, so that a journal is never without its name and key.
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const { store, boot, clock, machines } = options;
    const { size } = await store.open();
    try {
      const frame = (seq: number): RecordFrame => frameOf(seq, boot, clock, new UtcFormat(), machines.memory);
      const log = await openLog({ ...options, size, frame });
      const journal = new Journal(options, log);
      const covered = numberOfName((await store.lastObject(SNAPSHOTS)) ?? "") ?? -1;
      journal.#sinceSnapshot = journal.size - 1 - covered;
      if (log.rotating) await journal.#finishRotation();
      journal.#notary.arm(journal.#tree, () => journal.#arm());
      return journal;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /**
   * Resolves once the record is durable; the caller leaves `body` unchanged from then on. Rejects with
   * FEMTO_JOURNAL_OVERLOADED or FEMTO_JOURNAL_RECORD_TOO_LARGE without harm to the journal.
   */
  append(entry: JournalEntry): Promise<Appended> {
    // What is thrown here rejects the promise.
    return new Promise((resolve, reject) => this.#enqueue(entry, resolve, reject));
  }

  /** Saves the state of the actors now. Resolves with the last record covered. */
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

  /** Resolves with a signed note over at least all records that were appended before, once it is stored. */
  checkpoint(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#assertOpen();
      this.#queue.assertRoom(0);
      this.#queue.push({ kind: "checkpoint", resolve: () => this.#notary.request({ resolve, reject }), reject });
      this.#arm();
    });
  }

  /**
   * Lets a new key sign from here on and destroys the old one; resolves with the new public key. After
   * a crash at any point the next opening finishes it, or finds that it never began.
   */
  rotateKey(): Promise<string> {
    this.#rotating ??= this.#rotate().finally(() => {
      this.#rotating = null;
    });
    return this.#rotating;
  }

  /**
   * Erases values that a record commits to. Resolves once they lie in no file of the store any more;
   * a crash leaves them with no record of it, or takes them with one.
   */
  erase(request: ErasureRequest): Promise<Appended> {
    return this.#removeInTurn(() => planErasure(this, request));
  }

  /** Drops the oldest records as planned, for good. A snapshot and a checkpoint above the boundary are made first. */
  prune(pruning: Pruning, actor: RecordActor): Promise<Appended> {
    return this.#removeInTurn(async () => {
      await this.snapshot();
      await this.checkpoint();
      return await removalOf(this, this.#store, pruning, actor);
    });
  }

  /** Hears of durable records in order; returns what ends it. A listener that throws is told of in a warning. */
  onCommitted(listener: Listener<readonly TypedRecord[]>): () => void {
    return subscribe(this.#committedListeners, listener);
  }

  /** Hears of each signed note once it is stored. */
  onCheckpoint(listener: Listener<string>): () => void {
    return subscribe(this.#checkpointListeners, listener);
  }

  /** Writes what waits, signs it, then gives up the store. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    if (this.#state === "open") this.#state = "closing";
    this.#notary.stop();
    await this.#flushing;
    if (this.#state === "closing") {
      this.#notary.demand();
      this.#arm();
      await this.#flushing;
    }
    await this.#store.close();
  }

  async #rotate(): Promise<string> {
    this.#assertOpen();
    // Preparing another key would destroy one that a record has put in force and the disk kept from its place.
    if (this.#notary.isRotating) await this.#finishRotation();
    const before = this.#notary.signer;
    const next = noteSigner(this.origin, await this.#keyring.prepare());
    const body = { vkey: verifierKey(next), retired_vkey: verifierKey(before) };
    const entry: RecordEntry = { type: "key.rotated", session: null, execution: null, body };
    await new Promise<void>((resolve, reject) => {
      const recorded = (): void => {
        // Nothing is signed between the commit and this: both keys sign from the first size that covers the record.
        this.#notary.follow(next);
        resolve();
      };
      this.#enqueue(entry, recorded, reject);
    });
    await this.#finishRotation();
    return body.vkey;
  }

  /** INVARIANT: the old key is destroyed only after the note that both keys signed is durable. */
  async #finishRotation(): Promise<void> {
    await this.checkpoint();
    const current = await this.#keyring.current();
    const vkey = current === null ? null : verifierKey(noteSigner(this.origin, current));
    // What was cut off after the new key had taken its place has only the tidying left.
    if (vkey === verifierKey(this.#notary.signer)) await this.#keyring.discard();
    else await this.#keyring.install();
    this.#notary.retire();
  }

  /**
   * INVARIANT: I7: nothing else is taken out between what is found to be there and the record that tells of
   * it: of two records that tell of the same value one is wrong, and a boundary would move back.
   */
  #removeInTurn(plan: () => Promise<PlannedRemoval>): Promise<Appended> {
    const removal = this.#removing.then(async () => this.#remove(await plan()));
    this.#removing = removal.catch(() => undefined);
    return removal;
  }

  async #remove({ entry, ...taken }: PlannedRemoval): Promise<Appended> {
    const appended = await new Promise<Appended>((resolve, reject) => this.#enqueue(entry, resolve, reject, taken));
    await this.#purge();
    return appended;
  }

  async #purge(): Promise<void> {
    try {
      await this.#store.purge();
    } catch (error) {
      if (!(error instanceof FemtoError && error.code === "FEMTO_DISK_FULL")) throw error;
      // The next write finds the disk full, too, which lets the store make room and open its storage again.
      await this.checkpoint();
      await this.#store.purge();
    }
  }

  #enqueue(
    entry: SealableEntry,
    resolve: (appended: Appended) => void,
    reject: (error: FemtoError) => void,
    { removal, also = [] }: Partial<Omit<PlannedRemoval, "entry">> = {},
  ): void {
    this.#assertOpen();
    const sealed = seal(this.#frame(MACHINE_OF[entry.type]), entry, {
      salts: this.#salts,
      keepsValues: this.#keepsValues(),
    });
    const { record, bytes } = sealed;
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

  #frame(machine: MachineId): RecordFrame {
    return frameOf(this.#nextSeq, this.#boot, this.#clock, this.#utc, this.#machines[machine]);
  }

  #pushSnapshot(resolve: () => void, reject: (error: FemtoError) => void): void {
    this.#queue.push({ kind: "snapshot", frame: this.#frame("memory"), resolve, reject });
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
        // INVARIANT: what is signed here is durable: only the group that follows makes the tree grow.
        drawn = this.#notary.draw(this.#tree);
        await this.#write(items, drawn);
      } catch (error) {
        this.#fail([...items, ...(drawn?.waiting ?? [])], error);
      }
      // What the group set free joins the next one: an outcome does not wait for a sync that began without it.
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
      tell(this.#checkpointListeners, "a listener to checkpoints", drawn.checkpoint.note);
    }
    for (const item of items) item.resolve();
    if (records.length > 0) tell(this.#committedListeners, "a listener to committed records", records);
  }

  /**
   * INVARIANT: after a failure that the store could not repair nothing is written any more. The failed
   * group may be on the disk or not, so a later record could stand after one that nobody was told of.
   */
  #fail(waiting: readonly { reject(error: FemtoError): void }[], cause: unknown): void {
    this.#state = "failed";
    const error = new FemtoError("FEMTO_JOURNAL_WRITE_FAILED", errorText(cause), { cause });
    for (const item of [...waiting, ...this.#queue.takeAll()]) item.reject(error);
    this.#notary.fail(error);
    guard("the listener to the journal's failure", () => this.#onFailed?.(error));
  }
}

function frameOf(seq: number, boot: string, clock: Clock, utc: UtcFormat, machine: MachineIdentity): RecordFrame {
  return { v: RECORD_FORMAT, seq, at: utc.format(clock.nowUs()), mono_us: clock.monotonicUs(), boot, machine };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A snapshot that falls due by itself has nobody who waits for it; its failure rejects the records beside it. */
function ignore(): void {}

function subscribe<T>(listeners: Set<Listener<T>>, listener: Listener<T>): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

function tell<T>(listeners: ReadonlySet<Listener<T>>, what: string, news: T): void {
  for (const listener of listeners) guard(what, () => listener(news));
}

function guard(what: string, call: () => void): void {
  try {
    call();
  } catch (error) {
    process.emitWarning(`${what} failed: ${errorText(error)}`, { code: "FEMTO_INTERNAL" });
  }
}
