/** What is wrong with a file of LevelDB. It is said in threads too, so nothing is imported for it but errors. */

import { printable } from "@femtoclaw/protocol/display";
import { errorText, FemtoError, systemErrorCode } from "@femtoclaw/protocol/errors";

/** A finding about a file, as every check of this package words it. */
export function damage(file: string, offset: number, finding: string): FemtoError {
  return new FemtoError("FEMTO_JOURNAL_CORRUPT", `${file}, byte ${offset}: ${finding}`);
}

/** The system does not let the file be read. */
export function unreadable(path: string, error: unknown): FemtoError {
  const reason = systemErrorCode(error) ?? errorText(error);
  return new FemtoError("FEMTO_JOURNAL_CORRUPT", `${printable(path)} cannot be read: ${reason}`, { cause: error });
}
