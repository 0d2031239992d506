/** A thread that checks the tables it was given and answers with what is wrong with the first that is damaged. */
import assert from "node:assert/strict";
import { parentPort, workerData } from "node:worker_threads";
import { checkTableFile, type NamedTable } from "./table-file-check.ts";

/** Null where every byte of every table is as it was written; else what a `FEMTO_JOURNAL_CORRUPT` says. */
export type TablesNews = { readonly fault: string | null };

const port = parentPort;
assert(port !== null, "this file is the beginning of a worker thread");
port.postMessage({ fault: firstFault(workerData as readonly NamedTable[]) } satisfies TablesNews);

function firstFault(tables: readonly NamedTable[]): string | null {
  for (const table of tables) {
    const fault = checkTableFile(table);
    if (fault !== null) return fault.message;
  }
  return null;
}
