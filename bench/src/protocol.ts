/** The cost of reading a message strictly: no duplicate keys, lone surrogates, unknown members or deep nesting. */
import { parseMessage } from "@femtoclaw/protocol";
import type { BenchContext } from "./context.ts";
import { scaled } from "./effort.ts";
import { Measurement, type MeasureRow, type Sample } from "./measurement.ts";
import { timedAtOnce } from "./timed.ts";

const MESSAGES = 20_000;
const TEXT_CHARS = { "a small call": 32, "a call of 1 KiB": 900, "a call of 64 KiB": 65_000 };

export async function measureProtocol({ effort, onProgress }: BenchContext): Promise<MeasureRow[]> {
  const measured = Object.entries(TEXT_CHARS).map(([name, chars]) => {
    const args = { path: "src/index.ts", mode: "overwrite", content: 'some text, "quoted"\n'.repeat(chars / 20) };
    const bytes = Buffer.from(JSON.stringify({ tool_call: { tool: "fs_write", args } }));
    const measuring = (measure: string) => new Measurement({ preset: "protocol", measure, unit: "us" });
    const count = scaled(Math.ceil((MESSAGES * 64) / (64 + chars / 16)), effort);
    return { bytes, count, name, strict: measuring(name), plain: measuring("JSON.parse") };
  });
  for (const { bytes, count } of measured) strictly(bytes, count);
  for (let round = 1; round <= effort.rounds; round += 1) {
    onProgress(`round ${round} of ${effort.rounds}`);
    for (const { bytes, count, strict, plain } of measured) {
      strict.add(sample(count, () => strictly(bytes, count)));
      plain.add(sample(count, () => plainly(bytes, count)));
    }
  }
  return measured.map(({ name, strict, plain }) =>
    strict.row({ beside: plain, aims: name === "a call of 64 KiB" ? [] : [{ figure: "value", atMost: 5 }] }),
  );
}

function strictly(bytes: Uint8Array, count: number): void {
  for (let index = 0; index < count; index += 1) {
    if (!parseMessage(bytes).ok) throw new Error("a message of the bench is not one");
  }
}

function plainly(bytes: Buffer, count: number): void {
  for (let index = 0; index < count; index += 1) JSON.parse(bytes.toString("utf8"));
}

function sample(count: number, work: () => void): Sample {
  const { elapsedMs, cpuUs } = timedAtOnce(work);
  return { value: (elapsedMs * 1_000) / count, cpuUs: cpuUs / count };
}
