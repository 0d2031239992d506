/** The defences of children that Landlock confines, alone or in namespaces, and what takes each away: see `Defence`. */
import type { Row } from "./defences.ts";

const LANDLOCK = "packages/sandbox/src/landlock";
const CALLS = `${LANDLOCK}/refused-calls.ts`;
const FILTER = "packages/sandbox/src/seccomp/seccomp.ts";
const LAUNCHER = `${LANDLOCK}/launcher.js`;
const CORPUS = "nor out of that which Landlock makes alone";
const APART = "nor out of that which Landlock makes in namespaces";
const NAMESPACES = `${LANDLOCK}/namespaces.ts`;
const MADE = "is not started where one of its namespaces is not made any more";
const LEFT = "leaves nothing behind when the host itself is killed";
const GUARD = "packages/sandbox/src/children/guard.ts";
const ASKS = "cannot type, take what is written elsewhere";

export const LANDLOCKED: readonly Row[] = [
  [
    "a folder gives no more than all below it may have",
    `${LANDLOCK}/landlock-rules.ts`,
    "const shared = below.reduce((all, mount) => all & sharedWith(mount), rights);",
    "const shared = below.length < 0 ? 0 : rights;",
    CORPUS,
  ],
  [
    "a hidden folder is not listed by the one around it",
    `${LANDLOCK}/landlock-rules.ts`,
    'return kind === "maskFile" ? RIGHT.readDirectory : rightsOf(kind);',
    'return kind.startsWith("mask") ? RIGHT.readDirectory : rightsOf(kind);',
    CORPUS,
  ],
  [
    "what a child wrote is not executed",
    `${LANDLOCK}/landlock-rules.ts`,
    "const READ_WRITE =\n  READ |",
    "const READ_WRITE =\n  READ_ONLY |",
    CORPUS,
  ],
  ["signals stay inside", LAUNCHER, "const ALL_SCOPES = 0b11;", "const ALL_SCOPES = 0b01;", CORPUS],
  ["connections stay inside", LAUNCHER, "const ALL_NETWORK_RIGHTS = 0b11;", "const ALL_NETWORK_RIGHTS = 0b01;", CORPUS],
  [
    "the filter is in force",
    LAUNCHER,
    '  kernel.must("putting the filter in force"',
    '  if (kernel === null) kernel.must("putting the filter in force"',
    CORPUS,
  ],
  ["there are no sockets", CALLS, '(["socket", "connect"', '(["connect"', CORPUS],
  ["no half of a pair sends to a path", FILTER, "const NOT_CONNECTED = 0xa;", "const NOT_CONNECTED = 0;", CORPUS],
  ["nobody leases a file", FILTER, "const DENIED_FILE_COMMANDS = [1_024, ", "const DENIED_FILE_COMMANDS = [", CORPUS],
  ["no child begins a session", CALLS, ', "setsid"]', "]", CORPUS],
  ["owners stay", CALLS, ', "chown", "fchown", "lchown", "fchownat"]', "]", CORPUS],
  ["times stay", CALLS, '"futimesat", "utimensat", ', "", CORPUS],
  ["attributes stay", CALLS, '(["setxattr", ', "([", CORPUS],
  ["nobody watches folders", CALLS, ', "inotify_add_watch"', "", CORPUS],
  ["nobody shares memory", CALLS, '(["shmget", ', "([", CORPUS],
  ["limits of other processes stay", CALLS, '(["prlimit64", ', "([", CORPUS],
  ["priorities of other processes stay", CALLS, 'numbersOf("setpriority")', "[-1]", CORPUS],
  ["a group ends with its host", GUARD, "read -r femto_more <&5; kill -KILL 0;", "read -r femto_more <&5;", LEFT],
  ["no file signals anybody", CALLS, "const O_ASYNC = 0o20000;", "const O_ASYNC = 0;", CORPUS],
  [
    "what is typed ends no guard",
    GUARD,
    'trap "" TERM HUP INT QUIT TSTP',
    'trap "" TERM HUP',
    "has it under both of its names, is interrupted on it",
  ],
  [
    "a program reaches its own terminal alone",
    `${LANDLOCK}/landlock-rules.ts`,
    'path: "/dev/tty",',
    'path: "/dev",',
    "opens no terminal but its own, and makes none",
  ],
  [
    "a terminal belongs to its program",
    LAUNCHER,
    'if (terminal === "none") return;',
    'if (terminal !== "of both") return;',
    "is not started on a terminal that others have",
  ],
  ["no program asks a terminal for more", CALLS, "0x5414 /* TIOCSWINSZ */]", "0x5414, 0x540c]", ASKS],
  [
    "a shell is told that it has no jobs",
    CALLS,
    "...(hasJobs ? JOB_REQUESTS : [])",
    "...JOB_REQUESTS",
    "has it under both of its names, is interrupted on it",
  ],
  ["processes of the machine are out of sight", NAMESPACES, '["user", "pid", "ipc"', '["user", "ipc"', APART],
  ["a child is in each of its namespaces", LAUNCHER, "=== ofHost)", "=== name)", MADE],
  [
    "namespaces end with what made them",
    NAMESPACES,
    ', "--fork", "--kill-child"]',
    ', "--fork"]',
    "ends with its process namespace, whoever else looks after it",
  ],
];
