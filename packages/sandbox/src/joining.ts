/**
 * What stands before whatever confines a child, where control groups bound it: a shell that puts itself into them, and
 * becomes that. It may wait there for the call that it is for.
 *
 * Whoever puts another process into a group has the kernel wait until every processor has passed a point of rest, in
 * each hierarchy, and others who change groups wait with it. In version 1 a process of one thread that moves itself has
 * not.
 */

/**
 * Its words are files that take whoever writes to them into a group, `--`, and the beginning of a command. On the
 * descriptor that holds a child back it reads when the groups have their limits, and then how many words the command
 * has more, and these. INVARIANT: I9: it becomes the program when it is in each group; where whoever started it has
 * ended, or a group does not take it, it ends.
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

/** What it hears when the groups have their limits. */
export const MADE = "\n";
/** What it says when it is in them; the very first on the descriptor for what is said of a child. */
export const JOINED = "joined\n";

/** Arguments of the shell, given with its name first. */
export function joiningArguments(files: readonly string[], command: readonly string[]): string[] {
  return ["-c", SCRIPT, "sh", ...files, "--", ...command];
}

/** LIMIT: characters of the words that it is told; it reads them one by one. */
const TOLD_CHARS = 4_096;

/** Whether it can be told these words: in lines, and by characters that mean the same to every shell. */
export function canBeTold(words: readonly string[]): boolean {
  const isPlain = words.every((word) => /^[ -~]*$/.test(word));
  return isPlain && words.reduce((chars, word) => chars + word.length, words.length) <= TOLD_CHARS;
}

/** What it is told of the rest of its command. */
export const toldWords = (words: readonly string[]): string => [words.length, ...words, ""].join("\n");
