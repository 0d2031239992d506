/** The records in which a log says what it takes over from its parent. */
import type { LogParent, TypedRecord } from "@femtoclaw/protocol";
import { corrupt } from "./execution-records.ts";

/**
 * Whether the record takes something over. Such records stand only between the first record of a log that has a parent
 * and its first boot.
 */
export function isFounding(
  record: TypedRecord,
  { parent, boot }: { readonly parent: LogParent | null; readonly boot: string | null },
): boolean {
  const founds = record.type === "epoch.opened" || record.type === "execution.inherited";
  const isDue = parent !== null && record.seq === 1;
  if ((record.type === "epoch.opened") !== isDue || (founds && (parent === null || boot !== null))) {
    throw corrupt(record, isDue ? "a log with a parent goes on with epoch.opened" : "a log takes over once, at first");
  }
  return founds;
}
