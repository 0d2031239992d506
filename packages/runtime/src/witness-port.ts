/** What the runtime asks of a witness: to take a signed checkpoint, and to say so or why not. */
import type { SignedCheckpoint } from "@femtoclaw/journal";

/** Somebody who holds checkpoints of the log where its owner cannot change them. */
export interface Witness {
  /** As operators know it; no two have the same. */
  readonly name: string;
  readonly kind: "file" | "command" | "http";
  /** A fault that is thrown counts as a witness that could not be asked. */
  take(offer: CheckpointOffer): Promise<WitnessAnswer>;
}

/** One checkpoint that a witness is asked to take, and what it needs to judge it. */
export interface CheckpointOffer {
  /** The signed note; it is durable in the journal. */
  readonly note: string;
  /** What the note says: origin, size and root. */
  readonly checkpoint: SignedCheckpoint;
  /** Size of the last checkpoint that this witness is known to have taken; 0 for none. */
  readonly knownSize: number;
  /** What a note that the witness holds says by the keys of this log; a text says why it says nothing. */
  open(note: string): SignedCheckpoint | string;
  /** What leads from a tree that the witness holds to the one that is offered; nothing for size 0. */
  prove(heldSize: number): Promise<readonly Uint8Array[]>;
  /** Aborts when the witness has had its time. */
  readonly signal: AbortSignal;
}

/** Whether a witness took the checkpoint that it was offered. */
export type WitnessAnswer =
  /** `note` is the one that was offered, with the cosignature of a witness that signs. */
  | { readonly taken: true; readonly note: string }
  /** It contradicts when what it holds is not the beginning of this log: one of the two was changed. */
  | { readonly taken: false; readonly contradicts: boolean; readonly reason: string };

/** What an operator sees of a witness. */
export interface WitnessStatus {
  readonly name: string;
  readonly kind: Witness["kind"];
  /** Whether calls are refused while one that is required does not take checkpoints. */
  readonly required: boolean;
  /** Size of the last checkpoint that it took. */
  readonly witnessed_size: number;
  /** Why it did not take the last one that it was offered; null when it did. */
  readonly error: string | null;
}
