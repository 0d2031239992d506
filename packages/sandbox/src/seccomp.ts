/**
 * The system call filter of a child, assembled here as a classic BPF program. It is the second layer:
 * namespaces take the resources away, the filter takes away the calls that could build new ones.
 */
import { FemtoError } from "@femtoclaw/protocol";

const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER_OR_EQUAL = 0x35;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;

/** Offsets into `struct seccomp_data`; an argument is 64 bits wide and its low word comes first. */
const OFFSET_NUMBER = 0;
const OFFSET_ARCHITECTURE = 4;
const offsetOfArgument = (index: number): number => 16 + 8 * index;

const ALLOW = 0x7fff_0000;
const KILL_PROCESS = 0x8000_0000;
const errno = (code: number): number => 0x0005_0000 | code;
const EPERM = 1;
const ENOSYS = 38;

const ARCHITECTURE_X86_64 = 0xc000_003e;
/** Numbers from here on are the x32 interface, which reaches the same kernel code under other numbers. */
const X32_NUMBERS = 0x4000_0000;

const CLONE_NEWUSER = 0x1000_0000;
const SYSTEM_CALL = { ioctl: 16, socket: 41, clone: 56, clone3: 435 } as const;
/**
 * The first two put characters into a terminal's input, as if its user had typed them; the third loads line
 * disciplines into the kernel, which no program on a terminal needs and which many a fault was found in.
 */
const DENIED_REQUESTS = [0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */, 0x5423 /* TIOCSETD */];
/** A child may only speak IP, and only to its own empty network: every other family is a way out or attack surface. */
const SOCKET_FAMILIES = [2 /* AF_INET */, 10 /* AF_INET6 */];

/** System calls of x86-64 that no ordinary program needs and that reach beyond a process or deep into the kernel. */
const DENIED_CALLS: readonly number[] = [
  ...[101 /* ptrace */, 310, 311 /* process_vm_* */, 312 /* kcmp */, 438 /* pidfd_getfd */],
  ...[155 /* pivot_root */, 161 /* chroot */, 165, 166 /* mount, umount2 */, 272 /* unshare */, 308 /* setns */],
  ...[428 /* open_tree */, 429 /* move_mount */, 430, 431, 432, 433 /* fsopen … fspick */, 442 /* mount_setattr */],
  ...[167, 168 /* swapon, swapoff */, 169 /* reboot */, 175, 176, 313 /* kernel modules */, 246, 320 /* kexec */],
  ...[248, 249, 250 /* keyrings */, 298 /* perf_event_open */, 321 /* bpf */, 323 /* userfaultfd */],
  ...[425, 426, 427 /* io_uring */, 304 /* open_by_handle_at */, 317 /* seccomp */],
];

interface Instruction {
  readonly code: number;
  readonly whenTrue: number;
  readonly whenFalse: number;
  readonly operand: number;
}

const load = (offset: number): Instruction => ({ code: LOAD_WORD, whenTrue: 0, whenFalse: 0, operand: offset });
const give = (verdict: number): Instruction => ({ code: RETURN, whenTrue: 0, whenFalse: 0, operand: verdict });

/** Leaves the program with `verdict` when the loaded word passes the test, and goes on otherwise. */
function giveWhen(test: number, operand: number, verdict: number): Instruction[] {
  return [{ code: test, whenTrue: 0, whenFalse: 1, operand }, give(verdict)];
}

/** Decides one system call by the low word of an argument; the kernel reads these arguments as 32 bits. */
function onArgument(call: number, index: number, checks: readonly Instruction[], otherwise: number): Instruction[] {
  const body = [load(offsetOfArgument(index)), ...checks, give(otherwise)];
  return [{ code: JUMP_EQUAL, whenTrue: 0, whenFalse: body.length, operand: call }, ...body];
}

function x86Program(): Instruction[] {
  const denied = errno(EPERM);
  return [
    load(OFFSET_ARCHITECTURE),
    { code: JUMP_EQUAL, whenTrue: 1, whenFalse: 0, operand: ARCHITECTURE_X86_64 },
    give(KILL_PROCESS),
    load(OFFSET_NUMBER),
    ...giveWhen(JUMP_GREATER_OR_EQUAL, X32_NUMBERS, denied),
    ...DENIED_CALLS.flatMap((call) => giveWhen(JUMP_EQUAL, call, denied)),
    // clone3 hides its flags behind a pointer, which no filter can read; libc falls back to clone.
    ...giveWhen(JUMP_EQUAL, SYSTEM_CALL.clone3, errno(ENOSYS)),
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

/** The filter as the kernel takes it: eight bytes for each instruction, little endian. */
export function seccompFilter(architecture: string): Buffer {
  if (architecture !== "x64") {
    throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `the system call filter is not yet built for ${architecture}`, {
      fix: "Run FemtoClaw on x86-64.",
    });
  }
  const program = x86Program();
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, { code, whenTrue, whenFalse, operand }] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(whenTrue, index * 8 + 2);
    bytes.writeUInt8(whenFalse, index * 8 + 3);
    bytes.writeUInt32LE(operand >>> 0, index * 8 + 4);
  }
  return bytes;
}
