/** Proves a single record to somebody who has nothing of the log but its public key. */
import { FemtoError } from "@femtoclaw/protocol";
import type { LogReader } from "../journal-reader.ts";
import { type Checkpoint, parseCheckpoint } from "../tree/checkpoint.ts";
import { leafHash } from "../tree/hashing.ts";
import { type HashReader, inclusionProof, verifyInclusion } from "../tree/proof.ts";
import { openNote, parseVerifierKey } from "../tree/signed-note.ts";
import { formatTlogProof, parseTlogProof } from "../tree/tlog-proof.ts";

/** A proof, the record that it is about, and the key to check it with. */
interface ProofParts {
  /** Text of the proof file. */
  readonly proof: string;
  /** The record as it is stored, byte for byte. */
  readonly recordBytes: Uint8Array;
  /** Public key of the log. Take it from a place that the owner of the log cannot change. */
  readonly vkey: string;
}

/** The log, the tree size and the position that were proved, or why the proof is invalid. */
type ProofCheck =
  | { readonly ok: true; readonly origin: string; readonly index: number; readonly size: number }
  | { readonly ok: false; readonly reason: string };

/** What is needed to make a proof. */
type ProofSource = Pick<LogReader, "hashes" | "latestCheckpoint">;

/** The hashes of a reader's tree in the form that the proof functions take. */
export function hashReader(reader: Pick<LogReader, "hashes">): HashReader {
  return (level, start, count) => reader.hashes(level, start, count);
}

/**
 * A proof file that leads from the record to the newest checkpoint. Throws FEMTO_JOURNAL_UNSIGNED if no checkpoint
 * covers the record.
 */
export async function prove(reader: ProofSource, seq: number): Promise<string> {
  const checkpoint = await reader.latestCheckpoint();
  const size =
    checkpoint === null ? 0 : (parseCheckpoint(checkpoint.slice(0, checkpoint.indexOf("\n\n") + 1))?.size ?? 0);
  if (!Number.isSafeInteger(seq) || seq < 0 || seq >= size || checkpoint === null) {
    throw new FemtoError(
      "FEMTO_JOURNAL_UNSIGNED",
      `no checkpoint covers record ${seq}: the newest one is of size ${size}`,
    );
  }
  return await proveAt(reader, seq, { size, note: checkpoint });
}

/** A proof file that leads from the record to this checkpoint, which covers it. */
export async function proveAt(
  reader: Pick<LogReader, "hashes">,
  seq: number,
  { size, note }: { readonly size: number; readonly note: string },
): Promise<string> {
  const hashes = await inclusionProof(seq, size, hashReader(reader));
  return formatTlogProof({ index: seq, hashes, checkpoint: note });
}

/** Whether the record stands in the log where the proof says. Needs no access to the log and never throws. */
export function checkProof({ proof, recordBytes, vkey }: ProofParts): ProofCheck {
  const parsed = parseTlogProof(proof);
  if (parsed === null) return { ok: false, reason: "this is not a proof file of the form c2sp.org/tlog-proof@v1" };
  const checkpoint = openSigned(parsed.checkpoint, vkey);
  if (typeof checkpoint === "string") return { ok: false, reason: checkpoint };
  const { origin, size, root } = checkpoint;
  if (verifyInclusion(leafHash(recordBytes), parsed.index, size, parsed.hashes, root)) {
    return { ok: true, origin, index: parsed.index, size };
  }
  return { ok: false, reason: `the record is not record ${parsed.index} of this log` };
}

/** The content of a checkpoint that this key has signed, or a text that says why it is invalid. */
export function openSigned(note: string, vkey: string): Checkpoint | string {
  const verifier = parseVerifierKey(vkey);
  if (verifier === null) return "this is not an Ed25519 public key of the form name+id+key";
  const opened = openNote(note, [verifier]);
  if (opened === null) return "the checkpoint is not signed by this key";
  const checkpoint = parseCheckpoint(opened.text);
  return checkpoint?.origin === verifier.name ? checkpoint : "the checkpoint is not of this log";
}
