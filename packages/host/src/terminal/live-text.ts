/**
 * Output of a program as lines for a person's terminal, while it arrives. Only complete lines are returned, and nothing
 * in them can control the terminal.
 */
import { type OutputPart, printable } from "@femtoclaw/protocol";
import { withoutTabs } from "./tab-stops.ts";

/** LIMIT: characters of one line; a longer one is shown as several. */
const LINE_CHARS = 4_096;

export class LiveText {
  readonly #rest: Record<OutputPart["stream"], string> = { stdout: "", stderr: "", upstream: "" };
  readonly #chars: Record<OutputPart["stream"], number> = { stdout: 0, stderr: 0, upstream: 0 };
  /** Whether there was any output. */
  hasText = false;

  /**
   * The lines that are complete by now. A bare carriage return ends a line too, because what a program overwrites was a
   * line.
   */
  lines({ stream, text, skipped }: OutputPart): string[] {
    const gap = skipped === 0 ? [] : [...this.#left(), `[${skipped} bytes are not shown: they came too fast]`];
    this.#chars[stream] += text.length;
    if (text !== "") this.hasText = true;
    const pieces = (this.#rest[stream] + text).split(/\r\n|\n|\r(?!$)/);
    const rest = pieces.pop() ?? "";
    this.#rest[stream] = rest.length > LINE_CHARS ? "" : rest;
    const long = rest.length > LINE_CHARS ? [rest] : [];
    return [...gap, ...[...pieces, ...long].flatMap(cut)];
  }

  /**
   * Whether everything in the result was shown. Not shown is what came too fast or too late, what looked like a secret,
   * and long words, which might be secrets.
   */
  isAllOf(result: Readonly<Record<string, unknown>>): boolean {
    const told = Object.entries(this.#chars);
    return told.every(([stream, chars]) => typeof result[stream] !== "string" || result[stream].length === chars);
  }

  /** The rest, when the output has ended. */
  end(): string[] {
    return this.#left();
  }

  #left(): string[] {
    const left = Object.values(this.#rest).filter((rest) => rest !== "");
    this.#rest.stdout = "";
    this.#rest.stderr = "";
    return left.flatMap(cut);
  }
}

function cut(whole: string): string[] {
  const line = withoutTabs(whole);
  const lines: string[] = [];
  for (let at = 0; at === 0 || at < line.length; at += LINE_CHARS) {
    lines.push(printable(line.slice(at, at + LINE_CHARS), LINE_CHARS));
  }
  return lines;
}
