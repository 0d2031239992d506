/** Proofs and exports of a signed log, for a running host and a stopped journal alike. */
import { Buffer } from "node:buffer";
import { rm } from "node:fs/promises";
import {
  exportJsonl,
  exportOcsf,
  exportTiles,
  exportValues,
  type LogReader,
  lineCheckpointOf,
  prove,
} from "@femtoclaw/journal";
import { type ExportedLog, FemtoError, type LogKeys, type LogParent, printable } from "@femtoclaw/protocol";

export const EXPORT_FORMATS = ["tiles", "jsonl", "ocsf"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface RecordProof {
  readonly seq: number;
  /** Text of a C2SP tlog-proof file. */
  readonly proof: string;
  /** The record as it is stored, byte for byte; null if it was pruned, so that only a copy of it can be proved. */
  readonly record: Buffer | null;
}

export async function keysOf(reader: LogReader): Promise<LogKeys> {
  const named: { vkey: string; from_size: number; retired_at_size: number | null }[] = [];
  let origin = "";
  let parent: LogParent | null = null;
  for (const seq of [0, ...(await reader.rotations())]) {
    for await (const record of reader.read(seq, seq + 1)) {
      if (record.type === "log.created") ({ origin, parent = null } = record.body);
      else if (record.type !== "key.rotated") continue;
      const last = named.at(-1);
      // The first checkpoint that covers the record of a rotation is signed by both keys, and is the old key's last
      // one.
      if (last !== undefined) last.retired_at_size = seq + 1;
      named.push({ vkey: record.body.vkey, from_size: seq + 1, retired_at_size: null });
    }
  }
  const vkey = named.at(-1)?.vkey;
  if (vkey === undefined) throw new FemtoError("FEMTO_JOURNAL_CORRUPT", "record 0 names no key");
  return { origin, parent, vkey, keys: named };
}

/** `ref` is a sequence number, or an execution, of which the last record is proved. */
export async function proveRecord(reader: LogReader, ref: string): Promise<RecordProof> {
  const seq = /^\d{1,15}$/.test(ref) ? Number(ref) : await lastOf(reader, ref);
  if (seq === undefined || seq >= reader.size) {
    throw new FemtoError(
      "FEMTO_EXECUTION_NOT_FOUND",
      `the journal knows neither record nor execution \`${printable(ref, 64)}\``,
    );
  }
  const proof = await prove(reader, seq);
  const isKept = seq === 0 || (await reader.rotations()).includes(seq);
  if (seq < (await reader.prunedBefore()) && !isKept) return { seq, proof, record: null };
  for await (const { bytes } of reader.readStored(seq, seq + 1)) return { seq, proof, record: Buffer.from(bytes) };
  throw new FemtoError("FEMTO_JOURNAL_CORRUPT", `record ${seq} is missing`);
}

/** The last record of an execution. A later record about an erasure does not belong to the execution's course. */
async function lastOf(reader: LogReader, execution: string): Promise<number | undefined> {
  for (const seq of (await reader.locate(execution)).toReversed()) {
    for await (const { type } of reader.read(seq, seq + 1)) if (type !== "values.erased") return seq;
  }
  return undefined;
}

/** What is written, to a path that must not exist yet, and whether the values beside the records are written too. */
export interface ExportRequest {
  readonly format: ExportFormat;
  readonly out: string;
  readonly values: boolean;
}

/**
 * Writes everything that was asked for, or nothing: an export that lacks its values would be mistaken for a complete
 * one.
 */
export async function exportAs(reader: LogReader, { format, out, values }: ExportRequest): Promise<ExportedLog> {
  if (format === "ocsf" && values) throw new FemtoError("FEMTO_USAGE", "an export as ocsf carries no values");
  const { size } = await EXPORTERS[format](reader, out);
  if (!values) return { size, values: null };
  try {
    return { size, values: await exportValues(reader, size, out) };
  } catch (error) {
    const written = format === "tiles" ? [out] : [out, lineCheckpointOf(out)];
    for (const path of written) await rm(path, { recursive: true, force: true });
    throw error;
  }
}

const EXPORTERS = { tiles: exportTiles, jsonl: exportJsonl, ocsf: exportOcsf } as const;
