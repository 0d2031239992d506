/** What every verb says about fields that it cannot take. */
import { FemtoError, printable } from "@femtoclaw/protocol";

export function refuseUnknown(rest: Readonly<Record<string, unknown>>): void {
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw invalid(`unknown field \`${printable(unknown, 64)}\``);
}

export function invalid(reason: string): FemtoError {
  return new FemtoError("FEMTO_SOCKET_REQUEST", reason);
}
