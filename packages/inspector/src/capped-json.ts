/** JSON in which no text is longer than a person reads: a result may have megabytes, and its record states its size. */

/** LIMIT: characters of one text sent to the page, which shows all of them and how many there are in all. */
export const TEXT_CHARS_MAX = 16_384;

export function cappedJson(value: unknown): string {
  return JSON.stringify(value, (_key, held: unknown) => (typeof held === "string" ? capped(held) : held)) ?? "null";
}

function capped(text: string): string {
  if (text.length <= TEXT_CHARS_MAX) return text;
  return `${text.slice(0, TEXT_CHARS_MAX).toWellFormed()}… (${text.length} characters)`;
}
