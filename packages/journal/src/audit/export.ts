/**
 * Exports a log for somebody who has no FemtoClaw: as the static files of C2SP tlog-tiles, or with one record per line.
 * Both end at the newest checkpoint, because nothing vouches for later records.
 */
import { type FileHandle, mkdir, open, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errorText, FemtoError, printable, systemErrorCode, type TypedRecord } from "@femtoclaw/protocol";
import { decodeAt, type LogReader } from "../journal-reader.ts";
import { makeFolders } from "../state-directory/make-folders.ts";
import type { StoredRecord } from "../store/store.ts";
import { parseCheckpoint } from "../tree/checkpoint.ts";
import { TILE_WIDTH } from "../tree/tiles.ts";
import { heldRecords } from "./held-records.ts";
import { proveAt } from "./inclusion.ts";
import { ocsfEvent } from "./ocsf-event.ts";
import type { IntentRecord } from "./ocsf-particulars.ts";
import {
  CHECKPOINT_FILE,
  entriesPath,
  joinEntries,
  keptPath,
  PRUNED_FILE,
  partialTiles,
  ROTATIONS_FOLDER,
  snapshotPath,
  snapshotProofPath,
  tilePath,
} from "./tiles-layout.ts";
import { valuesFileOf, writeValues } from "./values-file.ts";

const OWNER_FOLDER = 0o700;
const OWNER_FILE = 0o600;

/** The result of an export. */
interface Exported {
  /** Number of records written. */
  readonly size: number;
}

/**
 * Writes the tree of files into `folder`, which must not exist yet. The export ends at the newest checkpoint, or at the
 * first one that covers the given number of records.
 */
export async function exportTiles(reader: LogReader, folder: string, covering?: number): Promise<Exported> {
  const told = await toldPruning(reader);
  const { size, note } =
    covering === undefined ? await newest(reader, told) : await firstCovering(reader, Math.max(covering, told));
  const begin = (): Promise<unknown> => mkdir(folder, { mode: OWNER_FOLDER });
  return await exporting(folder, begin, async () => {
    const pruned = await reader.prunedBefore();
    if (pruned > 0) await write(folder, PRUNED_FILE, Buffer.from(String(pruned)));
    await writeEntries(reader, folder, size);
    await writeTiles(reader, folder, size);
    for (const bridge of await bridges(reader, size)) {
      const text = (await reader.checkpointAt(bridge)) ?? "";
      await write(folder, join(ROTATIONS_FOLDER, String(bridge)), Buffer.from(text));
    }
    await writeSnapshot(reader, folder, size, note);
    // The checkpoint comes last, so that a folder without one is recognizable as unfinished.
    await write(folder, CHECKPOINT_FILE, Buffer.from(note));
    return { size };
  });
}

/** Writes each record as one line into `file` and the checkpoint into `file`.checkpoint. Neither may exist yet. */
export async function exportJsonl(reader: LogReader, file: string): Promise<Exported> {
  return await exportLines(
    reader,
    file,
    () =>
      ({ bytes }) =>
        bytes,
  );
}

/** Like `exportJsonl`, but with each record as an OCSF event. */
export async function exportOcsf(reader: LogReader, file: string): Promise<Exported> {
  return await exportLines(reader, file, (note) => {
    const checkpoint = parseCheckpoint(note.slice(0, note.indexOf("\n\n") + 1));
    if (checkpoint === null) throw new FemtoError("FEMTO_JOURNAL_CORRUPT", "the newest checkpoint is none");
    const intents = new Map<number, IntentRecord>();
    return (stored) => {
      const record = decodeAt(stored);
      const context = { origin: checkpoint.origin, checkpoint, ...intentOf(record, intents) };
      return Buffer.from(JSON.stringify(ocsfEvent(record, stored.bytes, context)));
    };
  });
}

/** The intent of the execution that this record ends. An intent waits in the map until its end arrives. */
function intentOf(record: TypedRecord, waiting: Map<number, IntentRecord>): { readonly intent?: IntentRecord } {
  if (record.type === "execution.intent") waiting.set(record.seq, record);
  if (record.type !== "execution.outcome" && record.type !== "execution.interrupted") return {};
  const intent = waiting.get(record.body.intent);
  waiting.delete(record.body.intent);
  return intent === undefined ? {} : { intent };
}

async function exportLines(
  reader: LogReader,
  file: string,
  begun: (note: string) => (stored: StoredRecord) => Uint8Array,
): Promise<Exported> {
  const { size, note } = await newest(reader);
  const lineOf = begun(note);
  const begin = (): Promise<FileHandle> => open(file, "wx", OWNER_FILE);
  return await exporting(file, begin, async (handle) => {
    try {
      let lines: Uint8Array[] = [];
      for await (const stored of heldRecords(reader, size)) {
        lines.push(lineOf(stored), NEWLINE);
        if (stored.seq % TILE_WIDTH < TILE_WIDTH - 1 && stored.seq < size - 1) continue;
        await handle.writeFile(Buffer.concat(lines));
        lines = [];
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    await writeWhole(lineCheckpointOf(file), note);
    return { size };
  });
}

/** The checkpoint file that belongs to an export of lines. */
export const lineCheckpointOf = (file: string): string => `${file}.checkpoint`;

/** Writes a file that must not exist yet. */
async function writeWhole(file: string, text: string): Promise<void> {
  await exporting(
    file,
    () => open(file, "wx", OWNER_FILE),
    async (handle) => {
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
  );
}

/**
 * Writes the values that the first `size` records commit to into `out`.values.jsonl, which must not exist yet. Returns
 * how many there are.
 */
export async function exportValues(reader: LogReader, size: number, out: string): Promise<number> {
  const file = valuesFileOf(out);
  return await exporting(
    file,
    () => open(file, "wx", OWNER_FILE),
    async (handle) => {
      try {
        const written = await writeValues(reader, size, handle);
        await handle.sync();
        return written;
      } finally {
        await handle.close();
      }
    },
  );
}

const NEWLINE = Buffer.from("\n");

interface Signed {
  readonly size: number;
  readonly note: string;
}

/**
 * Number of records up to and including the one that tells how far history was pruned. An export that ends before this
 * record would lack the pruned records without any explanation.
 */
async function toldPruning(reader: LogReader): Promise<number> {
  const before = await reader.prunedBefore();
  if (before === 0) return 0;
  for await (const { seq, type, body } of reader.readBackwards(before, reader.size)) {
    if (type === "log.pruned" && body.before === before) return seq + 1;
  }
  throw new FemtoError("FEMTO_JOURNAL_CORRUPT", `no record tells that records below ${before} were pruned`);
}

async function newest(reader: LogReader, atLeast = 0): Promise<Signed> {
  const found = await signed(reader, (await reader.checkpoints()).at(-1));
  if (found === null) throw new FemtoError("FEMTO_JOURNAL_UNSIGNED", "the journal has no checkpoint yet");
  return found.size < atLeast ? await firstCovering(reader, atLeast) : found;
}

async function firstCovering(reader: LogReader, records: number): Promise<Signed> {
  const sizes = await reader.checkpoints();
  const found = await signed(
    reader,
    sizes.find((size) => size >= records),
  );
  if (found !== null) return found;
  throw new FemtoError("FEMTO_JOURNAL_UNSIGNED", `no checkpoint covers the first ${records} records`);
}

async function signed(reader: LogReader, size: number | undefined): Promise<Signed | null> {
  const note = size === undefined ? null : await reader.checkpointAt(size);
  return size === undefined || note === null ? null : { size, note };
}

async function writeEntries(reader: LogReader, folder: string, size: number): Promise<void> {
  let bundle: Uint8Array[] = [];
  const begin = await reader.prunedBefore();
  for await (const { seq, bytes } of heldRecords(reader, size)) {
    if (seq < begin) {
      await write(folder, keptPath(seq), bytes);
      continue;
    }
    bundle.push(bytes);
    if (bundle.length < TILE_WIDTH && seq < size - 1) continue;
    await write(folder, entriesPath(Math.floor(seq / TILE_WIDTH), bundle.length), joinEntries(bundle));
    bundle = [];
  }
}

async function writeTiles(reader: LogReader, folder: string, size: number): Promise<void> {
  const put = async (level: number, index: number, width: number): Promise<void> => {
    const hashes = await reader.hashes(level, index * TILE_WIDTH, width);
    await write(folder, tilePath(level, index, width), Buffer.concat(hashes));
  };
  for (
    let level = 0, full = Math.floor(size / TILE_WIDTH);
    full > 0;
    level += 1, full = Math.floor(full / TILE_WIDTH)
  ) {
    for (let index = 0; index < full; index += 1) await put(level, index, TILE_WIDTH);
  }
  for (const { level, index, width } of partialTiles(size)) await put(level, index, width);
}

/**
 * Adds the newest snapshot with a proof of its record. After checking the proof, a stranger can start from the snapshot
 * instead of from the first record.
 */
async function writeSnapshot(reader: LogReader, folder: string, size: number, note: string): Promise<void> {
  const snapshot = await reader.latestSnapshot(size);
  if (snapshot === null) return;
  const proof = await proveAt(reader, snapshot.seq + 1, { size, note });
  await write(folder, snapshotPath(snapshot.seq), Buffer.from(JSON.stringify(snapshot)));
  await write(folder, snapshotProofPath(snapshot.seq), Buffer.from(proof));
}

/** Sizes of the checkpoints that both an old and a new key signed: the first checkpoint after each rotation. */
async function bridges(reader: LogReader, size: number): Promise<number[]> {
  const sizes = await reader.checkpoints();
  const rotations = await reader.rotations();
  return rotations.flatMap((seq) => sizes.find((signed) => signed > seq && signed <= size) ?? []);
}

async function write(folder: string, path: string, bytes: Uint8Array): Promise<void> {
  const file = join(folder, path);
  makeFolders(dirname(file), OWNER_FOLDER);
  await writeFile(file, bytes, { flag: "wx", mode: OWNER_FILE });
}

/** Removes what was begun if the work fails, but never touches what existed before. */
async function exporting<Place, T>(
  place: string,
  begin: () => Promise<Place>,
  work: (begun: Place) => Promise<T>,
): Promise<T> {
  try {
    const begun = await begin();
    try {
      return await work(begun);
    } catch (error) {
      await rm(place, { recursive: true, force: true });
      throw error;
    }
  } catch (error) {
    if (error instanceof FemtoError) throw error;
    const code = systemErrorCode(error);
    const why = code === "EEXIST" ? "is there already" : `cannot be written: ${code ?? errorText(error)}`;
    throw new FemtoError("FEMTO_EXPORT_FAILED", `${printable(place)} ${why}`, { cause: error });
  }
}
