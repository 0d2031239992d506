/**
 * The system call filter of a child, assembled as a classic BPF program. It is the second layer: namespaces take
 * resources away, the filter takes away the calls that could create new ones.
 */

import { type OwnTerminal, refusedAlone } from "../landlock/refused-calls.ts";
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
import { type Processor, processorOf, type SystemCall } from "./system-calls.ts";

const EPERM = 1;
const ENOSYS = 38;

const CLONE_NEWUSER = 0x1000_0000;
/**
 * The first two put characters into a terminal's input, as if its user had typed them. The third loads line disciplines
 * into the kernel, which no program on a terminal needs and which have had many faults.
 */
const TERMINAL_REQUESTS = [0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */, 0x5423 /* TIOCSETD */];
/**
 * INVARIANT: masked paths cannot be reached in another way. Btrfs and bcachefs let the owner of a volume's root (older
 * kernels: of any file in it) put a snapshot of the volume into a folder of theirs, where no mount covers anything.
 */
const VOLUME_REQUESTS = [
  ...[0x5000_9401, 0x5000_9417 /* BTRFS_IOC_SNAP_CREATE… */, 0x5000_940e, 0x5000_9418 /* BTRFS_IOC_SUBVOL_CREATE… */],
  ...[0x5000_940f, 0x5000_943f /* BTRFS_IOC_SNAP_DESTROY… */, 0x4020_bc10 /* BCH_IOCTL_SUBVOLUME_CREATE */],
];
const DENIED_REQUESTS = [...TERMINAL_REQUESTS, ...VOLUME_REQUESTS];
/** A child may only speak IP, and only to its own empty network: every other family is a way out or attack surface. */
const SOCKET_FAMILIES = [2 /* AF_INET */, 10 /* AF_INET6 */];

/** Socket pairs may be of this family alone; others have ends in other machines or in modules of the kernel. */
const LOCAL_FAMILY = 1; /* AF_UNIX */
/**
 * Bits in the type of a socket pair (SOCK_DGRAM, SOCK_RAW). INVARIANT: no child reaches a socket of the machine: a
 * datagram socket of any pair can send to every visible path, descriptors included, and a raw one is the same under
 * another name.
 */
const NOT_CONNECTED = 0xa;

/**
 * F_SETLEASE, F_NOTIFY and F_SETDELEG. INVARIANT: I8, I9: anyone who can read a file can lease it, and the kernel then
 * keeps everybody else from opening it for 45 seconds at a time: programs, the host that checks what an approval is
 * bound to, and the operator. F_NOTIFY reveals by signals what others do in a folder.
 */
const DENIED_FILE_COMMANDS = [1_024, 1_026, 1_040];

/**
 * A set-user-ID file that a child leaves in a folder of the machine would carry the rights of the host's user out of
 * the sandbox. These are the calls that take a mode, and the argument that is the mode.
 */
const SETS_ID = 0o6000;
const MODE_CALLS: readonly (readonly [call: SystemCall, argument: number])[] = [
  ...[["creat", 1] as const, ["chmod", 1] as const, ["fchmod", 1] as const, ["mknod", 1] as const],
  ...[["mknodat", 2] as const, ["fchmodat", 2] as const, ["fchmodat2", 2] as const],
];
/** Only with one of these flags is there a mode: O_CREAT, and the bit that makes O_TMPFILE of O_DIRECTORY. */
const CREATES = 0o100 | 0o20000000;

/** System calls that no ordinary program needs, and that reach beyond the process or deep into the kernel. */
const DENIED_CALLS: readonly SystemCall[] = [
  ...(["ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd"] as const),
  ...(["pivot_root", "chroot", "mount", "umount2", "unshare", "setns"] as const),
  ...([
    "open_tree",
    "open_tree_attr",
    "move_mount",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "mount_setattr",
  ] as const),
  ...(["swapon", "swapoff", "reboot", "kexec_load", "kexec_file_load"] as const),
  ...(["init_module", "delete_module", "finit_module"] as const),
  ...(["add_key", "request_key", "keyctl", "perf_event_open", "bpf", "userfaultfd", "seccomp"] as const),
  ...(["io_uring_setup", "io_uring_enter", "io_uring_register", "open_by_handle_at", "syslog"] as const),
];

/** Refuses such a mode in the argument after the flags, if the flags create a file. */
function onCreation(call: number, flags: number, denied: number): Instruction[] {
  const onMode = [loadArgument(flags + 1), ...giveWhen(JUMP_ANY_BIT, SETS_ID, denied), give(ALLOW)];
  const skip = { code: JUMP_ANY_BIT, whenTrue: 0, whenFalse: onMode.length, operand: CREATES };
  return onArgument(call, flags, [skip, ...onMode], ALLOW);
}

/** `first` decides before the checks that apply to every child. */
function program(
  { architecture, otherNumbersFrom, numbersOf }: Processor,
  first: readonly Instruction[],
): Instruction[] {
  const denied = errno(EPERM);
  return [
    load(OFFSET_ARCHITECTURE),
    { code: JUMP_EQUAL, whenTrue: 1, whenFalse: 0, operand: architecture },
    give(KILL_PROCESS),
    load(OFFSET_NUMBER),
    ...(otherNumbersFrom === null ? [] : giveWhen(JUMP_GREATER_OR_EQUAL, otherNumbersFrom, denied)),
    ...first,
    ...numbersOf(...DENIED_CALLS).flatMap((call) => giveWhen(JUMP_EQUAL, call, denied)),
    // These pass their flags by a pointer, which no filter can follow; programs fall back to clone and openat.
    ...numbersOf("clone3", "openat2").flatMap((call) => giveWhen(JUMP_EQUAL, call, errno(ENOSYS))),
    ...MODE_CALLS.flatMap(([name, argument]) =>
      numbersOf(name).flatMap((call) => onArgument(call, argument, giveWhen(JUMP_ANY_BIT, SETS_ID, denied), ALLOW)),
    ),
    ...numbersOf("open").flatMap((call) => onCreation(call, 1, denied)),
    ...numbersOf("openat").flatMap((call) => onCreation(call, 2, denied)),
    ...numbersOf("clone").flatMap((call) => onArgument(call, 0, giveWhen(JUMP_ANY_BIT, CLONE_NEWUSER, denied), ALLOW)),
    ...numbersOf("socket").flatMap((call) => onArgument(call, 0, allowing(SOCKET_FAMILIES), denied)),
    ...numbersOf("socketpair").flatMap((call) => onPair(call, denied)),
    ...numbersOf("ioctl").flatMap((call) => onArgument(call, 1, refusing(DENIED_REQUESTS, denied), ALLOW)),
    ...numbersOf("fcntl").flatMap((call) => onArgument(call, 1, refusing(DENIED_FILE_COMMANDS, denied), ALLOW)),
    give(ALLOW),
  ];
}

function onPair(call: number, denied: number): Instruction[] {
  const isLocal = [{ code: JUMP_EQUAL, whenTrue: 1, whenFalse: 0, operand: LOCAL_FAMILY }, give(denied)];
  const isConnected = [loadArgument(1), ...giveWhen(JUMP_ANY_BIT, NOT_CONNECTED, denied)];
  return onArgument(call, 0, [...isLocal, ...isConnected], ALLOW);
}

const refusing = (values: readonly number[], denied: number): Instruction[] =>
  values.flatMap((value) => giveWhen(JUMP_EQUAL, value, denied));

const allowing = (values: readonly number[]): Instruction[] =>
  values.flatMap((value) => giveWhen(JUMP_EQUAL, value, ALLOW));

/**
 * The filter as the kernel takes it. `terminal` is given for a child that Landlock confines, which is refused more than
 * a child with files of its own.
 */
export function seccompFilter(architecture: string, terminal: OwnTerminal | null = null): Buffer {
  const processor = processorOf(architecture);
  return assembled(program(processor, terminal === null ? [] : refusedAlone(processor, terminal)));
}
