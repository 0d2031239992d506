/** What one child may use: what the configuration says, for all capabilities or for one, and the defaults. */
import type { LimitsTable } from "@femtoclaw/protocol";
import { type ChildLimits, DEFAULT_CHILD_LIMITS } from "@femtoclaw/sandbox/child-limits";

export function resolveChildLimits(table: LimitsTable | undefined): ChildLimits {
  return { ...DEFAULT_CHILD_LIMITS, ...namedChildLimits(table ?? {}) };
}

/** Only the limits that the table names. */
export function namedChildLimits(table: LimitsTable): Partial<ChildLimits> {
  const { memory_bytes, processes, cpu_ms, file_bytes, open_files, temporary_bytes } = table;
  return {
    ...(memory_bytes === undefined ? {} : { memoryBytes: memory_bytes }),
    ...(processes === undefined ? {} : { processes }),
    ...(cpu_ms === undefined ? {} : { cpuMs: cpu_ms }),
    ...(file_bytes === undefined ? {} : { fileBytes: file_bytes }),
    ...(open_files === undefined ? {} : { openFiles: open_files }),
    ...(temporary_bytes === undefined ? {} : { temporaryBytes: temporary_bytes }),
  };
}
