/**
 * Checks what callers without types pass to a method: plain JavaScript, or a cast. They get the error that the socket
 * gives for the same request, and not the engine's own words about a line of this code.
 */
import { FemtoError } from "./errors.ts";

/** LIMIT: the longest time, in milliseconds, that a timer can wait; it would not wait at all for a longer one. */
export const WAIT_MS_MAX = 2 ** 31 - 1;

export function requireFields(what: string, value: unknown): asserts value is object {
  if (Object(value) !== value) throw malformed(`${what} must be an object`);
}

export function requireText(name: string, value: unknown): asserts value is string {
  if (typeof value !== "string") throw malformed(`\`${name}\` must be a string`);
}

/** For a number with an error of its own where it is out of range. */
export function requireNumber(name: string, value: unknown): asserts value is number {
  if (typeof value !== "number") throw malformed(`\`${name}\` must be a number`);
}

export function requireCount(name: string, value: unknown, max = Number.MAX_SAFE_INTEGER): asserts value is number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= max) return;
  throw malformed(`\`${name}\` must be an integer from 0 to ${max}`);
}

/** For a demand that is more than a type. */
export function malformed(reason: string): FemtoError {
  return new FemtoError("FEMTO_SOCKET_REQUEST", reason, {
    fix: "Pass arguments of the types that the method declares.",
  });
}
