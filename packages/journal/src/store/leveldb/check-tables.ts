/**
 * Checks tables before LevelDB opens them, in a thread of its own where there is a processor for it: a start has other work
 * meanwhile, and would spend a sixth of its time here. Both run the same function.
 */
import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers/promises";
import { FemtoError } from "@femtoclaw/protocol";
import { startTableThread } from "#table-thread";
import { threadEnvironment } from "../../thread-environment.ts";
import { checkTableFile, type NamedTable } from "./table-file-check.ts";
import type { TablesNews } from "./table-worker.ts";

/** Bytes that are checked for less than the start of a thread costs. */
const ALONE_BYTES = 8 << 20;

/**
 * Throws FEMTO_JOURNAL_CORRUPT for the first table that is not to the byte what LevelDB wrote. `onIdle` is called where the
 * caller's thread has nothing to do until the answer.
 */
export async function checkTables(tables: readonly NamedTable[], onIdle: () => void): Promise<void> {
  const bytes = tables.reduce((sum, { size }) => sum + size, 0);
  const isAlone = bytes <= ALONE_BYTES || availableParallelism() === 1;
  const news = isAlone ? null : await newsOfThread(tables, onIdle);
  // A machine without room for a thread says nothing about the tables.
  if (news === null) await checkHere(tables);
  else if (news.fault !== null) throw new FemtoError("FEMTO_JOURNAL_CORRUPT", news.fault);
}

async function checkHere(tables: readonly NamedTable[]): Promise<void> {
  for (const table of tables) {
    const fault = checkTableFile(table);
    if (fault !== null) throw fault;
    // Others may have their turn between two tables.
    await setImmediate();
  }
}

/** Null where the thread ended without an answer. */
async function newsOfThread(tables: readonly NamedTable[], onIdle: () => void): Promise<TablesNews | null> {
  const worker = startTableThread({ workerData: tables, env: threadEnvironment() });
  const answered = new Promise<TablesNews | null>((resolve) => {
    worker.on("message", resolve);
    worker.on("error", () => resolve(null));
    worker.on("exit", () => resolve(null));
  });
  try {
    onIdle();
    return await answered;
  } finally {
    // INVARIANT: I9: nothing of it is left when the store opens or a fault is told.
    await worker.terminate();
  }
}
