/** How much one client may have under way at once, and what it is told beyond that. */
import { ERRORS } from "@femtoclaw/protocol";

/**
 * LIMIT: requests of one client without an answer. This is less than the host takes on one connection, so that there is
 * room for cancelling.
 */
export const REQUESTS_MAX = 1_000;

/** LIMIT: bytes of requests of one client without an answer. For a launched agent the host itself holds them. */
export const REQUEST_BYTES_MAX = 16 * 1024 * 1024;

/** LIMIT: unread bytes for one client, beyond which no more answers are made for it. */
export const UNREAD_BYTES_MAX = 8 * 1024 * 1024;

/**
 * LIMIT: unread bytes for all clients over HTTP together. This is as much as eight clients may leave unread, so that
 * even the largest number of sessions takes no more memory.
 */
export const UNREAD_BYTES_OF_ALL_MAX = 64 * 1024 * 1024;

/** In the range that JSON-RPC leaves to servers. */
const CODE = -32_000;

export const OVERLOADED = {
  code: CODE,
  reason: `${REQUESTS_MAX} requests of this client have no answer yet`,
  data: { code: "FEMTO_OVERLOADED", fix: ERRORS.FEMTO_OVERLOADED.fix },
} as const;
