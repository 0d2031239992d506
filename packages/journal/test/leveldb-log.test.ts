import { describe, expect, it } from "vitest";
import { crc32c, maskedCrc32c } from "../src/store/leveldb/crc32c.ts";
import { scanLog } from "../src/store/leveldb/leveldb-log.ts";

const BLOCK = 32_768;

/** LevelDB's log writer, as its format document describes it. */
function writeLog(payloads: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  const emit = (part: Buffer): void => {
    parts.push(part);
    at += part.length;
  };
  for (const payload of payloads) {
    let rest = payload;
    for (let first = true; first || rest.length > 0; first = false) {
      if (BLOCK - (at % BLOCK) < 7) emit(Buffer.alloc(BLOCK - (at % BLOCK)));
      const fragment = rest.subarray(0, BLOCK - (at % BLOCK) - 7);
      rest = rest.subarray(fragment.length);
      emit(physical(first ? (rest.length === 0 ? 1 : 2) : rest.length === 0 ? 4 : 3, fragment));
      if (rest.length === 0) break;
    }
  }
  return Buffer.concat(parts);
}

function physical(type: number, payload: Buffer): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(7), payload]);
  bytes.writeUInt16LE(payload.length, 4);
  bytes.writeUInt8(type, 6);
  bytes.writeUInt32LE(maskedCrc32c(crc32c(bytes, 6)), 0);
  return bytes;
}

function scan(bytes: Buffer): { payloads: Buffer[]; tornAt: number | null } {
  const payloads: Buffer[] = [];
  const { tornAt } = scanLog("000003.log", bytes, ({ fragments }) => payloads.push(Buffer.concat(fragments)));
  return { payloads, tornAt };
}

const corrupt = { code: "FEMTO_JOURNAL_CORRUPT", message: expect.stringContaining("000003.log, byte ") as string };
const sizes = [0, 1, 100, BLOCK - 7, BLOCK - 8, BLOCK - 20, BLOCK, 3 * BLOCK, 40, 5];
const payloads = sizes.map((size, index) => Buffer.alloc(size, index + 65));
const log = writeLog(payloads);

describe("scanLog", () => {
  it("reads records of every size, across blocks", () => {
    expect(scan(log)).toEqual({ payloads, tornAt: null });
    expect(scan(Buffer.alloc(0))).toEqual({ payloads: [], tornAt: null });
  });

  it("takes a log that is cut anywhere for a torn write, and keeps every record before the cut", () => {
    const ends = payloads.map((_, index) => writeLog(payloads.slice(0, index + 1)).length);
    const blocks = [0, 1, 2, 3, 4, 5, 6].map((block) => block * BLOCK);
    const borders = [...ends, ...blocks].flatMap((end) =>
      [-100, -8, -7, -6, -1, 0, 1, 6, 7, 8, 100].map((by) => end + by),
    );
    for (const cut of borders.filter((border) => border >= 0 && border <= log.length)) {
      const found = scan(log.subarray(0, cut));
      const whole = ends.filter((end) => end <= cut).length;
      expect(Buffer.concat(payloads.slice(0, whole)).equals(Buffer.concat(found.payloads)), `cut at ${cut}`).toBe(true);
      expect(found.payloads).toHaveLength(whole);
      expect(found.tornAt ?? cut).toBeGreaterThanOrEqual(ends[whole - 1] ?? 0);
    }
  });

  it("cut within a record's later block names where that record begins", () => {
    const start = writeLog(payloads.slice(0, 7)).length;
    expect(scan(log.subarray(0, start + BLOCK + 100)).tornAt).toBeGreaterThanOrEqual(start);
    expect(scan(log.subarray(0, 3 * BLOCK)).tornAt).toBeLessThan(3 * BLOCK);
  });

  it("refuses every flipped bit of headers and of the last records", () => {
    const small = writeLog([Buffer.from("one"), Buffer.from("second"), Buffer.alloc(300, 7), Buffer.from("last")]);
    for (let at = 0; at < small.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const flipped = Buffer.from(small);
        flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << bit), at);
        expect(() => scan(flipped), `byte ${at}, bit ${bit}`).toThrow(expect.objectContaining(corrupt));
      }
    }
  });

  const withZeros = (count: number): Buffer => Buffer.concat([writeLog([Buffer.from("one")]), Buffer.alloc(count)]);

  it.each([7, 100, BLOCK])("refuses a tail of %d zeros: a zeroed record is no torn one", (zeros) => {
    expect(() => scan(withZeros(zeros))).toThrow(expect.objectContaining(corrupt));
  });

  it.each([1, 6])("takes a tail of %d zeros, which is shorter than a header, for a torn write", (zeros) => {
    expect(scan(withZeros(zeros)).tornAt).toBe(10);
  });

  it("refuses a destroyed header that would hide the records behind it", () => {
    const bytes = writeLog([Buffer.from("one"), Buffer.from("two"), Buffer.from("three")]);
    physical(1, Buffer.alloc(5_000)).copy(bytes, 10, 0, 7);
    expect(() => scan(bytes)).toThrow(/header of a log record is damaged/);
  });

  it("refuses fragments out of order, and bytes in the unused end of a block", () => {
    expect(() => scan(physical(4, Buffer.from("end")))).toThrow(/out of order/);
    expect(() => scan(Buffer.concat([physical(2, Buffer.alloc(BLOCK - 7)), physical(1, Buffer.alloc(1))]))).toThrow(
      /out of order/,
    );
    const padded = writeLog([Buffer.alloc(BLOCK - 7 - 3), Buffer.from("next")]);
    padded.writeUInt8(1, BLOCK - 2);
    expect(() => scan(padded)).toThrow(/not empty/);
  });
});
