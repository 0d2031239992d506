/**
 * One checkpoint per line, as a witness file keeps it. It is the line that `audit checkpoint --json` prints, so a
 * witness file can also be filled by other means.
 */
import { errorText, parseJson } from "@femtoclaw/protocol";
import { NOTE_CHARS_MAX } from "../tree/signed-note.ts";

/** LIMIT: bytes of one line; every character of the largest note may need an escape. */
export const HELD_LINE_BYTES_MAX: number = 6 * NOTE_CHARS_MAX + 64;

/** The line for a signed note, with its newline. */
export function formatHeldLine(note: string): string {
  return `${JSON.stringify({ checkpoint: note })}\n`;
}

/** The signed note on the line, not verified yet; a fault for anything else. */
export function parseHeldLine(line: string): { readonly note: string } | { readonly fault: string } {
  try {
    const value: unknown = parseJson(line);
    if (typeof value === "object" && value !== null && "checkpoint" in value && typeof value.checkpoint === "string") {
      return { note: value.checkpoint };
    }
    return { fault: "it has no text `checkpoint`" };
  } catch (error) {
    return { fault: errorText(error) };
  }
}
