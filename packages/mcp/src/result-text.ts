/** A result as a model reads it best: short values on lines of their own, long texts as they are. */

/** Characters of a text that still stands on the line of its name. */
const LINE_CHARS = 120;

export function resultText(result: Readonly<Record<string, unknown>>): string {
  const lines: string[] = [];
  const blocks: string[] = [];
  for (const [name, value] of Object.entries(result)) {
    if (typeof value !== "string") lines.push(`${name}: ${JSON.stringify(value)}`);
    else if (value.length <= LINE_CHARS && !value.includes("\n")) lines.push(`${name}: ${value}`);
    else blocks.push(`${name}:\n${value}`);
  }
  return [...lines, ...blocks].join("\n");
}
