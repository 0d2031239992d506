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
 * The kernel ends all others when process 1 has ended, which is when the program has, and gives it no signal that it does
 * not handle; so the program is another one, or no signal and no limit would end it. Nothing inside reaches process 1,
 * which Landlock does not confine: the program's rules are about all that is not itself.
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
