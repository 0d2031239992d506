/**
 * What a host answers to a client that has seen an older state of its log: the newest checkpoint, a proof that nothing
 * before was changed, and each change of the key in between.
 */
import { FemtoError, type LogContinuation, type LogStep } from "@femtoclaw/protocol";
import type { LogReader } from "../journal-reader.ts";
import { encodeBase64 } from "../tree/base64.ts";
import { type Checkpoint, parseCheckpoint } from "../tree/checkpoint.ts";
import { consistencyProof, type HashReader, inclusionProof } from "../tree/proof.ts";

/** LIMIT: changes of the key in one answer, each with two proofs; a client that missed more of them asks again. */
const ROTATIONS_MAX = 32;

/**
 * The steps from the tree of `from` records, or from nothing, to the newest checkpoint. Throws FEMTO_JOURNAL_UNSIGNED
 * if no checkpoint covers `from` records, because then this log has never vouched for them.
 */
export async function proveContinuation(reader: LogReader, from: number | null): Promise<LogContinuation> {
  const newest = opened(await reader.latestCheckpoint());
  const size = newest?.checkpoint.size ?? 0;
  if (newest === null || (from ?? 0) > size) {
    throw new FemtoError(
      "FEMTO_JOURNAL_UNSIGNED",
      `no checkpoint covers ${from ?? 1} records: the newest one is of size ${size}`,
    );
  }
  const read: HashReader = (level, start, count) => reader.hashes(level, start, count);
  const steps: LogStep[] = [];
  let at = from ?? 0;
  let rotation = await reader.rotationFrom(at);
  while (rotation !== null && rotation < size && steps.length < ROTATIONS_MAX) {
    const bridge = opened(await reader.checkpointFrom(rotation + 1)) ?? newest;
    steps.push({ ...(await stepTo(bridge, at, read)), rotation: await rotationAt(reader, rotation, bridge, read) });
    at = bridge.checkpoint.size;
    rotation = await reader.rotationFrom(at);
  }
  if (rotation === null || rotation >= size) steps.push(await stepTo(newest, at, read));
  return { first_key: await firstKeyOf(reader), steps };
}

interface OpenedCheckpoint {
  readonly note: string;
  readonly checkpoint: Checkpoint;
}

async function stepTo({ note, checkpoint }: OpenedCheckpoint, from: number, read: HashReader): Promise<LogStep> {
  const consistency = from === 0 ? [] : await consistencyProof(from, checkpoint.size, read);
  return { checkpoint: note, consistency: consistency.map(encodeBase64) };
}

async function rotationAt(
  reader: LogReader,
  seq: number,
  { checkpoint }: OpenedCheckpoint,
  read: HashReader,
): Promise<NonNullable<LogStep["rotation"]>> {
  const inclusion = await inclusionProof(seq, checkpoint.size, read);
  for await (const { bytes } of reader.readStored(seq, seq + 1)) {
    return { seq, record: encodeBase64(bytes), inclusion: inclusion.map(encodeBase64) };
  }
  throw new FemtoError("FEMTO_JOURNAL_CORRUPT", `record ${seq} is missing`);
}

async function firstKeyOf(reader: LogReader): Promise<string> {
  for await (const record of reader.read(0, 1)) if (record.type === "log.created") return record.body.vkey;
  throw new FemtoError("FEMTO_JOURNAL_CORRUPT", "record 0 names no key");
}

/** Parses the log's own note without verifying it. The client does that. */
function opened(note: string | null): OpenedCheckpoint | null {
  if (note === null) return null;
  const checkpoint = parseCheckpoint(note.slice(0, note.lastIndexOf("\n\n") + 1));
  if (checkpoint === null) throw new FemtoError("FEMTO_JOURNAL_CORRUPT", "a stored checkpoint cannot be read");
  return { note, checkpoint };
}
