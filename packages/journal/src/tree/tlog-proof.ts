/** A proof in one file (C2SP tlog-proof): the position of a record, the path to the root, the signed checkpoint. */
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { HASH_BYTES } from "./hashing.ts";

const HEADER = "c2sp.org/tlog-proof@v1";
/** LIMIT: hashes of one path; a tree of 2^63 leaves needs no more. */
const PATH_MAX = 63;

interface TlogProof {
  readonly index: number;
  readonly hashes: readonly Uint8Array[];
  /** The signed note of the checkpoint that the path leads to. */
  readonly checkpoint: string;
}

export function formatTlogProof({ index, hashes, checkpoint }: TlogProof): string {
  const path = hashes.map((hash) => `${encodeBase64(hash)}\n`).join("");
  return `${HEADER}\nindex ${index}\n${path}\n${checkpoint}`;
}

/** Null for anything that is not such a file. */
export function parseTlogProof(text: string): TlogProof | null {
  const split = text.indexOf("\n\n");
  if (split === -1) return null;
  const [header, position = "", ...path] = text.slice(0, split).split("\n");
  const index = /^index (0|[1-9][0-9]{0,15})$/.exec(position)?.[1];
  if (header !== HEADER || index === undefined) return null;
  const hashes = path.map(decodeBase64).filter((hash) => hash?.byteLength === HASH_BYTES);
  if (hashes.length < path.length || path.length > PATH_MAX) return null;
  return { index: Number(index), hashes: hashes.filter((hash) => hash !== null), checkpoint: text.slice(split + 2) };
}
