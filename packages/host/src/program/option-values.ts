/** Parses words on the command line. An empty one counts neither as zero nor as the current folder. */
import { InvalidArgumentError } from "commander";

/** LIMIT: milliseconds that a call may wait for an operator; nobody sits through more than a day. */
const WAIT_MS_MAX = 86_400_000;

export function sequenceNumber(text: string): number {
  return wholeNumber(text, 0, Number.MAX_SAFE_INTEGER, "a sequence number");
}

/** LIMIT: milliseconds of a timer. One of more would be over at once. */
const TIMER_MS_MAX = 2_147_483_647;

export function milliseconds(text: string): number {
  return wholeNumber(text, 1, TIMER_MS_MAX, `a number of milliseconds, at most ${TIMER_MS_MAX}`);
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

/** An empty word, such as an unset variable of a script, would mean the current folder. */
export function placeName(text: string): string {
  if (text !== "") return text;
  throw new InvalidArgumentError("It must be the name of a file or folder.");
}
