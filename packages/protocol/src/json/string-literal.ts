/** Where a string literal of JSON ends. */

/** The next quote that no backslash escapes; the end of the text if there is none. */
export function closingQuote(text: string, from: number): number {
  for (let quote = text.indexOf('"', from); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (quote - backslashes > from && text[quote - backslashes - 1] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return quote;
  }
  return text.length;
}
