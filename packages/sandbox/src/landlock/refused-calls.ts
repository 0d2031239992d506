/**
 * System calls of x86-64 that are refused to a child without namespaces of its own, beside those that are refused to
 * every child: what Landlock does not look at, and what reaches other processes of the same user. Pure.
 */
import {
  ALLOW,
  errno,
  give,
  giveWhen,
  type Instruction,
  JUMP_ANY_BIT,
  JUMP_EQUAL,
  loadArgument,
  onArgument,
} from "../bpf.ts";

const DENIED = errno(1 /* EPERM */);

const REFUSED: readonly number[] = [
  // INVARIANT: I9: whoever leaves the process group is not found by the kill that ends the child as a whole.
  ...[109 /* setpgid */, 112 /* setsid */],
  // Landlock knows no UDP and no socket of another family by its path, so there are no sockets at all.
  ...[41 /* socket */, 42 /* connect */, 49 /* bind */, 50 /* listen */, 43, 288 /* accept, accept4 */],
  // Landlock lets everybody change what a file is called by, and not what it holds: the owner would be this user.
  ...[90, 91, 268, 452 /* chmod … fchmodat2 */, 92, 93, 94, 260 /* chown … fchownat */],
  ...[132, 235, 261, 280 /* utime … utimensat */, 469 /* file_setattr */],
  ...[188, 189, 190, 463 /* setxattr … */, 197, 198, 199, 466 /* removexattr … */],
  // Who watches a folder learns the names of what is in it.
  ...[253, 294, 254, 255 /* inotify */, 300, 301 /* fanotify */],
  // Memory, messages and semaphores that all processes of the user share.
  ...[29, 30, 31, 67 /* shm… */, 64, 65, 66, 220 /* sem… */, 68, 69, 70, 71 /* msg… */],
  ...[240, 241, 242, 243, 244, 245 /* mq_… */],
  // What would slow or stop other processes of the user.
  ...[251 /* ioprio_set */, 256, 279 /* migrate_pages, move_pages */, 440, 448 /* process_madvise, process_mrelease */],
  ...[424 /* pidfd_send_signal */, 103 /* syslog */],
];

/** Each may be about the caller itself, which is process 0; about another one it would be of the same user. */
const OF_ITSELF: readonly number[] = [
  ...[302 /* prlimit64 */, 142, 144, 203, 314 /* sched_setparam … sched_setattr */],
];

const SET_PRIORITY = 141;
const SOCKET_PAIR = 53;
/** In the type of a pair: datagrams may be sent to a path, wherever they come from, and raw is another word for them. */
const NOT_CONNECTED = 0xa;
const LOCAL = 1 /* AF_UNIX */;

const IOCTL = 16;
/** What programs ask of files, pipes and terminals. All other requests are about devices or change what a file is called by. */
const REQUESTS: readonly number[] = [
  ...[0x5401, 0x802c542a /* TCGETS, TCGETS2 */, 0x5402, 0x5403, 0x5404 /* TCSETS… */, 0x540f /* TIOCGPGRP */],
  ...[
    0x5413 /* TIOCGWINSZ */, 0x541b /* FIONREAD */, 0x5421 /* FIONBIO */, 0x5450, 0x5451,
    0x5452 /* FIO…CLEX, FIOASYNC */,
  ],
  ...[0x40049409, 0x4020940d /* FICLONE, FICLONERANGE */, 0x80086601 /* FS_IOC_GETFLAGS */],
];

/** They stand in front of all other decisions, and leave most calls to these. */
export function refusedAlone(): Instruction[] {
  return [
    ...REFUSED.flatMap((call) => giveWhen(JUMP_EQUAL, call, DENIED)),
    ...OF_ITSELF.flatMap((call) => onArgument(call, 0, giveWhen(JUMP_EQUAL, 0, ALLOW), DENIED)),
    ...onBoth(SET_PRIORITY, giveWhen(JUMP_EQUAL, 0, ALLOW)),
    ...onPair(),
    ...onRequest(),
  ];
}

/** Of a process, and that the caller: the first argument may name a group or a user. */
function onBoth(call: number, isItself: readonly Instruction[]): Instruction[] {
  const which = [loadArgument(0), { code: JUMP_EQUAL, whenTrue: 1, whenFalse: 0, operand: 0 }, give(DENIED)];
  const body = [...which, loadArgument(1), ...isItself, give(DENIED)];
  return [{ code: JUMP_EQUAL, whenTrue: 0, whenFalse: body.length, operand: call }, ...body];
}

function onPair(): Instruction[] {
  const isLocal = [{ code: JUMP_EQUAL, whenTrue: 1, whenFalse: 0, operand: LOCAL }, give(DENIED)];
  const body = [
    ...[loadArgument(0), ...isLocal],
    ...[loadArgument(1), ...giveWhen(JUMP_ANY_BIT, NOT_CONNECTED, DENIED), give(ALLOW)],
  ];
  return [{ code: JUMP_EQUAL, whenTrue: 0, whenFalse: body.length, operand: SOCKET_PAIR }, ...body];
}

function onRequest(): Instruction[] {
  const known = REQUESTS.flatMap((request) => giveWhen(JUMP_EQUAL, request, ALLOW));
  return onArgument(IOCTL, 1, known, DENIED);
}
