/**
 * Runs programs each of which reads what the one before it writes. A shell inside the sandbox starts them by a constant
 * script; what a call brings reaches it as arguments only, which no shell parses.
 */
import { LIMITS } from "@femtoclaw/protocol";
import { signalOf } from "./exit-status.ts";

/** Descriptor on which the shell reports how each program ended; the programs do not get it. */
export const STAGES_DESCRIPTOR = 6;
/** LIMIT: characters of these reports, each of which is a program's number and its exit code. */
export const STAGES_CHARS = LIMITS.stages * "15 255\n".length;

/**
 * The shell's arguments are, for each program, the number of its words and these words: `2 /bin/cat file 1 /bin/wc`.
 * Each stage rotates its own words to the end, drops all others, and reports its number and how it ended. A signal that
 * asks the pipeline to end is for the programs; their shells wait for them.
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

/** Arguments for the shell, given after its name. */
export function pipelineArguments(programs: readonly (readonly string[])[]): string[] {
  return ["-c", SCRIPT, "sh", ...programs.flatMap((words) => [String(words.length), ...words])];
}

export interface StageEnd {
  /** The program's exit code, 128 + N if signal N ended it; null if it was killed together with all others. */
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** How each of `count` programs ended, according to the shell's reports. */
export function stageEnds(said: string, count: number): StageEnd[] {
  const codes = new Map(
    Array.from(said.matchAll(/^(\d{1,2}) (\d{1,3})$/gm), ([, at, code]) => [Number(at), Number(code)]),
  );
  return Array.from({ length: count }, (_, at) => {
    const exitCode = codes.get(at) ?? null;
    return { exitCode, signal: exitCode === null ? null : signalOf(exitCode) };
  });
}
