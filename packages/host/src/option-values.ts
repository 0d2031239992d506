/** Numbers among the words of a command line: digits and nothing else, so that an empty word is no zero. */
import { InvalidArgumentError } from "commander";

/** LIMIT: milliseconds that a call may wait for an operator; what is longer than a day nobody sits through. */
const WAIT_MS_MAX = 86_400_000;

export function sequenceNumber(text: string): number {
  return wholeNumber(text, 0, Number.MAX_SAFE_INTEGER, "a sequence number");
}

export function milliseconds(text: string): number {
  return wholeNumber(text, 1, Number.MAX_SAFE_INTEGER, "a number of milliseconds");
}

/** How long a call may wait for an operator, in milliseconds. */
export function waitingTime(text: string): number {
  return wholeNumber(text, 1, WAIT_MS_MAX, "a number of milliseconds, at most a day");
}

/** `what` completes the sentence that a wrong value is answered with. */
export function wholeNumber(text: string, min: number, max: number, what: string): number {
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && value >= min && value <= max) return value;
  throw new InvalidArgumentError(`It must be ${what}.`);
}
