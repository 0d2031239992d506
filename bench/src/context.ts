/** What a preset is given to measure with. */
import type { Effort } from "./effort.ts";
import type { HostCommand } from "./host-start.ts";
import type { Yardstick } from "./yardstick.ts";

export interface BenchContext {
  /** For this preset alone; removed afterwards. */
  readonly directory: string;
  readonly effort: Effort;
  /** Number of records with which presets about histories begin. */
  readonly records: number;
  /** The command that starts a host of this build. */
  readonly host: HostCommand;
  /** A built executable that is measured as well. */
  readonly executable: HostCommand | null;
  readonly yardstick: Yardstick;
  readonly onProgress: (text: string) => void;
}

/** Two synced puts of LevelDB one after the other: the least that an intent and its outcome cost. */
export function twoSyncPutsMs({ yardstick }: Pick<BenchContext, "yardstick">): number {
  return 2_000 / yardstick.sync_put_per_s;
}
