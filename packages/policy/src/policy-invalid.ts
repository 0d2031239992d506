/** The one fault of policies: what is wrong with them stands in the message. */
import { FemtoError } from "@femtoclaw/protocol";

export function invalid(message: string): FemtoError {
  return new FemtoError("FEMTO_POLICY_INVALID", message);
}
