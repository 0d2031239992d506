/** The request of C2SP tlog-witness, by which a log asks a witness to cosign a checkpoint. */
import { decodeBase64, encodeBase64 } from "../tree/base64.ts";
import { HASH_BYTES } from "../tree/hashing.ts";
import { NOTE_CHARS_MAX } from "../tree/signed-note.ts";

/** LIMIT: hashes of one proof; the protocol takes no more, and a tree of 2^63 leaves needs no more. */
const PROOF_MAX = 63;
/** LIMIT: characters of a request: the largest note, the longest proof, and the line of the old size. */
export const REQUEST_CHARS_MAX: number = NOTE_CHARS_MAX + 4_096;

/** The parts of a request. */
export interface AddCheckpoint {
  /** Size that the log believes the witness to hold; 0 for none. */
  readonly oldSize: number;
  /** Proof that the tree of the old size is the beginning of the new one; empty for an old size of 0. */
  readonly proof: readonly Uint8Array[];
  /** The signed note of the checkpoint. */
  readonly note: string;
}

/** The request as it goes over the wire. */
export function formatAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  return `old ${oldSize}\n${proof.map((hash) => `${encodeBase64(hash)}\n`).join("")}\n${note}`;
}

/** Null for anything that is not such a request. */
export function parseAddCheckpoint(body: string): AddCheckpoint | null {
  const split = body.indexOf("\n\n");
  if (split === -1 || body.length > REQUEST_CHARS_MAX) return null;
  const [first = "", ...lines] = body.slice(0, split).split("\n");
  const oldSize = Number(/^old (0|[1-9][0-9]{0,15})$/.exec(first)?.[1] ?? Number.NaN);
  const proof = lines.map(decodeBase64).filter((hash) => hash?.byteLength === HASH_BYTES);
  if (!Number.isSafeInteger(oldSize) || proof.length < lines.length || proof.length > PROOF_MAX) return null;
  return { oldSize, proof: proof.filter((hash) => hash !== null), note: body.slice(split + 2) };
}

/** The size in the body of a 409 response, which is what the witness holds. Null for anything else. */
export function parseHeldSize(body: string): number | null {
  const size = Number(/^(0|[1-9][0-9]{0,15})\n$/.exec(body)?.[1] ?? Number.NaN);
  return Number.isSafeInteger(size) ? size : null;
}
