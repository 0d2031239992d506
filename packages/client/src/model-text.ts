/** Formats a reply for a model: what became of its call, short values on lines of their own, long texts as they are. */
import type { Reply } from "@femtoclaw/protocol";

/** Characters of a text that still stands on the line of its name. */
const LINE_CHARS = 120;

/** LIMIT: characters of the text of a result; clients accept messages of a few megabytes. */
const RESULT_TEXT_CHARS_MAX = 1_048_576;

/** The result of a completed call. */
export function resultText(result: Readonly<Record<string, unknown>>): string {
  const lines: string[] = [];
  const blocks: string[] = [];
  for (const [name, value] of Object.entries(result)) {
    if (typeof value !== "string") lines.push(`${name}: ${JSON.stringify(value)}`);
    else if (value.length <= LINE_CHARS && !value.includes("\n")) lines.push(`${name}: ${value}`);
    else blocks.push(`${name}:\n${value}`);
  }
  const whole = [...lines, ...blocks].join("\n");
  const more = whole.length - RESULT_TEXT_CHARS_MAX;
  if (more <= 0) return whole;
  return `${whole.slice(0, RESULT_TEXT_CHARS_MAX).toWellFormed()}\n[${more} characters more: see the structured content]`;
}

/** Why a call was not completed, by which rules, and what to do instead. */
export function refusalText({ status, decision, error, policy }: Reply): string {
  const rules = policy?.rules ?? [];
  return [
    ...(error === undefined ? [status] : [faultText(decision ?? status, error)]),
    ...(rules.length === 0 ? [] : [`rules: ${rules.join(", ")}`]),
  ].join("\n");
}

/** The fault, its code, and what to do instead, each on a line. */
export function faultText(
  what: string,
  { code, reason, fix }: { readonly code: string; readonly reason: string; readonly fix: string },
): string {
  return [`${what}: ${reason}`, `code: ${code}`, `what to do: ${fix}`].join("\n");
}
