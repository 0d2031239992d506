/** The best that disk and engine can do, measured in the same run as everything else. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { Level } from "level";

export interface Yardstick {
  /** Single LevelDB puts with sync, one after another. */
  readonly sync_put_per_s: number;
  /** Puts in batches of 100 with one sync each. */
  readonly grouped_put_per_s: number;
  /** Start and end of an empty process, median. */
  readonly node_e0_ms: number;
}

const VALUE_BYTES = 512;
const SINGLE_PUTS = 500;
const GROUPS = 200;
const GROUP_PUTS = 100;
const STARTS = 7;

export async function measureYardstick(directory: string): Promise<Yardstick> {
  const database = new Level<string, Buffer>(join(directory, "yardstick"), {
    keyEncoding: "utf8",
    valueEncoding: "buffer",
    compression: false,
  });
  await database.open();
  try {
    const single = await rate(SINGLE_PUTS, async (index) => {
      await database.put(`s${index}`, randomBytes(VALUE_BYTES), { sync: true });
    });
    const grouped = await rate(GROUPS, async (index) => {
      const puts = Array.from({ length: GROUP_PUTS }, (_, item) => ({
        type: "put" as const,
        key: `g${index}.${item}`,
        value: randomBytes(VALUE_BYTES),
      }));
      await database.batch(puts, { sync: true });
    });
    return {
      sync_put_per_s: Math.round(single),
      grouped_put_per_s: Math.round(grouped * GROUP_PUTS),
      node_e0_ms: await emptyProcessMs(),
    };
  } finally {
    await database.close();
  }
}

async function rate(count: number, run: (index: number) => Promise<void>): Promise<number> {
  const start = performance.now();
  for (let index = 0; index < count; index += 1) await run(index);
  return (count * 1000) / (performance.now() - start);
}

/**
 * Milliseconds from start to end of an empty process, the median of seven. This also wakes up a machine that has rested
 * for some seconds, which would need four times as long for its first processes, whatever they do.
 */
export async function emptyProcessMs(): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < STARTS; index += 1) {
    const start = performance.now();
    await promisify(execFile)(process.execPath, ["-e", "0"]);
    times.push(performance.now() - start);
  }
  times.sort((left, right) => left - right);
  return Number((times[Math.floor(STARTS / 2)] ?? 0).toFixed(1));
}
