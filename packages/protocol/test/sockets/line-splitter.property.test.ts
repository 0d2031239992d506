/** However a stream is cut into chunks, its lines are the same; what is too long costs one line and no memory. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineSplitter } from "../../src/index.ts";

const BYTES_MAX = 8;
type Seen = string | null;

/** The lines that come out, with null for one that was too long. */
function split(chunks: readonly Uint8Array[], bytesMax = BYTES_MAX): Seen[] {
  const seen: Seen[] = [];
  const splitter = new LineSplitter(bytesMax, {
    onLine: (line) => seen.push(line.toString("latin1")),
    onTooLong: () => seen.push(null),
  });
  // Each chunk is overwritten once it was pushed, as a socket may do with its buffer.
  for (const chunk of chunks) {
    const buffer = Buffer.from(chunk);
    splitter.push(buffer);
    buffer.fill(0x58);
  }
  splitter.end();
  return seen;
}

function expected(bytes: Uint8Array): Seen[] {
  const lines = Buffer.from(bytes).toString("latin1").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => (line.length > BYTES_MAX ? null : line));
}

const stream = fc
  .array(fc.oneof(fc.constant(0x0a), fc.integer({ min: 0, max: 255 })), { maxLength: 120 })
  .map((bytes) => Uint8Array.from(bytes));

describe("a stream", () => {
  it("has the same lines in any chunks", () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(120), { maxLength: 20 }), (bytes, cuts) => {
        const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((left, right) => left - right);
        const chunks = [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
        expect(split(chunks)).toEqual(expected(bytes));
      }),
      { numRuns: 2_000 },
    );
  });

  it("has the same lines byte by byte", () => {
    fc.assert(
      fc.property(stream, (bytes) => {
        expect(split([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(expected(bytes));
      }),
    );
  });
});

describe("a line", () => {
  const text = (...parts: string[]): Buffer[] => parts.map((part) => Buffer.from(part));

  it("may be exactly as long as is permitted, with or without its end", () => {
    expect(split(text("12345678\n"))).toEqual(["12345678"]);
    expect(split(text("12345678"))).toEqual(["12345678"]);
    expect(split(text("1234", "5678", "\n"))).toEqual(["12345678"]);
    expect(split(text("123456789\n"))).toEqual([null]);
    expect(split(text("1234", "56789", "\nok\n"))).toEqual([null, "ok"]);
  });

  it("that is too long is skipped to its end, once, and the next is read", () => {
    expect(split(text("x".repeat(100), "x".repeat(100), "x\nnext\n"))).toEqual([null, "next"]);
    expect(split(text(`${"x".repeat(9)}\n${"y".repeat(9)}\nok\n`))).toEqual([null, null, "ok"]);
    expect(split(text("x".repeat(100)))).toEqual([null]);
  });

  it("may be empty", () => {
    expect(split(text("\n\na\n\n"))).toEqual(["", "", "a", ""]);
    expect(split([])).toEqual([]);
    expect(split(text(""))).toEqual([]);
  });

  it("stays as it was handed over while the next one is read", () => {
    const lines: Buffer[] = [];
    const splitter = new LineSplitter(BYTES_MAX, { onLine: (line) => lines.push(line), onTooLong: () => undefined });
    for (const chunk of text("ab", "cd\n", "ef", "gh\n")) splitter.push(chunk);
    expect(lines.map(String)).toEqual(["abcd", "efgh"]);
  });

  it("that comes byte by byte costs no more memory than its length", () => {
    const splitter = new LineSplitter(4 << 20, { onLine: () => undefined, onTooLong: () => undefined });
    const before = process.memoryUsage();
    for (let count = 0; count < 1 << 20; count += 1) splitter.push(Buffer.of(0x61));
    const after = process.memoryUsage();
    // A buffer for each byte would take more than a hundred times as much.
    expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(64 << 20);
  });
});
