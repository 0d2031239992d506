/** A result as a model reads it best: short values on lines of their own, long texts as they are. */

/** Characters of a text that still stands on the line of its name. */
const LINE_CHARS = 120;

/** LIMIT: characters of the text; it repeats what stands beside it, and clients hold messages of a few megabytes. */
export const TEXT_CHARS_MAX = 1_048_576;

export function resultText(result: Readonly<Record<string, unknown>>): string {
  const lines: string[] = [];
  const blocks: string[] = [];
  for (const [name, value] of Object.entries(result)) {
    if (typeof value !== "string") lines.push(`${name}: ${JSON.stringify(value)}`);
    else if (value.length <= LINE_CHARS && !value.includes("\n")) lines.push(`${name}: ${value}`);
    else blocks.push(`${name}:\n${value}`);
  }
  const whole = [...lines, ...blocks].join("\n");
  const more = whole.length - TEXT_CHARS_MAX;
  if (more <= 0) return whole;
  return `${whole.slice(0, TEXT_CHARS_MAX).toWellFormed()}\n[${more} characters more: see the structured content]`;
}
