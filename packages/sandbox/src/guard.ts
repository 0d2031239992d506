/**
 * What stands beside a child that has no process namespace, outside of what confines it: a shell that begins when it is
 * told, says how the child ended, and ends all that it left. It leads the process group that none of them can leave. The
 * same under Landlock and under Seatbelt.
 */

/**
 * Descriptors as bubblewrap has them: 3 leads to the launcher, on 4 the two say how it fares, 5 is what holds it.
 * INVARIANT: I9: where the child has ended, or whoever holds the other end of 5 has, the kernel kills the whole group
 * at once, this shell with it. A process that is just being made is killed too, or not made. Whoever asks the group to
 * end asks the child: the shells have to say how that ended, so they do not end by it; and what is only handled, not
 * ignored, when the child is begun is not ignored by the child.
 */
const SCRIPT = `
read -r femto_begin <&5 || exit 1
exec 9<&0
trap : TERM HUP INT
"$@" <&9 9<&- 5<&- &
femto_child=$!
trap "" TERM HUP INT
exec 9<&- 3<&- </dev/null >/dev/null 2>&1
{ read -r femto_more <&5; kill -KILL 0; } 4>&- &
exec 5<&-
wait "$femto_child"
echo "{\\"exit-code\\": $?}" >&4
kill -KILL 0
`;

/** Arguments of the shell that starts a launcher, given with its name first. */
export function guardArguments(launcher: readonly string[]): string[] {
  return ["-c", SCRIPT, "sh", ...launcher];
}

/** What the guard waits for before it begins; then the descriptor stays open as long as the child may live. */
export const BEGIN = "begin\n";
