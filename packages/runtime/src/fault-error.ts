/** The fault that a machine holds, as it is thrown. */
import type { Fault } from "@femtoclaw/machines";
import { FemtoError } from "@femtoclaw/protocol";

export function faultError({ code, reason }: Fault): FemtoError {
  return new FemtoError(code as FemtoError["code"], reason);
}
