/**
 * The namespaces of a child under Landlock, if a user may make them: `unshare` of util-linux makes them, and a shell is
 * process 1 in them. The file tree stays that of the machine, because Landlock and its rules refer to it.
 */
import { readlinkSync } from "node:fs";

/** The kernel's names for them. */
const NAMESPACES = ["user", "pid", "ipc", "net", "uts", "cgroup"] as const;

/**
 * The user is the same inside, so that files keep their owner; and what is started inside has no capabilities.
 * INVARIANT: I9: process 1 ends with `unshare`, and all others end with process 1.
 */
const OPTIONS = [...NAMESPACES.map((name) => `--${name}`), "--map-current-user", "--fork", "--kill-child"];

/**
 * Process 1 starts the program, and exits as the program does. The program cannot be process 1 itself: the kernel
 * withholds signals that process 1 does not handle, so neither a request to end nor a limit would end it. Landlock does
 * not confine this shell, and therefore keeps the program from signalling it.
 */
const FIRST = `
exec 9<&0
"$@" <&9 9<&- &
exec 9<&- 3<&- 4<&- </dev/null >/dev/null 2>&1
wait "$!"
`;

/** The command that starts the launcher in namespaces of its own, and exits as the launcher does. */
export function inNamespaces(unshare: string, shell: string, launcher: readonly string[]): string[] {
  return [unshare, ...OPTIONS, "--", shell, "-c", FIRST, "sh", ...launcher];
}

/** The namespaces of this process; a child may be in none of them. */
export function ownNamespaces(): Record<string, string> {
  return Object.fromEntries(NAMESPACES.map((name) => [name, readlinkSync(`/proc/self/ns/${name}`)]));
}
