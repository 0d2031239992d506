/**
 * How a witness answers a request, by the rules of C2SP tlog-witness. Pure: the caller stores what has to be stored.
 */
import { type Checkpoint, parseCheckpoint } from "../tree/checkpoint.ts";
import { EMPTY_ROOT } from "../tree/hashing.ts";
import { verifyConsistency } from "../tree/proof.ts";
import { type NoteVerifier, openNote } from "../tree/signed-note.ts";
import type { AddCheckpoint } from "./add-checkpoint.ts";

/** A request that a witness turns down, with the HTTP status to send. */
export interface Refusal {
  readonly status: 400 | 403 | 404 | 422;
  readonly reason: string;
}

/** A request that starts from another size than the one the witness holds. */
export interface Conflict {
  readonly status: 409;
  /** Size that the witness holds. */
  readonly heldSize: number;
}

/** A request whose checkpoint a known log has signed. */
interface OpenedRequest {
  readonly checkpoint: Checkpoint;
  /** The three lines that the log signed and the witness cosigns. */
  readonly text: string;
}

/**
 * Checks first which log the checkpoint belongs to and whether that log signed it. Nothing else in the request counts
 * before that.
 */
export function openRequest({ note, oldSize }: AddCheckpoint, logs: readonly NoteVerifier[]): OpenedRequest | Refusal {
  const text = note.slice(0, note.lastIndexOf("\n\n") + 1);
  const checkpoint = parseCheckpoint(text);
  if (checkpoint === null) return refusal(400, "the checkpoint is not made of the three lines origin, size and root");
  const keys = logs.filter(({ name }) => name === checkpoint.origin);
  if (keys.length === 0) return refusal(404, "this witness does not know the log");
  if (openNote(note, keys) === null) return refusal(403, "the checkpoint has no right signature by a known key");
  if (oldSize > checkpoint.size) return refusal(400, "the old size is larger than the checkpoint's");
  return { checkpoint, text };
}

/**
 * Null if the witness accepts the checkpoint.
 *
 * INVARIANT: I7: a witness never takes a smaller tree after a larger one, nor two trees of which neither begins the
 * other. The caller lets nothing come between this answer and storing the checkpoint.
 */
export function objection(
  { oldSize, proof }: AddCheckpoint,
  { size, root }: Checkpoint,
  held: Checkpoint | null,
): Conflict | Refusal | null {
  const heldSize = held?.size ?? 0;
  if (oldSize !== heldSize) return { status: 409, heldSize };
  const heldRoot = held?.root ?? EMPTY_ROOT;
  if (oldSize === size && Buffer.compare(root, heldRoot) !== 0) return { status: 409, heldSize };
  if (oldSize === 0 || oldSize === size) {
    return proof.length === 0 ? null : refusal(422, "there is nothing to prove here, so the proof must be empty");
  }
  if (verifyConsistency(oldSize, size, heldRoot, root, proof)) return null;
  return refusal(422, "the proof does not show that the log continues what the witness holds");
}

function refusal(status: Refusal["status"], reason: string): Refusal {
  return { status, reason };
}
