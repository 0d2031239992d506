/**
 * Turns a view and a command into the script for a shell that puts a program under Seatbelt. Pure. What cannot be
 * confined without namespaces is refused here, as under Landlock.
 */
import { FemtoError, printable } from "@femtoclaw/protocol";
import { childEnvironment, requireVisible, type SandboxCommand, startedBy } from "../bubblewrap.ts";
import { type ChildLimits, CPU_GRACE_SECONDS } from "../children/child-limits.ts";
import type { Beside } from "../landlock/landlock-plan.ts";
import type { SandboxView } from "../views/view.ts";
import { seatbeltProfile } from "./seatbelt-profile.ts";

/** LIMIT: bytes of one block, the unit in which the shell takes sizes of files. */
const BLOCK_BYTES = 512;

/** Variables that the shell sets or interprets itself; a program would get other values than it was given. */
const OF_SHELL: readonly string[] = ["_", "IFS", "OLDPWD", "OPTIND", "PPID", "PS1", "PS2", "PS4", "PWD"];

/**
 * `limit` sets a soft and a hard limit, or less if the process already has less. The script contains only our own text.
 * INVARIANT: I3: the script reports the program as started only after the same profile let a program of the system
 * start; otherwise it reports a fault, and nothing starts without the profile. The commands in `femto_inside` are run
 * by a second shell behind the profile, so that no variable chosen by a call reaches a program before it: some make a
 * program load code.
 */
const SCRIPT = `
fault() { printf '{"fault":"%s"}\\n' "$1" >&4; exit 1; }
limit() {
  femto_most=$(ulimit -H "-$1") || fault "its limits cannot be read"
  femto_soft=$2 femto_hard=$3
  if [ "$femto_most" != unlimited ]; then
    [ "$femto_soft" -le "$femto_most" ] || femto_soft=$femto_most
    [ "$femto_hard" -le "$femto_most" ] || femto_hard=$femto_most
  fi
  ulimit -S "-$1" "$femto_soft" && ulimit -H "-$1" "$femto_hard" || fault "its limits cannot be set"
}
cd -P "$femto_cwd" 2>/dev/null && [ "$PWD" = "$femto_cwd" ] || fault "its folder cannot be entered, or has become a link"
femto_running=$(/bin/ps -U "$(/usr/bin/id -u)" -o pid=) || fault "its processes cannot be counted"
limit c 0 0
limit t "$femto_seconds" "$((femto_seconds + ${CPU_GRACE_SECONDS}))"
limit f "$femto_blocks" "$femto_blocks"
limit n "$femto_files" "$femto_files"
femto_processes=$((femto_processes + $(printf '%s\\n' "$femto_running" | /usr/bin/wc -l)))
limit p "$femto_processes" "$femto_processes"
femto_why=$("$@" /usr/bin/true 2>&1 </dev/null 3<&- 4>&-) || fault "no program starts under its profile: $(
  printf '%s' "$femto_why" | /usr/bin/tr -cd 'A-Za-z0-9 ._:()/-' | /usr/bin/cut -c 1-300)"
unset OLDPWD
export PWD
printf '{"child-pid": %s}\\n' "$$" >&4
exec 4>&- 3<<end
$femto_inside
end
exec "$@" "$femto_shell" -c 'eval "$(/bin/cat <&3)"' femtoclaw
`;

/** Throws FEMTO_SANDBOX_UNAVAILABLE. INVARIANT: I3: what only a namespace can confine is not started without one. */
export function seatbeltScript(
  view: SandboxView,
  command: SandboxCommand,
  limits: ChildLimits,
  { terminal, relay }: Beside,
): string {
  if (view.rung.name !== "seatbelt") throw beyond("what was planned for another system");
  requireVisible(view, command);
  if (terminal || command.isAgent === true) throw beyond("a program on a terminal, or an agent,");
  if (relay) throw beyond("a program that may connect to hosts");
  if (view.mounts.some(({ kind }) => ["placed", "handed", "written", "proc", "dev", "tmpfs"].includes(kind))) {
    throw beyond("a program that FemtoClaw hands files or folders of its own");
  }
  const { text, parameters } = seatbeltProfile(view);
  const given = [...parameters].map(([name, path]) => `-D${name}=${path}`);
  const confiner = [view.rung.program, "-p", text, ...given, "--"];
  const inside = [
    ...Object.entries(childEnvironment(view, command)).map(exported),
    `exec 3<&-`,
    `exec ${startedBy(view, command).map(quoted).join(" ")}`,
  ];
  const values = {
    // INVARIANT: I10: values of variables stand on no command line, which others on this machine could read.
    inside: inside.join("\n"),
    shell: view.rung.shell,
    cwd: command.cwd,
    seconds: String(Math.ceil(limits.cpuMs / 1_000)),
    blocks: String(Math.floor(limits.fileBytes / BLOCK_BYTES)),
    files: String(limits.openFiles),
    processes: String(limits.processes),
  };
  return [
    ...Object.entries(values).map(([name, value]) => `femto_${name}=${quoted(value)}`),
    `set -- ${confiner.map(quoted).join(" ")}`,
    SCRIPT.trim(),
    "",
  ].join("\n");
}

function exported([name, value]: readonly [string, string]): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || OF_SHELL.includes(name) || name.startsWith("femto_")) {
    const reason = `the variable ${printable(name)} reaches no program under Seatbelt as it was given`;
    throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", reason, {
      fix: "Give it another name, of letters, digits and underscores.",
    });
  }
  return `export ${name}=${quoted(value)}`;
}

/** The text as one word of a shell, whatever is in it. No NUL can reach a program. */
function quoted(text: string): string {
  if (text.includes("\0")) throw beyond("a text with a NUL in it");
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function beyond(what: string): FemtoError {
  return new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `${what} is not confined by Seatbelt, so it is not started`, {
    fix: "Do this on Linux with bubblewrap. `femtoclaw doctor` says what is not covered here.",
  });
}

/** Reads the script from the descriptor of the plan, and becomes what the script ends with. */
export const STARTER = ["-c", 'eval "$(/bin/cat <&3)"', "femtoclaw"];
