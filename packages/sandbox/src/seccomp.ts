/**
 * The system call filter of a child, assembled here as a classic BPF program. It is the second layer:
 * namespaces take the resources away, the filter takes away the calls that could build new ones.
 */
import { FemtoError } from "@femtoclaw/protocol";
import {
  ALLOW,
  assembled,
  errno,
  give,
  giveWhen,
  type Instruction,
  JUMP_ANY_BIT,
  JUMP_EQUAL,
  JUMP_GREATER_OR_EQUAL,
  KILL_PROCESS,
  load,
  loadArgument,
  OFFSET_ARCHITECTURE,
  OFFSET_NUMBER,
  onArgument,
} from "./bpf.ts";
import { refusedAlone } from "./landlock/refused-calls.ts";

const EPERM = 1;
const ENOSYS = 38;

const ARCHITECTURE_X86_64 = 0xc000_003e;
/** Numbers from here on are the x32 interface, which reaches the same kernel code under other numbers. */
const X32_NUMBERS = 0x4000_0000;

const CLONE_NEWUSER = 0x1000_0000;
const SYSTEM_CALL = { open: 2, ioctl: 16, socket: 41, clone: 56, openat: 257, clone3: 435, openat2: 437 } as const;
/**
 * The first two put characters into a terminal's input, as if its user had typed them; the third loads line
 * disciplines into the kernel, which no program on a terminal needs and which many a fault was found in.
 */
const DENIED_REQUESTS = [0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */, 0x5423 /* TIOCSETD */];
/** A child may only speak IP, and only to its own empty network: every other family is a way out or attack surface. */
const SOCKET_FAMILIES = [2 /* AF_INET */, 10 /* AF_INET6 */];

/**
 * A file that runs as its owner, whoever starts it, would carry the host's user out of the sandbox, where a child leaves
 * it in a folder of the machine. Each call that takes a mode, and which argument that is.
 */
const SETS_ID = 0o6000;
const MODE_CALLS: readonly (readonly [call: number, argument: number])[] = [
  ...[[85 /* creat */, 1] as const, [90 /* chmod */, 1] as const, [91 /* fchmod */, 1] as const],
  ...[[133 /* mknod */, 1] as const, [259 /* mknodat */, 2] as const],
  ...[[268 /* fchmodat */, 2] as const, [452 /* fchmodat2 */, 2] as const],
];
/** Only with one of these has the call a mode: O_CREAT, and what makes O_TMPFILE of O_DIRECTORY. */
const CREATES = 0o100 | 0o20000000;

/** System calls of x86-64 that no ordinary program needs and that reach beyond a process or deep into the kernel. */
const DENIED_CALLS: readonly number[] = [
  ...[101 /* ptrace */, 310, 311 /* process_vm_* */, 312 /* kcmp */, 438 /* pidfd_getfd */],
  ...[155 /* pivot_root */, 161 /* chroot */, 165, 166 /* mount, umount2 */, 272 /* unshare */, 308 /* setns */],
  ...[428 /* open_tree */, 429 /* move_mount */, 430, 431, 432, 433 /* fsopen … fspick */, 442 /* mount_setattr */],
  ...[167, 168 /* swapon, swapoff */, 169 /* reboot */, 175, 176, 313 /* kernel modules */, 246, 320 /* kexec */],
  ...[248, 249, 250 /* keyrings */, 298 /* perf_event_open */, 321 /* bpf */, 323 /* userfaultfd */],
  ...[425, 426, 427 /* io_uring */, 304 /* open_by_handle_at */, 317 /* seccomp */],
];

/** Refuses a mode in the argument behind the flags, where these create a file. */
function onCreation(call: number, flags: number, denied: number): Instruction[] {
  const onMode = [loadArgument(flags + 1), ...giveWhen(JUMP_ANY_BIT, SETS_ID, denied), give(ALLOW)];
  const skip = { code: JUMP_ANY_BIT, whenTrue: 0, whenFalse: onMode.length, operand: CREATES };
  return onArgument(call, flags, [skip, ...onMode], ALLOW);
}

/** `first` decides before what is decided for every child. */
function x86Program(first: readonly Instruction[]): Instruction[] {
  const denied = errno(EPERM);
  return [
    load(OFFSET_ARCHITECTURE),
    { code: JUMP_EQUAL, whenTrue: 1, whenFalse: 0, operand: ARCHITECTURE_X86_64 },
    give(KILL_PROCESS),
    load(OFFSET_NUMBER),
    ...giveWhen(JUMP_GREATER_OR_EQUAL, X32_NUMBERS, denied),
    ...first,
    ...DENIED_CALLS.flatMap((call) => giveWhen(JUMP_EQUAL, call, denied)),
    // These hide their flags behind a pointer, which no filter can read; programs fall back to clone and openat.
    ...giveWhen(JUMP_EQUAL, SYSTEM_CALL.clone3, errno(ENOSYS)),
    ...giveWhen(JUMP_EQUAL, SYSTEM_CALL.openat2, errno(ENOSYS)),
    ...MODE_CALLS.flatMap(([call, argument]) =>
      onArgument(call, argument, giveWhen(JUMP_ANY_BIT, SETS_ID, denied), ALLOW),
    ),
    ...onCreation(SYSTEM_CALL.open, 1, denied),
    ...onCreation(SYSTEM_CALL.openat, 2, denied),
    ...onArgument(SYSTEM_CALL.clone, 0, giveWhen(JUMP_ANY_BIT, CLONE_NEWUSER, denied), ALLOW),
    ...onArgument(
      SYSTEM_CALL.socket,
      0,
      SOCKET_FAMILIES.flatMap((family) => giveWhen(JUMP_EQUAL, family, ALLOW)),
      denied,
    ),
    ...onArgument(
      SYSTEM_CALL.ioctl,
      1,
      DENIED_REQUESTS.flatMap((request) => giveWhen(JUMP_EQUAL, request, denied)),
      ALLOW,
    ),
    give(ALLOW),
  ];
}

/** The filter as the kernel takes it; `alone` is that of a child that has no namespaces of its own. */
export function seccompFilter(architecture: string, alone = false): Buffer {
  if (architecture !== "x64") {
    throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `the system call filter is not yet built for ${architecture}`, {
      fix: "Run FemtoClaw on x86-64.",
    });
  }
  return assembled(x86Program(alone ? refusedAlone() : []));
}
