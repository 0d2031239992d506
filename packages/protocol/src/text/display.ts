/**
 * The one way from an untrusted string to a terminal, a log line or a text for people: characters that act, hide or look
 * like others become visible, and the length is capped.
 */
/** Control, bidirectional and invisible characters, and blanks that look like a space. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800]|(?! )\p{Zs}/gu;

/** LIMIT: marks on one character; no script stacks more, and a pile of them covers the lines around it. */
const MARKS_MAX = 4;
/** Marks, with a quotation mark that they would be drawn over. */
const MARKS = /"?\p{M}+/gu;

/** Or an escape of JSON text, so that its letter counts for no word. */
const WORD = /\\[bfnrtu"\\]|[\p{L}\p{M}]{2,}/gu;
const LATIN = /\p{sc=Latn}/u;
/** Letters of Armenian, Cherokee, Coptic, Cyrillic, Greek and Lisu, which have letters that look like Latin ones. */
const LIKE_LATIN = /[\p{sc=Armn}\p{sc=Cher}\p{sc=Copt}\p{sc=Cyrl}\p{sc=Grek}\p{sc=Lisu}]/gu;

export function printable(text: string, charsMax = 200): string {
  const characters = [...text.slice(0, charsMax * 2 + 2).toWellFormed()];
  const cut = characters.length > charsMax ? `${characters.slice(0, charsMax).join("")}…` : characters.join("");
  return disclosed(cut, (one) => `\\u{${one.codePointAt(0)?.toString(16) ?? "fffd"}}`);
}

/** The text as people see it: without hidden characters and outer blanks, and with a space for every other blank. */
export function asSeen(text: string): string {
  return text.replace(HIDDEN, (one) => (/\p{Zs}/u.test(one) ? " " : "")).trim();
}

/**
 * The text with all characters escaped that act, hide or look like others. These include letters of another alphabet
 * that may look like Latin ones, in a word with Latin letters, and marks that would be drawn over what is not the text's
 * own.
 */
export function disclosed(text: string, escaped: (character: string) => string): string {
  return text
    .replace(HIDDEN, escaped)
    .replace(MARKS, (marks, offset: number) => {
      // Where a text begins, a mark stands on what is shown before the text.
      const last = marks.startsWith('"') || offset === 0 ? 0 : MARKS_MAX;
      return [...marks].map((one, index) => (one === '"' || index < last ? one : escaped(one))).join("");
    })
    .replace(WORD, (word) => (LATIN.test(word) ? word.replace(LIKE_LATIN, escaped) : word));
}

/**
 * JSON that shows the same characters as escapes: every program reads the same value, and every terminal shows it
 * plainly.
 */
export function visibleJson(value: unknown): string {
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return disclosed(JSON.stringify(value), (one) => one.split("").map(escaped).join(""));
}

/** The same, and says what is missing if it is cut, for a text on which somebody decides. */
export function countedText(text: string, charsMax: number): string {
  const shown = printable(text, charsMax);
  if (text.length <= charsMax) return shown;
  const { length } = [...text];
  return length <= charsMax ? shown : `${shown} (${charsMax} of ${length} characters; --json shows all)`;
}

/** Whether secrets may have been taken out of a recorded value. Also true of a text that only says so. */
export function isRedacted(value: unknown): boolean {
  return /\[redacted[\]:]/.test(JSON.stringify(value) ?? "");
}
