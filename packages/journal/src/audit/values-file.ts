/**
 * The values that open the commitments of an exported log, in a file of their own with one line each. It can be
 * withheld, handed on alone or destroyed without changing the log beside it.
 */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { FemtoError, LIMITS, parseJson, systemErrorCode } from "@femtoclaw/protocol";
import { decodeAt, type LogReader } from "../journal-reader.ts";
import { saltOf } from "../sealing/commitments.ts";
import { heldRecords } from "./held-records.ts";
import type { StoredValue } from "./log-source.ts";

/** LIMIT: bytes of one line: the largest result in base64, with its salt. */
const LINE_BYTES_MAX = Math.ceil(LIMITS.resultBytes * 1.5) + 1_024;
/** Read in large chunks, because a line can be long. */
const CHUNK_BYTES = 1 << 20;
const COMMITMENTS = Buffer.from('"commitments":[');
const SALT = /^[0-9a-f]{64}$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

export const valuesFileOf = (exported: string): string => `${exported}.values.jsonl`;

/**
 * Writes the values that the first `size` records commit to, as far as they are still kept. Returns how many there are.
 */
export async function writeValues(reader: LogReader, size: number, file: FileHandle): Promise<number> {
  let written = 0;
  for await (const stored of heldRecords(reader, size)) {
    // Few records commit to any value; the others are not worth decoding.
    if (!Buffer.from(stored.bytes.buffer, stored.bytes.byteOffset, stored.bytes.byteLength).includes(COMMITMENTS)) {
      continue;
    }
    const { seq, commitments = [] } = decodeAt(stored);
    for (const [index, { path, kept }] of commitments.entries()) {
      const blob = await reader.blob(seq, index);
      if (blob === null) continue;
      const { salt, value } = saltOf(blob);
      const line = { seq, index, path, salt: salt.toString("hex"), value: kept ? value.toString("base64") : null };
      await file.writeFile(`${JSON.stringify(line)}\n`);
      written += 1;
    }
  }
  return written;
}

/** The values of such a file; none if the file does not exist. Throws FEMTO_JOURNAL_CORRUPT if a line is malformed. */
export async function* readValues(path: string): AsyncGenerator<StoredValue> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return null;
    throw damaged(`it cannot be read: ${systemErrorCode(error)}`);
  });
  if (file === null) return;
  try {
    if (!(await file.stat()).isFile()) throw damaged("it is no regular file");
    let rest = Buffer.alloc(0);
    // This is not a stream, because a stream reads ahead: a caller that stops in the middle would leave a read under
    // way that holds the file open.
    for (let chunk = await chunkOf(file); chunk.length > 0; chunk = await chunkOf(file)) {
      rest = Buffer.concat([rest, chunk]);
      for (let end = rest.indexOf("\n"); end !== -1; end = rest.indexOf("\n")) {
        yield parsedValue(rest.subarray(0, end).toString());
        rest = rest.subarray(end + 1);
      }
      if (rest.length > LINE_BYTES_MAX) throw damaged("a line is too long");
    }
    if (rest.length > 0) throw damaged("its last line has no end");
  } finally {
    await file.close();
  }
}

async function chunkOf(file: FileHandle): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, null);
  return buffer.subarray(0, bytesRead);
}

function parsedValue(line: string): StoredValue {
  let parsed: unknown;
  try {
    parsed = parseJson(line);
  } catch {
    throw damaged("a line is not JSON");
  }
  if (typeof parsed !== "object" || parsed === null) throw damaged("a line is not an object");
  const { seq, index, salt, value } = parsed as Readonly<Record<string, unknown>>;
  const isKept = typeof value === "string" && BASE64.test(value);
  if (
    !isNumber(seq) ||
    !isNumber(index) ||
    typeof salt !== "string" ||
    !SALT.test(salt) ||
    !(isKept || value === null)
  ) {
    throw damaged("a line lacks seq, index, salt or value");
  }
  return { seq, index, bytes: Buffer.concat([Buffer.from(salt, "hex"), Buffer.from(isKept ? value : "", "base64")]) };
}

const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function damaged(finding: string): FemtoError {
  return new FemtoError("FEMTO_JOURNAL_CORRUPT", `the file of values: ${finding}`);
}
