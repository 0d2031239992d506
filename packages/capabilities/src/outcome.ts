/** Turns what an effect returned or threw into its outcome. */
import { FemtoError, type LeftBehind, LIMITS, systemErrorCode } from "@femtoclaw/protocol";
import type { CapabilityOutcome, JsonObject } from "./capability.ts";

/**
 * Runs an effect. Faults with a code, and refusals of the operating system, become outcomes. Anything else is a bug,
 * which is passed on to the code that contains the capability.
 */
export async function outcomeOf(
  signal: AbortSignal,
  sandbox: string | null,
  effect: () => Promise<CapabilityOutcome>,
): Promise<CapabilityOutcome> {
  try {
    signal.throwIfAborted();
    return await effect();
  } catch (error) {
    if (signal.aborted && error === signal.reason) {
      const fault = new FemtoError("FEMTO_CAPABILITY_CANCELLED", "the call was cancelled before it took effect");
      return unsuccessful("cancelled", fault, sandbox);
    }
    if (error instanceof FemtoError) return unsuccessful("failed", error, sandbox);
    const code = systemErrorCode(error);
    if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) throw error;
    const fault = new FemtoError("FEMTO_OS_REFUSED", `the operating system refused with ${code}`);
    return unsuccessful("failed", fault, sandbox);
  }
}

/** For effects of the host itself, which need no sandbox. */
export async function hostOutcome(signal: AbortSignal, effect: () => Promise<JsonObject>): Promise<CapabilityOutcome> {
  return await outcomeOf(signal, null, async () => ({ event: "succeeded", result: await effect(), sandbox: null }));
}

export interface Change {
  readonly result: JsonObject;
  /** What stands there afterwards; null if the change cannot be undone. */
  readonly left: LeftBehind | null;
}

/** For effects of the host itself that change something. */
export async function changeOutcome(signal: AbortSignal, effect: () => Promise<Change>): Promise<CapabilityOutcome> {
  return await outcomeOf(signal, null, async () => {
    const { result, left } = await effect();
    return { event: "succeeded", result, sandbox: null, ...(left === null ? {} : { left }) };
  });
}

export function unsuccessful(
  event: Exclude<CapabilityOutcome["event"], "succeeded">,
  { code, message, fix }: FemtoError,
  sandbox: string | null,
): CapabilityOutcome {
  return { event, code, reason: message, fix, sandbox };
}

/** LIMIT: bytes of a result, as JSON, beside what its capability returns at length. */
const OTHER_BYTES = 262_144;

/** LIMIT: bytes of what a capability returns at length, as JSON. An operator may allow a call more output than that. */
export const RESULT_ROOM = LIMITS.resultBytes - OTHER_BYTES;

/** An escape such as `\u0001` is the longest form of a character. */
const BYTES_PER_CHARACTER = 6;

/** Whether a result has room for all of these texts. */
export function haveRoom(texts: readonly string[]): boolean {
  const characters = texts.reduce((sum, { length }) => sum + length, 0);
  if (characters * BYTES_PER_CHARACTER <= RESULT_ROOM) return true;
  return texts.reduce((sum, text) => sum + Buffer.byteLength(JSON.stringify(text)), 0) <= RESULT_ROOM;
}
