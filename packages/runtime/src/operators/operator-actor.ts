/** The actor of an operator's action. An operator has no delegation, because the socket is the operator's own. */
import type { RecordActor } from "@femtoclaw/protocol";

/** Throws a `TypeError` if an embedder names nobody: a record without a name could not be read back. */
export function operatorActor(principal: string): RecordActor {
  if (typeof principal !== "string") throw new TypeError("who says so has no name");
  return { principal, agent: null, channel: "operator", delegation: null };
}
