/** How many requests of one client are under way at once, and what it is told beyond that. */
import { ERRORS } from "@femtoclaw/protocol";

/** LIMIT: requests of one client without an answer; fewer than the host takes of one connection, so that cancelling has room. */
export const REQUESTS_MAX = 1_000;

/** In the range that JSON-RPC leaves to servers. */
const CODE = -32_000;

export const OVERLOADED = {
  code: CODE,
  reason: `${REQUESTS_MAX} requests of this client have no answer yet`,
  data: { code: "FEMTO_OVERLOADED", fix: ERRORS.FEMTO_OVERLOADED.fix },
} as const;
