/** Extracts the places in the code from a stack: names and lines, but none of the values that a message may quote. */
import { errorText } from "@femtoclaw/protocol";

/** LIMIT: frames of one stack. */
const FRAMES_MAX = 32;
const FRAME = /^\s+at (?:async )?([\w.#<>[\] ]{1,120}? )?\(?(?:file:\/\/)?([^()\s]{1,400}:\d+:\d+)\)?$/;

export function framesOf(error: unknown): readonly string[] {
  const stack = error instanceof Error ? (error.stack ?? "") : errorText(error);
  return stack.split("\n").flatMap(frameIn).slice(0, FRAMES_MAX);
}

/** A stack line as `name place`; nothing for any other line. */
export function frameIn(line: string): string[] {
  const match = FRAME.exec(line);
  return match === null ? [] : [`${(match[1] ?? "").trim()} ${shortened(match[2] ?? "")}`.trim()];
}

/** Cuts the path before the sources, because where they lie is private. */
function shortened(place: string): string {
  return place.replace(/^.*?\/((?:packages|machines|schemas|node_modules)\/)/, "$1");
}
