/** Who acts when an operator does: nobody gave him a grant, because the socket is his. */
import type { RecordActor } from "@femtoclaw/protocol";

export function operatorActor(principal: string): RecordActor {
  return { principal, agent: null, channel: "operator", delegation: null };
}
