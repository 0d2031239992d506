/**
 * The numbers of the system calls that filters name, for each processor under Linux. A null means that the processor's
 * kernel lacks the call; such an old call is only reached under its newer name.
 */
import { FemtoError } from "@femtoclaw/protocol";

/** For x86-64, and for arm64, whose numbers all newer processors share. */
const NUMBERS = {
  accept: [43, 202],
  accept4: [288, 242],
  add_key: [248, 217],
  bind: [49, 200],
  bpf: [321, 280],
  chmod: [90, null],
  chown: [92, null],
  chroot: [161, 51],
  clone: [56, 220],
  clone3: [435, 435],
  connect: [42, 203],
  creat: [85, null],
  delete_module: [176, 106],
  fanotify_init: [300, 262],
  fanotify_mark: [301, 263],
  fchmod: [91, 52],
  fchmodat: [268, 53],
  fchmodat2: [452, 452],
  fchown: [93, 55],
  fchownat: [260, 54],
  fcntl: [72, 25],
  file_setattr: [469, 469],
  finit_module: [313, 273],
  fremovexattr: [199, 16],
  fsconfig: [431, 431],
  fsetxattr: [190, 7],
  fsmount: [432, 432],
  fsopen: [430, 430],
  fspick: [433, 433],
  futimesat: [261, null],
  init_module: [175, 105],
  inotify_add_watch: [254, 27],
  inotify_init: [253, null],
  inotify_init1: [294, 26],
  inotify_rm_watch: [255, 28],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  io_uring_setup: [425, 425],
  ioctl: [16, 29],
  ioprio_set: [251, 30],
  kcmp: [312, 272],
  kexec_file_load: [320, 294],
  kexec_load: [246, 104],
  keyctl: [250, 219],
  lchown: [94, null],
  listen: [50, 201],
  lremovexattr: [198, 15],
  lsetxattr: [189, 6],
  migrate_pages: [256, 238],
  mknod: [133, null],
  mknodat: [259, 33],
  mount: [165, 40],
  mount_setattr: [442, 442],
  move_mount: [429, 429],
  move_pages: [279, 239],
  mq_getsetattr: [245, 185],
  mq_notify: [244, 184],
  mq_open: [240, 180],
  mq_timedreceive: [243, 183],
  mq_timedsend: [242, 182],
  mq_unlink: [241, 181],
  msgctl: [71, 187],
  msgget: [68, 186],
  msgrcv: [70, 188],
  msgsnd: [69, 189],
  open: [2, null],
  open_by_handle_at: [304, 265],
  open_tree: [428, 428],
  open_tree_attr: [467, 467],
  openat: [257, 56],
  openat2: [437, 437],
  perf_event_open: [298, 241],
  pidfd_getfd: [438, 438],
  pidfd_send_signal: [424, 424],
  pivot_root: [155, 41],
  prlimit64: [302, 261],
  process_madvise: [440, 440],
  process_mrelease: [448, 448],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  ptrace: [101, 117],
  reboot: [169, 142],
  removexattr: [197, 14],
  removexattrat: [466, 466],
  request_key: [249, 218],
  sched_setaffinity: [203, 122],
  sched_setattr: [314, 274],
  sched_setparam: [142, 118],
  sched_setscheduler: [144, 119],
  seccomp: [317, 277],
  semctl: [66, 191],
  semget: [64, 190],
  semop: [65, 193],
  semtimedop: [220, 192],
  setns: [308, 268],
  setpgid: [109, 154],
  setpriority: [141, 140],
  setsid: [112, 157],
  setxattr: [188, 5],
  setxattrat: [463, 463],
  shmat: [30, 196],
  shmctl: [31, 195],
  shmdt: [67, 197],
  shmget: [29, 194],
  socket: [41, 198],
  socketpair: [53, 199],
  swapoff: [168, 225],
  swapon: [167, 224],
  syslog: [103, 116],
  umount2: [166, 39],
  unshare: [272, 97],
  userfaultfd: [323, 282],
  utime: [132, null],
  utimensat: [280, 88],
  utimes: [235, null],
} as const satisfies Record<string, readonly [x64: number, arm64: number | null]>;

export type SystemCall = keyof typeof NUMBERS;

/** How a filter recognizes one kind of processor and its calls. */
export interface Processor {
  /** `AUDIT_ARCH_…`, which the kernel gives a filter with each call. */
  readonly architecture: number;
  /** Numbers from here on reach the same kernel code a second time (x32); null if there are none. */
  readonly otherNumbersFrom: number | null;
  /** The numbers of those calls that the processor has. */
  numbersOf(...calls: readonly SystemCall[]): readonly number[];
}

const PROCESSORS: Readonly<Record<string, Processor>> = {
  x64: {
    architecture: 0xc000_003e,
    otherNumbersFrom: 0x4000_0000,
    numbersOf: (...calls) => calls.map((call) => NUMBERS[call][0]),
  },
  arm64: {
    architecture: 0xc000_00b7,
    otherNumbersFrom: null,
    numbersOf: (...calls) => calls.flatMap((call) => NUMBERS[call][1] ?? []),
  },
};

/** `architecture` is Node's name. Throws FEMTO_SANDBOX_UNAVAILABLE for a processor whose calls nobody has listed. */
export function processorOf(architecture: string): Processor {
  const processor = PROCESSORS[architecture];
  if (processor !== undefined) return processor;
  throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `there is no system call filter for ${architecture}`, {
    fix: "Run FemtoClaw on x86-64 or arm64.",
  });
}
