/**
 * Reads a file with one record per line, as `audit export --format jsonl` writes it. Such a file proves nothing: all
 * that is known is that each line is a well-formed record at its proper position.
 */
import { readFileSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { FemtoError, LIMITS, printable, type Snapshot, type TypedRecord } from "@femtoclaw/protocol";
import { decodeAt, oldestSnapshotOf } from "../journal-reader.ts";
import { type Unsealed, unseal } from "../sealing/unseal.ts";
import type { StoredRecord } from "../store/store.ts";
import { encodeBase64 } from "../tree/base64.ts";
import { parseCheckpoint } from "../tree/checkpoint.ts";
import { leafHash } from "../tree/hashing.ts";
import { TileTree } from "../tree/tiles.ts";
import { MissingPart } from "./log-source.ts";
import type { ReplayReader } from "./tiles-reader.ts";

/** LIMIT: bytes read at once. */
const CHUNK_BYTES = 1_048_576;
/** LIMIT: bytes of a checkpoint file. */
const CHECKPOINT_BYTES_MAX = 65_536;
const NEWLINE = 0x0a;

export class LinesReader implements ReplayReader, AsyncDisposable {
  readonly #file: FileHandle;
  /** Where each line begins, and finally where the last one ends. */
  readonly #offsets: readonly number[];
  /** Root hash over all lines, in base64. */
  readonly root: string;
  /** What is known to be wrong and what cannot be known, in words for people. */
  readonly caveats: readonly string[];

  private constructor(file: FileHandle, { offsets, root, caveats }: Lines) {
    this.#file = file;
    this.#offsets = offsets;
    this.root = root;
    this.caveats = caveats;
  }

  /** Checks each line. Throws FEMTO_JOURNAL_CORRUPT at the first that is not the record expected at its position. */
  static async open(path: string): Promise<LinesReader> {
    const file = await open(path, "r");
    try {
      return new LinesReader(file, compared(await linesOf(file), path));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get size(): number {
    return this.#offsets.length - 1;
  }

  async *read(fromSeq: number, toSeqExclusive: number): AsyncGenerator<TypedRecord> {
    for await (const stored of this.readStored(fromSeq, toSeqExclusive)) yield decodeAt(stored);
  }

  async *readBackwards(fromSeq: number, toSeqExclusive: number): AsyncGenerator<TypedRecord> {
    for (let seq = Math.min(toSeqExclusive, this.size) - 1; seq >= fromSeq; seq -= 1) yield* this.read(seq, seq + 1);
  }

  async *readStored(fromSeq: number, toSeqExclusive: number): AsyncGenerator<StoredRecord> {
    for (let seq = Math.max(0, fromSeq); seq < Math.min(toSeqExclusive, this.size); seq += 1) {
      const [from = 0, to = 0] = this.#offsets.slice(seq, seq + 2);
      const bytes = Buffer.alloc(to - from - 1);
      await this.#file.read(bytes, 0, bytes.length, from);
      yield { seq, bytes };
    }
  }

  async locate(execution: string): Promise<readonly number[]> {
    const found: number[] = [];
    for await (const record of this.read(0, this.size)) if (record.execution === execution) found.push(record.seq);
    return found;
  }

  /** The file holds only records, so every value that a record merely commits to is missing. */
  async withValues(record: TypedRecord): Promise<Unsealed> {
    return await unseal(record, async () => null);
  }

  async hashes(_level: number, start: number): Promise<never> {
    throw new MissingPart(start, "a file of lines has no tree");
  }

  async prunedBefore(): Promise<number> {
    return 0;
  }

  async latestCheckpoint(): Promise<null> {
    return null;
  }

  async snapshots(): Promise<readonly number[]> {
    return [];
  }

  async snapshotAt(): Promise<null> {
    return null;
  }

  oldestSnapshot(): Promise<Snapshot | null> {
    return oldestSnapshotOf(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

interface Lines {
  readonly offsets: readonly number[];
  readonly root: string;
  readonly caveats: readonly string[];
}

async function linesOf(file: FileHandle): Promise<Lines> {
  if (!(await file.stat()).isFile()) throw wrong("it is no file");
  const offsets = [0];
  const tree = new TileTree();
  let rest: Buffer = Buffer.alloc(0);
  for (let at = 0; ; ) {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, at);
    if (bytesRead === 0) break;
    at += bytesRead;
    rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE)) {
      const line = rest.subarray(0, end);
      assertRecord(line, tree.size);
      tree.push(leafHash(line));
      offsets.push((offsets.at(-1) ?? 0) + end + 1);
      rest = rest.subarray(end + 1);
    }
    if (rest.length > LIMITS.recordBytes) throw wrong(`line ${tree.size + 1} is longer than any record`);
  }
  if (tree.size === 0) throw wrong("it holds no record");
  const cut = `the file was cut short: what began after record ${tree.size - 1} is not whole, and is left out`;
  return { offsets, root: encodeBase64(tree.root()), caveats: rest.length > 0 ? [cut] : [] };
}

/** INVARIANT: I7: either the records are consecutive from the beginning of a log, or none of them is shown. */
function assertRecord(line: Uint8Array, seq: number): void {
  try {
    decodeAt({ seq, bytes: line });
  } catch (error) {
    const reason = error instanceof FemtoError ? error.message : "it cannot be read";
    throw wrong(`line ${seq + 1} is not record ${seq}: ${printable(reason, 300)}`, error);
  }
}

/** Compares the lines with the checkpoint file that an export leaves beside them. Its signature is not checked here. */
function compared(lines: Lines, path: string): Lines {
  const { offsets, root, caveats } = lines;
  const size = offsets.length - 1;
  const checkpoint = checkpointBeside(path);
  const say = (caveat: string): Lines => ({ ...lines, caveats: [...caveats, caveat, UNPROVED] });
  if (checkpoint === null) return say("there is no checkpoint beside the file that could tell how much is missing");
  if (checkpoint.size > size) {
    return say(
      `the file was cut short: the checkpoint beside it is of ${checkpoint.size} records, and it holds ${size}`,
    );
  }
  if (checkpoint.size === size && encodeBase64(checkpoint.root) === root) {
    return say("its lines are those of the checkpoint beside it, whose signature was not looked at");
  }
  throw wrong("its lines are not those that the checkpoint beside it is of: somebody has changed them");
}

const UNPROVED = "a file of lines proves nothing: anyone who can write it can write it anew, from the first record on";

function checkpointBeside(path: string) {
  const file = `${path}.checkpoint`;
  const status = statSync(file, { throwIfNoEntry: false });
  if (status === undefined) return null;
  if (!status.isFile() || status.size > CHECKPOINT_BYTES_MAX)
    throw wrong("what lies beside it as its checkpoint is none");
  const text = readFileSync(file, "utf8");
  const checkpoint = parseCheckpoint(text.slice(0, text.indexOf("\n\n") + 1));
  if (checkpoint === null) throw wrong("what lies beside it as its checkpoint is none");
  return checkpoint;
}

function wrong(finding: string, cause?: unknown): FemtoError {
  return new FemtoError("FEMTO_JOURNAL_CORRUPT", `this is not an export of a log that can be shown: ${finding}`, {
    fix: "Use the log itself, or an export with `--format tiles`. Both can be verified.",
    ...(cause === undefined ? {} : { cause }),
  });
}
