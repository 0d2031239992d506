/**
 * What a secret looks like in text. Each pattern is linear in the text, because the text is hostile: it
 * begins only where a token can begin, and repeats nothing that overlaps with what follows it.
 */

export interface SecretPattern {
  /** Stands in the record in place of what was found. */
  readonly rule: string;
  readonly find: RegExp;
  /** `$1` keeps what tells a reader which value it was. */
  readonly replacement: string;
}

const NAMES = "pass(?:word|wd|phrase)|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?";

/** The head of a refused message is JSON text, where `n` may be the end of an escape and a quote may have backslashes. */
const ESCAPED = String.raw`(?<=\\[bfnrt])`;
const TOKEN_BEGINS = `(?:(?<![A-Za-z0-9_-])|${ESCAPED})`;
const QUOTE = String.raw`(?:\\{0,3}["'])?`;
const GAP = String.raw`(?:\\[nrt]|\s){0,4}`;

/** LIMIT: characters of what is taken out as a whole because quotes stand around it, whatever it holds. */
const QUOTED_CHARS = 128;
/** What stands between two of the same quotes in one line; the group of the first is `quote`. No part of what frames a key. */
const QUOTED = String.raw`(?:(?!(?<!\\)\k<quote>|-----)[^\r\n])`;
const NAME_AND_QUOTE = String.raw`(?:${NAMES})${QUOTE}${GAP}[:=]${GAP}(?<quote>\\{0,3}["'])`;

const KEY_HEAD = "-----BEGIN (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----";
const KEY_END = "-----END [A-Z0-9 ]{0,64}-----";

const token = (rule: string, body: string): SecretPattern => ({
  rule,
  find: new RegExp(`${TOKEN_BEGINS}(?:${body})`, "g"),
  replacement: `[redacted:${rule}]`,
});

const valueBehind = (rule: string, name: string, value: string): SecretPattern => ({
  rule,
  find: new RegExp(`(${name})(?:${value})`, "gi"),
  replacement: `$1[redacted:${rule}]`,
});

export const SECRET_PATTERNS: readonly SecretPattern[] = [
  // The first, because what the others leave of a text has another length. A variable's name in quotes is no secret.
  valueBehind("assignment", NAME_AND_QUOTE, `(?![$<])${QUOTED}{6,${QUOTED_CHARS}}(?=\\k<quote>)`),
  {
    rule: "private-key",
    find: new RegExp(`${KEY_HEAD}[\\s\\S]*?(?:${KEY_END}|$)`, "g"),
    replacement: "[redacted:private-key]",
  },
  token("aws-key", "(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
  token("github-token", "gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}"),
  token("gitlab-token", "glpat-[A-Za-z0-9_-]{20,}"),
  token("slack-token", "xox[abeoprs]-[A-Za-z0-9-]{10,}"),
  token("api-key", "sk-[A-Za-z0-9_-]{20,}|[sr]k_(?:live|test)_[A-Za-z0-9]{10,}|AIza[A-Za-z0-9_-]{35}"),
  token("npm-token", "npm_[A-Za-z0-9]{36,}"),
  token("json-web-token", "eyJ[A-Za-z0-9_-]{10,}\\.eyJ[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{10,}"),
  valueBehind("authorization", `(?:\\b|${ESCAPED})(?:bearer|basic)\\s{1,4}`, "[A-Za-z0-9+/_.~=-]{16,}"),
  valueBehind("url-password", "://[^\\s/:@]{1,256}:", "[^\\s/@]{1,256}(?=@)"),
  // A call of a function is source text, not a secret; and what was taken out above is none any more.
  valueBehind(
    "assignment",
    `(?:${NAMES})${QUOTE}${GAP}[:=]${GAP}${QUOTE}(?![A-Za-z_$][\\w.]{0,128}\\(|\\[redacted:assignment\\]\\\\{0,3}["'])`,
    "[^\\s\"'`,;(){}<>$]{6,4096}",
  ),
];

/** The name of a member, of an option or of a variable whose value is a secret. */
export const SECRET_NAME = new RegExp(`(?:${NAMES})$`, "i");

/**
 * Whether a JSON text may hold anything of the above. That decides for nearly every record that there is nothing to
 * look for; it may be wrong in the other direction only. What begins alike stands in one pattern, because each of them
 * alone skips most of a text, and one for all of them has to look at every character.
 */
const MAY_HOLD = [
  /-----BEGIN /,
  /AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|sk[-_]|rk_|AIza|npm_|eyJ/,
  /[Bb][Ee][Aa][Rr][Ee][Rr]|[Bb][Aa][Ss][Ii][Cc]/,
  /:\/\/[^\s/:@]+:[^\s/@]+@/,
];
/**
 * Between a name and what follows it stand quotes and white space, in the escapes of JSON text. A bare quote ends a text
 * there, and what follows its colon without one, a list or an object is no text: the facts of every call say `"has_read_secret":false`.
 */
const MAY_NAME = new RegExp(`(?:${NAMES})(?!":[^"[{])(?:\\\\(?:u[0-9a-f]{4}|[bfnrt])?|["'\\s]){0,24}[:=,]`, "i");

export function mayHoldSecret(json: string): boolean {
  return MAY_NAME.test(json) || MAY_HOLD.some((pattern) => pattern.test(json));
}

/** How a private key begins at a place, and how it ends. */
export const KEY_BEGINS = new RegExp(`^${KEY_HEAD}`);
export const KEY_ENDS = new RegExp(KEY_END);

/** What no value of an assignment goes on over; nor does anything else of the above, but for what `reachesOver` finds. */
export const VALUE_ENDS = /[\s"'`,;(){}<>$]/;

/** In front of a value, whose quotes and gaps may not be whole yet. */
const PARTIAL_QUOTE = String.raw`\\{0,3}["']?`;
const PARTIAL_GAP = String.raw`(?:\\[nrt]?|\s){0,4}`;
const VALUE_IS_NEXT = new RegExp(
  `(?:(?:${NAMES})${PARTIAL_QUOTE}${PARTIAL_GAP}[:=]${PARTIAL_GAP}${PARTIAL_QUOTE}|(?:bearer|basic)\\s{1,4})$`,
  "i",
);
const QUOTE_IS_OPEN = new RegExp(`${NAME_AND_QUOTE}${QUOTED}{0,${QUOTED_CHARS}}$`, "i");
const SIGN_IS_NEXT = new RegExp(`(?:${NAMES})${PARTIAL_QUOTE}${PARTIAL_GAP}$`, "i");
const KEY_HEAD_GOES_ON = /-----BEGIN (?:[A-Z0-9]{1,16} ){0,6}$/;

/**
 * Where something of the above begins that may go on over the end of a text, which lies between two words; null where
 * nothing does. `next` is the character that follows, empty where nobody knows it yet.
 */
export function reachesOver(text: string, next: string): number | null {
  const signs = next === "" || /[\s:=\\"']/.test(next) ? [SIGN_IS_NEXT] : [];
  const begins = [VALUE_IS_NEXT, QUOTE_IS_OPEN, KEY_HEAD_GOES_ON, ...signs].flatMap(
    (pattern) => pattern.exec(text)?.index ?? [],
  );
  return begins.length === 0 ? null : Math.min(...begins);
}
