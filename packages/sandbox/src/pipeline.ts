/**
 * Programs of which each reads what the one before it writes, started by a shell inside the sandbox. The shell reads
 * one text that is always the same; what a call brings reaches it as words, which no shell takes for text.
 */
import { LIMITS } from "@femtoclaw/protocol";
import { signalOf } from "./exit-status.ts";

/** Descriptor on which the shell says how each program ended; no program has it. */
export const STAGES_DESCRIPTOR = 6;
/** LIMIT: characters of all that it says: for each program the number of that, and how it ended. */
export const STAGES_CHARS = LIMITS.stages * "15 255\n".length;

/**
 * Its words are, for each program, how many words it has, and those: `2 /bin/cat file 1 /bin/wc`. Each stage turns its
 * own to the end, drops all others, and says its number and how it ended. A signal that asks for the end is for the
 * programs, and their shells wait for them.
 */
const SCRIPT = `
stage() {
  trap : HUP INT TERM
  femto_at=$1 femto_words=$2
  shift 2
  if [ "$#" -gt "$femto_words" ]; then
    first "$femto_at" "$femto_words" "$@" | { shift "$femto_words"; stage "$((femto_at + 1))" "$@"; }
  else
    "$@" 6>&-
    femto_code=$?
    echo "$femto_at $femto_code" >&6
    exit "$femto_code"
  fi
}
first() {
  trap : HUP INT TERM
  femto_at=$1 femto_words=$2
  shift 2
  femto_others=$(($# - femto_words))
  while [ "$femto_words" -gt 0 ]; do
    set -- "$@" "$1"
    shift
    femto_words=$((femto_words - 1))
  done
  shift "$femto_others"
  "$@" 6>&-
  echo "$femto_at $?" >&6
}
stage 0 "$@"
`;

/** Arguments of the shell that runs the programs, each given with its name first. */
export function pipelineArguments(programs: readonly (readonly string[])[]): string[] {
  return ["-c", SCRIPT, "sh", ...programs.flatMap((words) => [String(words.length), ...words])];
}

export interface StageEnd {
  /** As the program left it, 128 + N for one that signal N ended; null when it was killed with all others. */
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** How each of so many programs ended, by what the shell said. */
export function stageEnds(said: string, count: number): StageEnd[] {
  const codes = new Map(
    Array.from(said.matchAll(/^(\d{1,2}) (\d{1,3})$/gm), ([, at, code]) => [Number(at), Number(code)]),
  );
  return Array.from({ length: count }, (_, at) => {
    const exitCode = codes.get(at) ?? null;
    return { exitCode, signal: exitCode === null ? null : signalOf(exitCode) };
  });
}
