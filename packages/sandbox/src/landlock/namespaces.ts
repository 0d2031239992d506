/**
 * The namespaces that a child under Landlock has where a user may make them: `unshare` of util-linux makes them, and a
 * shell is process 1 in them. The file tree stays that of the machine, as Landlock and its rules are about that.
 */
import { readlinkSync } from "node:fs";

/** By the names that the kernel has for them. */
const NAMESPACES = ["user", "pid", "ipc", "net", "uts", "cgroup"] as const;

/**
 * The user is the same one inside, so that files are whose they were, and what is started inside has no capability.
 * INVARIANT: I9: process 1 ends with `unshare`, and all others with process 1.
 */
const OPTIONS = [...NAMESPACES.map((name) => `--${name}`), "--map-current-user", "--fork", "--kill-child"];

/**
 * Process 1 ends when the program does, which it began, and as that did. The program cannot be process 1 itself: the kernel
 * gives that no signal which it does not handle, so neither who asks it to end nor a limit would end it. This shell is not
 * confined by Landlock, which therefore keeps the program from signalling it.
 */
const FIRST = `
exec 9<&0
"$@" <&9 9<&- &
exec 9<&- 3<&- 4<&- </dev/null >/dev/null 2>&1
wait "$!"
`;

/** What starts the launcher in namespaces of its own, which ends as that does. */
export function inNamespaces(unshare: string, shell: string, launcher: readonly string[]): string[] {
  return [unshare, ...OPTIONS, "--", shell, "-c", FIRST, "sh", ...launcher];
}

/** The namespaces of this process, in none of which a child may be. */
export function ownNamespaces(): Record<string, string> {
  return Object.fromEntries(NAMESPACES.map((name) => [name, readlinkSync(`/proc/self/ns/${name}`)]));
}
