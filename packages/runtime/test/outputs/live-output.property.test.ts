/** What is kept of a program's output: the text of the record, in whichever pieces its bytes came. */
import { redact } from "@femtoclaw/journal";
import { type OutputStream, outputParts, type SessionId } from "@femtoclaw/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { KEPT_BYTES, LiveOutput } from "../../src/outputs/live-output.ts";

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.string({ unit: "binary", maxLength: 80 }).map((text) => Buffer.from(text)),
  fc
    .constantFrom("\ufeff", "é🙂", "token=hunter22hunter22", "ghp_", "a".repeat(36), "\n")
    .map((text) => Buffer.from(text)),
);
const piece = fc.tuple(fc.constantFrom<OutputStream>("stdout", "stderr"), bytes);

test("all of it is what the record will hold, for a reader who reads as it comes", () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const output = new LiveOutput("s" as SessionId);
      const read = { stdout: "", stderr: "", upstream: "" };
      let place = 0;
      const take = (): void => {
        const part = output.from(place);
        expect(part.skipped).toBe(0);
        for (const { stream, text } of part.parts) read[stream] += text;
        place = part.next;
      };
      for (const [index, [stream, chunk]] of pieces.entries()) {
        output.append(stream, chunk);
        if (index % 3 === 0) take();
      }
      output.end();
      take();
      for (const stream of ["stdout", "stderr"] as const) {
        const whole = Buffer.concat(pieces.flatMap(([of, chunk]) => (of === stream ? [chunk] : []))).toString("utf8");
        expect(read[stream]).toBe(redact(whole).value);
      }
    }),
    { numRuns: 1_000 },
  );
});

test("what is kept has a limit, and what a reader missed is counted to the byte", () => {
  const output = new LiveOutput("s" as SessionId);
  const line = `${"🙂é ".repeat(11)}\n`;
  for (let count = 0; count < 20_000; count += 1)
    output.append(count % 2 === 0 ? "stdout" : "stderr", Buffer.from(line));
  output.end();
  let [shown, skipped, place, answers] = [0, 0, 0, 0];
  for (let isAll = false; !isAll; answers += 1) {
    const part = output.from(place);
    for (const { text } of outputParts(part)) {
      expect(text).not.toContain("\ufffd");
      shown += Buffer.byteLength(text);
    }
    skipped += part.skipped;
    ({ next: place, isAll } = part);
  }
  expect(shown + skipped).toBe(20_000 * Buffer.byteLength(line));
  expect([shown > KEPT_BYTES / 3, shown <= KEPT_BYTES, answers > 1]).toEqual([true, true, true]);
});

test("a place that nobody was given reads on from there, and from beyond the end nothing", () => {
  const output = new LiveOutput("s" as SessionId);
  output.append("stdout", Buffer.from("one two\n"));
  expect(output.from(4)).toEqual({ parts: [{ stream: "stdout", text: "two\n" }], skipped: 0, next: 8, isAll: true });
  expect(output.from(Number.MAX_SAFE_INTEGER)).toEqual({ parts: [], skipped: 0, next: 8, isAll: true });
});
