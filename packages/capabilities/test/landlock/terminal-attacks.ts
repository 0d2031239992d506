/**
 * Terminals under Landlock, used and attacked all at once in one process of an ordinary user, which says what came of
 * each. Started with a mark it only keeps one terminal that never ends, as a host that is killed.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync, readdirSync, readlinkSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { DEFAULT_CHILD_LIMITS, TerminalChild } from "@femtoclaw/sandbox";
import type { Rung } from "../../../sandbox/src/probing/rung.ts";
import { confined, refusalOf } from "../../../sandbox/test/landlock/confined.ts";
import { aboutMarked, leftOf, marked, statusOf } from "../../../sandbox/test/landlock/marked.ts";
import { playground, programOf } from "../../../sandbox/test/playground.ts";
import { Pty } from "../../src/terminal/pty.ts";
import { BASH, CTRL_BACKSLASH, CTRL_C, CTRL_Z, heldUp, Screen } from "./screen.ts";

const [, , , MARK] = process.argv;

/** Each leaves processes that hear nothing, in what groups and sessions it can get, and off the terminal. */
const LEAVE = `
for how in 1 2; do (trap '' TERM HUP INT; setsid sh -c 'sleep 600' "$1" & exec sh -c 'sleep 600; :' "$1") & done
perl -MPOSIX -e 'for (0 .. 2) { exit if fork; setsid(); setpgid(0, 0) } close $_ for (0 .. 9); sleep 600' "$1" &
sleep 0.2
`;

/** Says for each request about its terminal, by both of the names that it has, whether it is refused. */
const REQUESTS = `
my %requests = (TIOCSTI => 0x5412, TIOCLINUX => 0x541c, TIOCSETD => 0x5423, TIOCCONS => 0x541d, TIOCEXCL => 0x540c,
  TIOCSCTTY => 0x540e, TIOCNOTTY => 0x5422, TIOCPKT => 0x5420, TIOCSPTLCK => 0x40045431, TIOCSIG => 0x40045436,
  TIOCGPTPEER => 0x5441, TIOCVHANGUP => 0x5437, TIOCSLCKTRMIOS => 0x5457, KDSKBENT => 0x4b47, VT_ACTIVATE => 0x5606,
  FIOASYNC => 0x5452, TIOCSSERIAL => 0x541f);
open my $tty, '+<', '/dev/tty' or die "no terminal: $!";
for my $of (*STDIN, $tty) { for (sort keys %requests) { my $b = chr(10) x 256;
  print "$_\\n" if defined ioctl($of, $requests{$_}, $b) || !$!{EPERM} } }
print "O_ASYNC\\n" if defined fcntl(STDIN, 4, 020002) || !$!{EPERM};
print "tried\\n";
`;

/** Says which files of terminals it can open, the machine's and those of processes, to read or to write. */
const OPENS = `
for my $path (@ARGV) { for my $how (0, 1, 2) { print "$path\\n" if sysopen my $f, $path, $how | 0400 } } print "tried\\n";
`;

const SIZES = `$| = 1; print "ready\\n"; for (my $n = 0;; $n++) { my $b = pack 'S4', $n % 200 + 1, 80, 0, 0; ioctl STDIN, 0x5414, $b }`;

const TERMINAL_FILES = [
  ...[
    "/dev/ptmx",
    "/dev/pts/ptmx",
    "/dev/console",
    "/dev/tty0",
    "/dev/tty1",
    "/dev/ttyS0",
    "/dev/vcs",
    "/proc/self/fd/0",
  ],
  ...[process.pid, process.ppid, 1].flatMap((pid) => [0, 1, 2].map((fd) => `/proc/${pid}/fd/${fd}`)),
];

const perl = (code: string, ...words: readonly string[]): string[] => ["perl", "-e", code, ...words];

const ATTACKS: Readonly<Record<string, (mark: string) => Promise<unknown>>> = {
  "is used by a person": async () => {
    using place = playground();
    const screen = await Screen.open(place, BASH);
    await screen.until(/\$ $/);
    screen.type("stty size; echo own >/dev/tty; echo err >/dev/stderr; stty -a | tr ' ' '\\n' | grep -x -e -echo\r");
    await screen.until(/20 90\r\nown\r\nerr\r\n/);
    screen.terminal.resize({ cols: 120, rows: 40 });
    screen.type("stty size; stty cols 33; stty size; stty -echo; echo $((6 * 7))\r");
    await screen.until(/40 120\r\n40 33\r\n42\r\n/);
    screen.type("stty echo; trap 'echo resized' WINCH; echo $((7 * 9))\r");
    await screen.until(/63/);
    screen.terminal.resize({ cols: 100, rows: 30 });
    screen.type("\r");
    await screen.until(/resized/);
    const said: string[] = [];
    for (const key of [CTRL_C, CTRL_BACKSLASH]) {
      screen.type("echo waits; sleep 600\r");
      await screen.until(/[\r\n]waits/);
      screen.type(key);
      screen.type("echo after=$?\r");
      said.push(/after=(\d+)/.exec(await screen.until(/[\r\n]after=\d+/))?.[1] ?? "");
    }
    screen.type("exit 7\r");
    return { said, end: (await screen.rest()).end };
  },
  "has jobs": async () => {
    using place = playground();
    const screen = await Screen.open(place, BASH);
    const first = await screen.until(/\$ $/);
    screen.type("echo waits; sleep 600\r");
    await screen.until(/[\r\n]waits/);
    screen.type(CTRL_Z);
    await pause(300);
    screen.type(CTRL_C);
    screen.type("jobs; echo listed\r");
    const shown = await screen.until(/[\r\n]listed/);
    await screen.close();
    return { isWithout: first.includes("no job control in this shell"), isStopped: /Stopped +sleep/.test(shown) };
  },
  "answers by itself what is typed": async () => {
    using place = playground();
    const script = "trap 'echo caught' INT QUIT TSTP; echo ready; while :; do sleep 0.05; done";
    const screen = await Screen.open(place, ["bash", "-c", script]);
    await screen.until(/ready/);
    for (const key of [CTRL_C, CTRL_BACKSLASH, CTRL_Z]) {
      screen.type(key);
      await screen.until(/caught/);
    }
    return await screen.close();
  },
  "is ended by what is typed": async () => {
    using place = playground();
    const ends = [CTRL_C, CTRL_BACKSLASH].map(async (key) => {
      const screen = await Screen.open(place, ["sh", "-c", "echo ready; exec sleep 600"]);
      await screen.until(/ready/);
      screen.type(CTRL_Z);
      screen.type(key);
      return (await screen.rest()).end;
    });
    return await Promise.all(ends);
  },
  "is guarded by any shell of a system": async () => {
    using place = playground();
    const view = confined(place);
    const shell = join(place.root, "sh");
    symlinkSync(programOf("bash").program, shell);
    const screen = await Screen.open(place, BASH, { view: { ...view, rung: { ...view.rung, shell } as Rung } });
    await screen.until(/\$ $/);
    screen.type("echo waits; sleep 600\r");
    await screen.until(/[\r\n]waits/);
    for (const key of [CTRL_Z, CTRL_C, CTRL_BACKSLASH]) screen.type(key);
    screen.type("kill %%; exit 4\r\rexit 4\r");
    return (await screen.rest()).end;
  },
  "is looked at from outside": async (mark) => {
    using place = playground();
    const screen = await Screen.open(place, ["sh", "-c", "echo ready; sleep 600; :", mark]);
    await screen.until(/ready/);
    const status = statusOf(marked(mark).at(-1) ?? 0);
    const found = ["SigIgn", "SigBlk", "CapEff", "NoNewPrivs", "Seccomp"].map(
      (name) => new RegExp(`^${name}:\\s+(.*)$`, "m").exec(status)?.[1],
    );
    await screen.close();
    return found;
  },
  "asks for what no program may": async () => {
    using place = playground();
    const screen = await Screen.open(place, perl(REQUESTS));
    return (await screen.rest()).shown;
  },
  "opens terminals": async () => {
    using place = playground();
    const other = await Screen.open(place, ["sh", "-c", "echo ready; read line"]);
    await other.until(/ready/);
    const all = readdirSync("/dev/pts").map((name) => `/dev/pts/${name}`);
    const own = await Screen.open(place, [
      "sh",
      "-c",
      'tty; exec "$@"',
      "sh",
      ...perl(OPENS, ...TERMINAL_FILES, ...all),
    ]);
    const [name, ...opened] = (await own.rest()).shown.split("\n").filter(Boolean);
    await other.close();
    const isOwn = (path: string): boolean => path === name || path === "/proc/self/fd/0";
    return { others: all.length, opened: opened.filter((path) => !isOwn(path)) };
  },
  "has no descriptor but its own": async () => {
    using place = playground();
    const other = await Screen.open(place, ["sleep", "600"]);
    const screen = await Screen.open(place, perl("for my $n (3 .. 400) { print \"$n \" if open my $f, '<&=', $n }"));
    const { shown } = await screen.rest();
    await other.close();
    return shown;
  },
  "leaves processes and ends": async (mark) => {
    using place = playground();
    const screen = await Screen.open(place, ["sh", "-c", `${LEAVE} exit 5`, "sh", mark]);
    const { end } = await screen.rest();
    return { end, left: await leftOf(mark) };
  },
  "leaves processes and is closed": async (mark) => {
    using place = playground();
    const screen = await Screen.open(place, ["sh", "-c", `${LEAVE} echo ready; sleep 600; :`, "sh", mark]);
    await screen.until(/ready/);
    return { end: await screen.close(), left: await leftOf(mark) };
  },
  "hears nothing and is closed": async (mark) => {
    using place = playground();
    const script = `trap '' HUP TERM INT QUIT; ${LEAVE} echo ready; while :; do sleep 1; done`;
    const screen = await Screen.open(place, ["sh", "-c", script, "sh", mark]);
    await screen.until(/ready/);
    return { end: await screen.close(), left: await leftOf(mark) };
  },
  "stops itself and is closed": async (mark) => {
    using place = playground();
    const script = "trap '' HUP; sh -c 'kill -STOP $$' sh \"$1\" & echo ready; kill -STOP $$; sleep 600";
    const screen = await Screen.open(place, ["sh", "-c", script, "sh", mark]);
    await screen.until(/ready/);
    return { end: await screen.close(), left: await leftOf(mark) };
  },
  "kills all that it can": async (mark) => {
    using place = playground();
    const screen = await Screen.open(place, ["sh", "-c", "kill -KILL -1 2>&-; kill -KILL 0; echo alive", "sh", mark]);
    return { ...(await screen.rest()), left: await leftOf(mark) };
  },
  "loses its guard": async (mark) => {
    using place = playground();
    const screen = await Screen.open(place, ["sh", "-c", `trap '' HUP; ${LEAVE} echo ready; sleep 600; :`, "sh", mark]);
    await screen.until(/ready/);
    process.kill(aboutMarked(mark).guard, "SIGKILL");
    return { end: await screen.terminal.whenEnded, left: await leftOf(mark) };
  },
  "changes its size without end": async () => {
    using place = playground();
    const screen = await Screen.open(place, perl(SIZES));
    await screen.until(/ready/);
    screen.terminal.resize({ cols: 70, rows: 10 });
    screen.type(CTRL_C);
    return (await screen.rest()).end;
  },
  "writes without end": async (mark) => {
    using place = playground();
    const screen = await Screen.open(place, ["sh", "-c", "exec yes flood-flood-flood", mark]);
    const held = await heldUp(screen);
    await screen.terminal.read({ bytesMax: 1, latest: true, timeoutMs: 0, signal: new AbortController().signal });
    while (screen.terminal.bytesOut === held) await pause(20);
    screen.type(CTRL_C);
    await screen.close();
    return { isHeld: held < 262_144 + 131_072, left: await leftOf(mark) };
  },
  "is cancelled as it starts": async (mark) => {
    using place = playground();
    const stop = new AbortController();
    const opening = refusalOf(() => Screen.open(place, ["sh", "-c", "sleep 600; :", "sh", mark], stop));
    stop.abort();
    return { said: (await opening).startsWith("20: "), left: await leftOf(mark) };
  },
  "is started on a terminal of others": async () => {
    using place = playground();
    const command = { ...programOf("true"), args: [], cwd: place.workspace, environment: {} };
    const [pty, device] = Pty.open({ cols: 80, rows: 24 }, (opened, descriptor) => [
      opened,
      openSync(readlinkSync(`/proc/self/fd/${descriptor}`), constants.O_RDWR | constants.O_NOCTTY),
    ]);
    const stdio = [device, "ignore", "ignore", "pipe"] as const;
    const holder = spawn("setsid", ["--ctty", "sh", "-c", "echo holds >&3; sleep 600"], { stdio: [...stdio] });
    await once(holder.stdio[3] as Readable, "data");
    const child = new TerminalChild({ view: confined(place), command, limits: DEFAULT_CHILD_LIMITS, device });
    const said = await refusalOf(() => child.started);
    holder.kill("SIGKILL");
    closeSync(device);
    pty.close();
    return said;
  },
};

async function held(mark: string): Promise<void> {
  using place = playground();
  const screen = await Screen.open(place, [
    "sh",
    "-c",
    `trap '' TERM HUP; ${LEAVE} echo ready; sleep 600; :`,
    "sh",
    mark,
  ]);
  await screen.terminal.whenEnded;
}

if (process.argv[1] === import.meta.filename) {
  if (MARK !== undefined) {
    await held(MARK);
    process.exit();
  }
  const found = Object.entries(ATTACKS).map(
    async ([name, attack], index) => [name, await attack(`mark-${process.pid}-${index}`).catch(String)] as const,
  );
  process.stdout.write(JSON.stringify(Object.fromEntries(await Promise.all(found))));
  process.exit();
}
