/**
 * The one way from an untrusted string to a terminal, a log line or a text for people: control, bidirectional and
 * invisible characters become visible, and the length is capped.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800]/gu;

export function printable(text: string, charsMax = 200): string {
  const characters = [...text.slice(0, charsMax * 2 + 2).toWellFormed()];
  const cut = characters.length > charsMax ? `${characters.slice(0, charsMax).join("")}…` : characters.join("");
  return cut.replace(HIDDEN, (hidden) => `\\u{${hidden.codePointAt(0)?.toString(16) ?? "fffd"}}`);
}

/**
 * JSON that shows the same characters as escapes: every program reads the same value, and every terminal shows it
 * plainly.
 */
export function visibleJson(value: unknown): string {
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value).replace(HIDDEN, (hidden) => hidden.split("").map(escaped).join(""));
}
