/** What a result has room for. An operator may allow a call more output than that, and JSON makes text longer. */
import { LIMITS } from "@femtoclaw/protocol";

/** LIMIT: bytes of a result, as JSON, beside what its capability returns at length. */
const OTHER_BYTES = 262_144;

/** LIMIT: bytes of what a capability returns at length, as JSON. */
export const RESULT_ROOM = LIMITS.resultBytes - OTHER_BYTES;

/** An escape such as `\u0001` is the longest form of a character. */
const BYTES_PER_CHARACTER = 6;

/** Whether a result has room for all of these texts. */
export function haveRoom(texts: readonly string[]): boolean {
  const characters = texts.reduce((sum, { length }) => sum + length, 0);
  if (characters * BYTES_PER_CHARACTER <= RESULT_ROOM) return true;
  return texts.reduce((sum, text) => sum + Buffer.byteLength(JSON.stringify(text)), 0) <= RESULT_ROOM;
}
