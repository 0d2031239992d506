/** Parses numbers on the command line. Only digits are accepted, so that an empty word does not count as zero. */
import { InvalidArgumentError } from "commander";

/** LIMIT: milliseconds that a call may wait for an operator; nobody sits through more than a day. */
const WAIT_MS_MAX = 86_400_000;

export function sequenceNumber(text: string): number {
  return wholeNumber(text, 0, Number.MAX_SAFE_INTEGER, "a sequence number");
}

export function milliseconds(text: string): number {
  return wholeNumber(text, 1, Number.MAX_SAFE_INTEGER, "a number of milliseconds");
}

/** Milliseconds that a call may wait for an operator. */
export function waitingTime(text: string): number {
  return wholeNumber(text, 1, WAIT_MS_MAX, "a number of milliseconds, at most a day");
}

/** `what` completes the error message for a wrong value. */
export function wholeNumber(text: string, min: number, max: number, what: string): number {
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && value >= min && value <= max) return value;
  throw new InvalidArgumentError(`It must be ${what}.`);
}
