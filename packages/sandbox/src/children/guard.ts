/**
 * The guard of a child that has no process namespace. It is a shell outside of the confinement, which begins when told,
 * reports how the child ended, and ends everything the child left. It leads the process group, which none of them can
 * leave. The same guard serves Landlock and Seatbelt.
 */

/**
 * The descriptors are those of bubblewrap: 3 leads to the launcher, on 4 the shell and the launcher report, 5 holds the
 * guard. INVARIANT: I9: when the child has ended, or the process that holds the other end of 5 has, the kernel kills the
 * whole group at once, this shell included. A process that is just being forked is killed too, or not made. A request to end
 * that reaches the group is for the child alone: the shells have to report how the child ended, so they survive it.
 * They handle the signal instead of ignoring it until the child has begun, because a child inherits only ignored
 * signals.
 */
const SCRIPT = `
exec 9<&0
trap : TERM HUP INT QUIT TSTP
"$@" <&9 9<&- 5<&- &
femto_child=$!
trap "" TERM HUP INT QUIT TSTP
exec 9<&- 3<&- </dev/null >/dev/null 2>&1
{ read -r femto_more <&5; kill -KILL 0; } 4>&- &
exec 5<&-
wait "$femto_child"
echo "{\\"exit-code\\": $?}" >&4
kill -KILL 0
`;

/** Nothing begins before this. */
const WAIT = `
read -r femto_begin <&5 || exit 1
`;

/**
 * The guard leads a session. The first terminal that it opens becomes the controlling one of that session, with its own
 * group in the foreground. So what is typed to interrupt, quit or stop the child reaches the shells too. They survive
 * it as they survive a request to end.
 */
const TAKE_TERMINAL = `
: </proc/self/fd/0 || exit 1
`;

/**
 * Arguments for the shell that runs a launcher, which is given by its name and arguments. `terminal` says whether the
 * first three descriptors are a terminal that is to be the controlling one of the guard's session.
 */
export function guardArguments(launcher: readonly string[], terminal = false): string[] {
  return ["-c", `${WAIT}${terminal ? TAKE_TERMINAL : ""}${SCRIPT}`, "sh", ...launcher];
}

/** What the guard waits for before it begins. After that the descriptor stays open as long as the child may live. */
export const BEGIN = "begin\n";
