/**
 * How a child gets into its control groups: a shell starts in place of the confining program, joins the groups, and
 * then becomes that program. It may wait in the groups for the call that it is for.
 *
 * A process that is put into a group by another one is held up by the kernel until every processor has passed a
 * quiescent state, once per hierarchy, and everybody else who changes groups is held up too. In version 1, a
 * single-threaded process that moves itself is spared that.
 */

/**
 * The shell's arguments are the files that move the writing process into a group, `--`, and the beginning of a
 * command. From the descriptor that holds a child back it reads a line once the groups have their limits, then the
 * number of further words of the command, then these words. INVARIANT: I9: the shell becomes the program only after it
 * has joined each group; if its parent has ended, or a group refuses it, it exits.
 */
const SCRIPT = `
read -r femto_made <&5 || exit 1
while [ "$1" != -- ]; do
  echo 0 >"$1" || exit 1
  shift
done
shift
echo joined >&4
read -r femto_words <&5 || exit 1
while [ "$femto_words" -gt 0 ]; do
  IFS= read -r femto_word <&5 || exit 1
  set -- "$@" "$femto_word"
  femto_words=$((femto_words - 1))
done
exec "$@"
`;

/** Tells the shell that the groups have their limits. */
export const MADE = "\n";
/** The shell's report that it has joined the groups, the first text on the status descriptor. */
export const JOINED = "joined\n";

/** Arguments for the shell, given after its name. */
export function joiningArguments(files: readonly string[], command: readonly string[]): string[] {
  return ["-c", SCRIPT, "sh", ...files, "--", ...command];
}

/** LIMIT: characters of the words sent to the shell, which reads them one by one. */
const TOLD_CHARS = 4_096;

/** Whether these words can be sent: one per line, in characters that mean the same to every shell. */
export function canBeTold(words: readonly string[]): boolean {
  const isPlain = words.every((word) => /^[ -~]*$/.test(word));
  return isPlain && words.reduce((chars, word) => chars + word.length, words.length) <= TOLD_CHARS;
}

/** The words that complete the shell's command, as it reads them. */
export const toldWords = (words: readonly string[]): string => [words.length, ...words, ""].join("\n");
