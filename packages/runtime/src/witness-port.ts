/** What the runtime expects of a witness: to take a signed checkpoint, or to say why not. */
import type { SignedCheckpoint } from "@femtoclaw/journal";

/** Holds checkpoints of the log in a place where the log's owner cannot change them. */
export interface Witness {
  /** The name that operators use; no two witnesses have the same. */
  readonly name: string;
  readonly kind: "file" | "command" | "http";
  /** If this throws, the witness counts as one that could not be asked. */
  take(offer: CheckpointOffer): Promise<WitnessAnswer>;
}

/** A checkpoint that a witness is asked to take, with all it needs to judge it. */
export interface CheckpointOffer {
  /** The signed note, which is durable in the journal. */
  readonly note: string;
  /** What the note says: origin, size and root. */
  readonly checkpoint: SignedCheckpoint;
  /** Size of the last checkpoint that this witness is known to have taken; 0 if there is none. */
  readonly knownSize: number;
  /** Verifies a note that the witness holds with the keys of this log; a string says why the note is invalid. */
  open(note: string): SignedCheckpoint | string;
  /** The consistency proof from a tree that the witness holds to the offered one; empty for size 0. */
  prove(heldSize: number): Promise<readonly Uint8Array[]>;
  /** Aborted when the witness's time is up. */
  readonly signal: AbortSignal;
}

/** Whether a witness took the offered checkpoint. */
export type WitnessAnswer =
  /** `note` is the offered one, with the cosignature of the witness if it signs. */
  | { readonly taken: true; readonly note: string }
  /**
   * `contradicts` is true if what the witness holds is not the beginning of this log, so that one of the two was
   * changed.
   */
  | { readonly taken: false; readonly contradicts: boolean; readonly reason: string };

/** What an operator sees of a witness. */
export interface WitnessStatus {
  readonly name: string;
  readonly kind: Witness["kind"];
  /** Whether calls are refused while this witness does not take checkpoints. */
  readonly required: boolean;
  /** Size of the last checkpoint that the witness took. */
  readonly witnessed_size: number;
  /** Why the witness did not take the last offered checkpoint; null if it did. */
  readonly error: string | null;
}
