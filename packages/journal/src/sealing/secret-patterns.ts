/**
 * What a secret looks like in text. The text may be hostile, so each pattern runs in linear time: it starts only where
 * a token can start, and repeats nothing that overlaps with what follows.
 */

interface SecretPattern {
  /** Stands in the record in place of what was found. */
  readonly rule: string;
  readonly find: RegExp;
  /** `$1` keeps what tells a reader which value it was. */
  readonly replacement: string;
}

const NAMES = "pass(?:word|wd|phrase)|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?";

/** The head of a refused message is JSON text, in which `n` may end an escape and a quote may follow backslashes. */
const ESCAPED = String.raw`(?<=\\[bfnrt])`;
const TOKEN_BEGINS = `(?:(?<![A-Za-z0-9_-])|${ESCAPED})`;
const QUOTE = String.raw`(?:\\{0,3}["'])?`;
const GAP = String.raw`(?:\\[nrt]|\s){0,4}`;

/** LIMIT: characters of a quoted value that is taken out as a whole, whatever it contains. */
const QUOTED_CHARS = 128;
/**
 * A character between two equal quotes in one line; the opening one is the group `quote`. Does not include the marks
 * around a private key.
 */
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
  // This comes first, because the other patterns change the length of a text. A variable's name in quotes is no secret.
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
  token("hugging-face-token", "hf_[A-Za-z0-9]{30,}"),
  token("npm-token", "npm_[A-Za-z0-9]{36,}"),
  token("json-web-token", "eyJ[A-Za-z0-9_-]{10,}\\.eyJ[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{10,}"),
  valueBehind("authorization", `(?:\\b|${ESCAPED})(?:bearer|basic)\\s{1,4}`, "[A-Za-z0-9+/_.~=-]{16,}"),
  valueBehind("url-password", "://[^\\s/:@]{0,256}:", "[^\\s/@]{1,256}(?=@)"),
  // A function call is source text, not a secret. Neither is what the first pattern has already replaced.
  valueBehind(
    "assignment",
    `(?:${NAMES})${QUOTE}${GAP}[:=]${GAP}${QUOTE}(?![A-Za-z_$][\\w.]{0,128}\\(|\\[redacted:assignment\\]\\\\{0,3}["'])`,
    "[^\\s\"'`,;(){}<>$]{6,4096}",
  ),
];

/** The name of a member, an option or a variable whose value is secret. */
export const SECRET_NAME = new RegExp(`(?:${NAMES})$`, "i");

/**
 * Whether a JSON text may contain any of the above. For nearly every record this tells that there is nothing to look
 * for. It may report too much but never too little. Alternatives with a common start share a pattern: single patterns
 * skip most of a text, while one pattern for all would look at every character.
 */
const MAY_HOLD = [
  /-----BEGIN /,
  /AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|sk[-_]|rk_|AIza|npm_|hf_|eyJ/,
  /[Bb][Ee][Aa][Rr][Ee][Rr]|[Bb][Aa][Ss][Ii][Cc]/,
  /:\/\/[^\s/:@]*:[^\s/@]+@/,
];
/**
 * Quotes and white space between a name and its sign, as JSON text escapes them. An unescaped quote ends the string,
 * and a colon after it that is followed by neither a quote, a list nor an object introduces no text: the facts of every
 * call contain `"has_read_secret":false`.
 */
const MAY_NAME = new RegExp(`(?:${NAMES})(?!":[^"[{])(?:\\\\(?:u[0-9a-f]{4}|[bfnrt])?|["'\\s]){0,24}[:=,]`, "i");

export function mayHoldSecret(json: string): boolean {
  return MAY_NAME.test(json) || MAY_HOLD.some((pattern) => pattern.test(json));
}

/** The beginning and the end of a private key. */
export const KEY_BEGINS = new RegExp(`^${KEY_HEAD}`);
export const KEY_ENDS = new RegExp(KEY_END);

/**
 * Characters that no value of an assignment contains. The other secrets do not contain them either, except those that
 * `reachesOver` finds.
 */
export const VALUE_ENDS = /[\s"'`,;(){}<>$]/;

/** The characters before a value, whose quotes and gaps may still be incomplete. */
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
 * Where a secret may begin that continues beyond the end of this text, which lies between two words; null if there is
 * none. `next` is the following character, or empty if that is not known yet.
 */
export function reachesOver(text: string, next: string): number | null {
  const signs = next === "" || /[\s:=\\"']/.test(next) ? [SIGN_IS_NEXT] : [];
  const begins = [VALUE_IS_NEXT, QUOTE_IS_OPEN, KEY_HEAD_GOES_ON, ...signs].flatMap(
    (pattern) => pattern.exec(text)?.index ?? [],
  );
  return begins.length === 0 ? null : Math.min(...begins);
}
