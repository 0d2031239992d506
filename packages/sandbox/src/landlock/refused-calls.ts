/**
 * System calls that are refused to a child without namespaces of its own, in addition to those refused to every child:
 * calls that Landlock does not check, and calls that reach other processes of the same user. Pure.
 */
import {
  ALLOW,
  errno,
  give,
  giveWhen,
  type Instruction,
  JUMP_ANY_BIT,
  JUMP_EQUAL,
  load,
  loadArgument,
  OFFSET_NUMBER,
  onArgument,
} from "../seccomp/bpf.ts";
import type { Processor, SystemCall } from "../seccomp/system-calls.ts";

const DENIED = errno(1 /* EPERM */);

/** INVARIANT: I9: a child is killed by its process group, so nothing may leave that if nothing else would end it. */
const LEAVES_GROUP: readonly SystemCall[] = ["setpgid", "setsid"];

const REFUSED: readonly SystemCall[] = [
  // Landlock checks neither UDP nor sockets of other families, so there are no sockets at all.
  ...(["socket", "connect", "bind", "listen", "accept", "accept4"] as const),
  // Landlock protects the content of files, but not their metadata, and this user may own them.
  ...(["chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat"] as const),
  ...(["utime", "utimes", "futimesat", "utimensat", "file_setattr"] as const),
  ...(["setxattr", "lsetxattr", "fsetxattr", "setxattrat"] as const),
  ...(["removexattr", "lremovexattr", "fremovexattr", "removexattrat"] as const),
  // Anyone who watches a folder learns the names of the entries in it.
  ...(["inotify_init", "inotify_init1", "inotify_add_watch", "inotify_rm_watch"] as const),
  ...(["fanotify_init", "fanotify_mark"] as const),
  // Memory, messages and semaphores that all processes of the user share.
  ...(["shmget", "shmat", "shmctl", "shmdt", "semget", "semop", "semctl", "semtimedop"] as const),
  ...(["msgget", "msgsnd", "msgrcv", "msgctl"] as const),
  ...(["mq_open", "mq_unlink", "mq_timedsend", "mq_timedreceive", "mq_notify", "mq_getsetattr"] as const),
  // Calls that could slow or stop other processes of the user.
  ...(["ioprio_set", "migrate_pages", "move_pages", "process_madvise", "process_mrelease"] as const),
  ...(["pidfd_send_signal"] as const),
];

/** Permitted for the caller itself, which is process 0; any other process could be one of the same user's. */
const OF_ITSELF: readonly SystemCall[] = [
  ...(["prlimit64", "sched_setparam", "sched_setscheduler", "sched_setaffinity", "sched_setattr"] as const),
];

/** Requests for files, pipes and what may be a terminal. All others are about devices or change metadata. */
const REQUESTS: readonly number[] = [
  ...[0x5401, 0x802c542a /* TCGETS, TCGETS2 */, 0x5402, 0x5403, 0x5404 /* TCSETS… */],
  ...[0x5413 /* TIOCGWINSZ */, 0x541b /* FIONREAD */, 0x5421 /* FIONBIO */, 0x5450, 0x5451 /* FIO…CLEX */],
  ...[0x40049409, 0x4020940d /* FICLONE, FICLONERANGE */, 0x80086601 /* FS_IOC_GETFLAGS */],
];

/**
 * Further requests of a program that has a terminal. No other requests about terminals pass. Among those are some that
 * type into a terminal, take what is written to another one, keep others out, or load line disciplines.
 */
const TERMINAL_REQUESTS: readonly number[] = [
  ...[0x402c542b, 0x402c542c, 0x402c542d /* TCSETS2… */, 0x5409, 0x5425 /* TCSBRK, TCSBRKP */],
  ...[0x540a /* TCXONC */, 0x540b /* TCFLSH */, 0x5411 /* TIOCOUTQ */, 0x5414 /* TIOCSWINSZ */],
];

/**
 * Requests about the group in the foreground, for a child that may make groups. Any other child is refused both, which
 * tells shells that there is no job control. If it could set the foreground, the kernel would also accept the number of
 * a process that leads no group, and an interrupt that is typed would then reach nobody.
 */
const JOB_REQUESTS: readonly number[] = [0x540f, 0x5410 /* TIOCGPGRP, TIOCSPGRP */];

/**
 * When something happens to a file that has this flag, the kernel sends a signal that the program chose to a process or
 * a group that it chose, or to the group in the foreground of a terminal. INVARIANT: I9: no child signals its guard.
 * Many kernels from 6.12 on do not check such a signal against Landlock if it goes to a group.
 */
const F_SETFL = 4;
const O_ASYNC = 0o20000;

/**
 * Whose session a child's terminal is the controlling one of. A child in namespaces begins a session, and may have
 * groups and sessions as it likes, because its namespaces end them all. Any other child is ended by the group of its
 * guard, and so has to stay in the session of the guard.
 */
export type OwnTerminal = "none" | "of the guard" | "of the program";

/** These checks come before all others, and leave most calls to them. */
export function refusedAlone({ numbersOf }: Processor, terminal: OwnTerminal): Instruction[] {
  const hasJobs = terminal === "of the program";
  const requests = [...REQUESTS, ...(terminal === "none" ? [] : TERMINAL_REQUESTS), ...(hasJobs ? JOB_REQUESTS : [])];
  return [
    ...numbersOf(...(hasJobs ? [] : LEAVES_GROUP), ...REFUSED).flatMap((call) => giveWhen(JUMP_EQUAL, call, DENIED)),
    ...numbersOf(...OF_ITSELF).flatMap((call) => onArgument(call, 0, giveWhen(JUMP_EQUAL, 0, ALLOW), DENIED)),
    ...numbersOf("setpriority").flatMap((call) => onBoth(call, giveWhen(JUMP_EQUAL, 0, ALLOW))),
    ...numbersOf("fcntl").flatMap(onFlags),
    ...numbersOf("ioctl").flatMap((call) => onRequest(call, requests)),
  ];
}

/** Permitted for a process, and that the caller: the first argument could also name a group or a user. */
function onBoth(call: number, isItself: readonly Instruction[]): Instruction[] {
  const which = [loadArgument(0), { code: JUMP_EQUAL, whenTrue: 1, whenFalse: 0, operand: 0 }, give(DENIED)];
  const body = [...which, loadArgument(1), ...isItself, give(DENIED)];
  return [{ code: JUMP_EQUAL, whenTrue: 0, whenFalse: body.length, operand: call }, ...body];
}

/** Leaves all that it does not refuse to the checks that follow, which look at the number of the call. */
function onFlags(call: number): Instruction[] {
  const check = [loadArgument(2), ...giveWhen(JUMP_ANY_BIT, O_ASYNC, DENIED)];
  const onCommand = [{ code: JUMP_EQUAL, whenTrue: 0, whenFalse: check.length, operand: F_SETFL }, ...check];
  const body = [loadArgument(1), ...onCommand, load(OFFSET_NUMBER)];
  return [{ code: JUMP_EQUAL, whenTrue: 0, whenFalse: body.length, operand: call }, ...body];
}

function onRequest(call: number, requests: readonly number[]): Instruction[] {
  const known = requests.flatMap((request) => giveWhen(JUMP_EQUAL, request, ALLOW));
  return onArgument(call, 1, known, DENIED);
}
