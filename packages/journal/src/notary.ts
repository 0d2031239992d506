/**
 * Signs the tree from time to time. One signature vouches for all records below its size, so records are not signed one
 * by one. The holder of such a note can tell later whether a record below its size was changed.
 */
import assert from "node:assert/strict";
import type { FemtoError } from "@femtoclaw/protocol";
import type { Clock } from "./clock.ts";
import { checkpointName } from "./records/object-name.ts";
import type { StoredObject } from "./store/store.ts";
import { formatCheckpoint } from "./tree/checkpoint.ts";
import { type NoteSigner, signNote } from "./tree/signed-note.ts";
import type { TileTree } from "./tree/tiles.ts";

/** Records since the last checkpoint after which the next commit group carries another one. */
const DUE_RECORDS = 256;
/** Milliseconds after which records without a checkpoint get one, even if no group follows. */
const DUE_MS = 1_000;

export interface Checkpointed {
  readonly size: number;
  /** The signed note. */
  readonly note: string;
}

interface NotaryOptions {
  readonly origin: string;
  /** The key in force comes first, followed by the retiring one while a rotation is not finished. */
  readonly signers: readonly NoteSigner[];
  readonly latest: Checkpointed | null;
  readonly clock: Pick<Clock, "after">;
}

interface Waiting {
  readonly resolve: (note: string) => void;
  readonly reject: (error: FemtoError) => void;
}

/** A checkpoint that is signed but not stored yet. It must not be shown to anybody. */
export interface DrawnCheckpoint {
  readonly object: StoredObject;
  readonly checkpoint: Checkpointed;
  readonly waiting: readonly Waiting[];
}

export class Notary {
  readonly #origin: string;
  #signers: readonly NoteSigner[];
  #latest: Checkpointed | null;
  #due = false;
  #waiting: Waiting[] = [];
  readonly #clock: NotaryOptions["clock"];
  #cancelTimer: (() => void) | null = null;

  constructor(options: NotaryOptions) {
    this.#origin = options.origin;
    this.#signers = options.signers;
    this.#latest = options.latest;
    this.#clock = options.clock;
  }

  get latest(): Checkpointed | null {
    return this.#latest;
  }

  /** The key in force. */
  get signer(): NoteSigner {
    const [signer] = this.#signers;
    assert(signer !== undefined, "a notary has a key");
    return signer;
  }

  /** Whether a retiring key still signs beside the one in force. */
  get isRotating(): boolean {
    return this.#signers.length > 1;
  }

  /** Whether to make a checkpoint even if there is no group to carry it. */
  get pressing(): boolean {
    return this.#due || this.#waiting.length > 0;
  }

  /** Resolves, once it is stored, with a note over at least all that is durable now. */
  request(waiting: Waiting): void {
    this.#waiting.push(waiting);
  }

  /** Asks for a checkpoint without waiting for a group, if there is anything to sign. */
  demand(): void {
    this.#due = true;
  }

  /** Schedules a checkpoint. The timer does not keep the process alive. */
  arm(tree: TileTree, onDue: () => void): void {
    if (this.#cancelTimer !== null || this.#unsigned(tree) === 0) return;
    const fallDue = (): void => {
      this.#cancelTimer = null;
      if (this.#unsigned(tree) === 0) return;
      this.#due = true;
      onDue();
    };
    this.#cancelTimer = this.#clock.after(DUE_MS, fallDue, { unref: true });
  }

  /** Signs the tree if a checkpoint is due. The caller stores the result and then calls `stored`. */
  draw(tree: TileTree): DrawnCheckpoint | null {
    const unsigned = this.#unsigned(tree);
    if (!this.pressing && unsigned < DUE_RECORDS) return null;
    if (this.#latest !== null && unsigned === 0) {
      for (const { resolve } of this.#taken()) resolve(this.#latest.note);
      return null;
    }
    const { size } = tree;
    const text = formatCheckpoint({ origin: this.#origin, size, root: tree.root() });
    const note = signNote(text, this.#signers);
    // Taken only now: if signing throws, those who wait are still here when `fail` rejects them.
    const waiting = this.#taken();
    return { object: { name: checkpointName(size), bytes: Buffer.from(note) }, checkpoint: { size, note }, waiting };
  }

  // INVARIANT: a checkpoint is shown to nobody before it is stored, or a crash could take back what was shown.
  stored({ checkpoint, waiting }: DrawnCheckpoint): void {
    this.#latest = checkpoint;
    for (const { resolve } of waiting) resolve(checkpoint.note);
  }

  /** From now on the new key signs, together with the old one. */
  follow(signer: NoteSigner): void {
    this.#signers = [signer, ...this.#signers];
  }

  /** The old key stops signing. */
  retire(): void {
    this.#signers = this.#signers.slice(0, 1);
  }

  /** Cancels the scheduled checkpoint. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  /**
   * Rejects everybody who waits and asks for nothing more. INVARIANT: nothing is signed or stored after a failure, also
   * if a checkpoint fell due while the failing group was written.
   */
  fail(error: FemtoError): void {
    this.stop();
    for (const { reject } of this.#taken()) reject(error);
  }

  /** Those who waited until now, with whom the request for a checkpoint ends. */
  #taken(): readonly Waiting[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#due = false;
    return waiting;
  }

  #unsigned(tree: TileTree): number {
    return tree.size - (this.#latest?.size ?? 0);
  }
}
