/** The cost of looking back: folding history again, with today's machines and with those that the records name. */
import { join } from "node:path";
import { copyForVerification, LeveldbStore, StoreReader } from "@femtoclaw/journal";
import { eventCount, recompute, replay } from "@femtoclaw/runtime";
import type { BenchContext } from "./context.ts";
import { writeHistory } from "./history.ts";
import { Measurement, type MeasureRow, type Sample } from "./measurement.ts";
import { timed } from "./timed.ts";

export async function measureReplay({ directory, records, effort, onProgress }: BenchContext): Promise<MeasureRow[]> {
  onProgress(`writing a history of ${records} records`);
  await writeHistory(directory, records);
  const replayed = new Measurement({ preset: "replay", measure: "replay", unit: "events/s" });
  const recomputed = new Measurement({ preset: "replay", measure: "recompute", unit: "events/s" });
  const read = new Measurement({ preset: "replay", measure: "read alone", unit: "events/s" });
  await using copy = await copyForVerification(join(directory, "state", "journal"));
  const store = new LeveldbStore(copy.directory);
  const { size } = await store.open();
  try {
    const reader = new StoreReader(store, size);
    let events = 0;
    for await (const record of reader.readFrom(0)) events += eventCount(record);
    for (let round = 1; round <= effort.rounds; round += 1) {
      onProgress(`round ${round} of ${effort.rounds}`);
      replayed.add(await sample(events, async () => void (await replay(reader))));
      recomputed.add(
        await sample(events, async () => {
          const { verdict, divergence } = await recompute(reader);
          if (verdict !== "recomputed") throw new Error(`the history is ${verdict}: ${JSON.stringify(divergence)}`);
        }),
      );
      read.add(
        await sample(events, async () => {
          for await (const _ of store.read(0, size));
        }),
      );
    }
  } finally {
    await store.close();
  }
  const circumstances = { records: size };
  const aims = [{ figure: "value", atLeast: 100_000 }] as const;
  return [
    replayed.row({ circumstances, beside: read, aims }),
    recomputed.row({ circumstances, beside: read, aims }),
    read.row({ circumstances }),
  ];
}

async function sample(events: number, work: () => Promise<void>): Promise<Sample> {
  const { elapsedMs, cpuUs } = await timed(work);
  return { value: (events * 1_000) / elapsedMs, cpuUs: cpuUs / events };
}
