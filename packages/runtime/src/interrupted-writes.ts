/**
 * Removes what calls were writing when the last host was killed: a file under a temporary name, which lies in the folder of
 * a path that the call named. INVARIANT: I8: nothing else is removed: the name holds the identifier of an execution that the
 * journal calls interrupted.
 */
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { temporaryName } from "@femtoclaw/capabilities";
import type { JournalReader } from "@femtoclaw/journal";
import { errorText, type TypedRecord } from "@femtoclaw/protocol";
import type { LogEntry } from "./options.ts";
import type { OpenExecution } from "./projection/execution-records.ts";

/** What cannot be removed stays, and is told. */
export async function sweepInterruptedWrites(
  reader: JournalReader,
  open: ReadonlyMap<string, Pick<OpenExecution, "intent">>,
  log: (entry: LogEntry) => void,
): Promise<void> {
  for (const [execution, { intent }] of open) {
    try {
      for await (const record of reader.read(intent, intent + 1)) {
        for (const folder of foldersOf((await reader.withValues(record)).record)) {
          await rm(join(folder, temporaryName(execution)), { force: true });
        }
      }
    } catch (error) {
      log({ level: "warn", event: "execution.unswept", execution, reason: errorText(error) });
    }
  }
}

/** None if the values of the record were erased. */
function foldersOf(record: TypedRecord): Set<string> {
  const questions = record.type === "execution.intent" ? (record.body.facts?.questions ?? []) : [];
  return new Set(questions.flatMap((question) => (question.kind === "path" ? [dirname(question.path)] : [])));
}
