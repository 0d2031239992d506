/** How much of one client is under way at once, and what it is told beyond that. */
import { ERRORS } from "@femtoclaw/protocol";

/** LIMIT: requests of one client without an answer; fewer than the host takes of one connection, so that cancelling has room. */
export const REQUESTS_MAX = 1_000;

/** LIMIT: bytes of requests of one client without an answer: where it is an agent's, the host itself holds them. */
export const REQUEST_BYTES_MAX = 16 * 1024 * 1024;

/** LIMIT: bytes that wait to be read by the client before no more is made for it. */
export const UNREAD_BYTES_MAX = 8 * 1024 * 1024;

/**
 * LIMIT: bytes that wait to be read by all clients over HTTP together; as many as eight clients may leave unread, so that
 * the largest number of sessions takes no more memory than that.
 */
export const UNREAD_BYTES_OF_ALL_MAX = 64 * 1024 * 1024;

/** In the range that JSON-RPC leaves to servers. */
const CODE = -32_000;

export const OVERLOADED = {
  code: CODE,
  reason: `${REQUESTS_MAX} requests of this client have no answer yet`,
  data: { code: "FEMTO_OVERLOADED", fix: ERRORS.FEMTO_OVERLOADED.fix },
} as const;
