/** Who acts when an operator does: nobody gave him a grant, because the socket is his. */
import type { RecordActor } from "@femtoclaw/protocol";

/** Throws a `TypeError` where an embedder names nobody: a record without a name could not be read back. */
export function operatorActor(principal: string): RecordActor {
  if (typeof principal !== "string") throw new TypeError("who says so has no name");
  return { principal, agent: null, channel: "operator", delegation: null };
}
