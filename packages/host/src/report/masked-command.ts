/** Takes out of a command line what may be a password, because a helper needs to see which program is started, and how. */

const MASKED = "[masked]";
const SECRET_WORDS = "pass|pwd|secret|token|credential|api-?key|auth";
/** An option whose value is secret, by its name; `-p` is the password of many database clients. */
const SECRET_OPTION = new RegExp(`^(?:-p|--(?:pw|key)|--?[\\w-]*(?:${SECRET_WORDS})[\\w-]*)$`, "i");

const REPLACEMENTS: readonly (readonly [find: RegExp, replacement: string])[] = [
  [new RegExp(`((?:^|\\s)--?[\\w-]*(?:${SECRET_WORDS})[\\w-]*[=\\s]\\s*)(?!-)[^\\s]+`, "gi"), `$1${MASKED}`],
  [/((?:^|\s)-p)(?![\s-])[^\s]+/g, `$1${MASKED}`],
  [/((?:^|[\s=/"'])[^\s:/@"'=]{1,256}):[^\s/@"']{1,256}(?=@)/g, `$1:${MASKED}`],
];

/** One word of a command, or a whole command line as a shell takes it. */
export function maskedWords(text: string): string {
  return REPLACEMENTS.reduce((shown, [find, replacement]) => shown.replace(find, replacement), text);
}

/** A command as a list of words. The program itself stays as it is. */
export function maskedCommand([program, ...words]: readonly string[]): readonly string[] {
  const shown = words.map((word, index) =>
    SECRET_OPTION.test(words[index - 1] ?? "") && !word.startsWith("-") ? MASKED : maskedWords(word),
  );
  return program === undefined ? [] : [program, ...shown];
}
