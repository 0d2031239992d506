/** What a preset is measured with. */
import type { Effort } from "./effort.ts";
import type { HostCommand } from "./host-start.ts";
import type { Yardstick } from "./yardstick.ts";

export interface BenchContext {
  /** Of the preset alone; removed afterwards. */
  readonly directory: string;
  readonly effort: Effort;
  /** Size of the history that presets about histories begin with. */
  readonly records: number;
  /** How a host of this build is started. */
  readonly host: HostCommand;
  /** A built executable that is measured beside the sources. */
  readonly executable: HostCommand | null;
  readonly yardstick: Yardstick;
  readonly onProgress: (text: string) => void;
}

/** Two synced puts of LevelDB one after the other, which is the least that an intent and its outcome cost. */
export function twoSyncPutsMs({ yardstick }: Pick<BenchContext, "yardstick">): number {
  return 2_000 / yardstick.sync_put_per_s;
}
