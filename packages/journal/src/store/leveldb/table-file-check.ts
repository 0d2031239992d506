/** Checks every byte of a table where it lies. */
import { FemtoError } from "@femtoclaw/protocol/errors";
import { unreadable } from "./damage.ts";
import { checkTable } from "./leveldb-table.ts";
import { TableFile } from "./table-file.ts";

/** A table that the MANIFEST names, and how long it has to be. */
export interface NamedTable {
  readonly file: string;
  readonly size: number;
}

/** What is wrong with it, a `FEMTO_JOURNAL_CORRUPT`; null where nothing is. */
export function checkTableFile({ file, size }: NamedTable): FemtoError | null {
  try {
    using table = TableFile.open(file, size);
    checkTable(file, table);
    return null;
  } catch (error) {
    return error instanceof FemtoError ? error : unreadable(file, error);
  }
}
