/** The reason why facts could not be taken. Thrown within `takeFacts` only, which turns it into a value. */
import { printable, systemErrorCode } from "@femtoclaw/protocol";

export class Refusal extends Error {}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  ENOTDIR: "does not exist",
  EACCES: "may not be examined (EACCES)",
  ELOOP: "lies behind too many symbolic links (ELOOP)",
  ENAMETOOLONG: "has a name that is too long (ENAMETOOLONG)",
};

/**
 * Turns a system error into a refusal that names the path as the call wrote it; any other error is returned unchanged.
 */
export function refusalOf(error: unknown, path: string): unknown {
  const code = systemErrorCode(error);
  if (error instanceof Refusal || code === undefined) return error;
  return new Refusal(`${printable(path)} ${REASONS[code] ?? `cannot be examined (${code})`}`);
}
