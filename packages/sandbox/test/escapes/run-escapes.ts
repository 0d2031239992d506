/**
 * Tries every case of the corpus in real children of this process, and says what each of them said and what the host
 * looked like afterwards. A process of its own does the same for an ordinary user.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { ControlGroups } from "../../src/control-groups/control-groups.ts";
import { DEFAULT_CHILD_LIMITS, type SandboxView, viewOf } from "../../src/index.ts";
import type { Rung } from "../../src/probing/rung.ts";
import { grants, type Playground, playground, run, SECRET } from "../playground.ts";

export interface EscapeCase {
  readonly kind: "sh" | "perl";
  /** What the child does, or what is refused to it. */
  readonly title: string;
  /** `@` is the folder around the workspace, HOST a process of the host, PORT one of its services. */
  readonly code: string;
  /** What it has to say, word for word; alternatives stand between bars. */
  readonly expect: string;
  /** What it has to say under Landlock alone, where that is something else. */
  readonly alone?: string;
  /** What it has to say under Landlock in namespaces, where that is something else than alone. */
  readonly apart?: string;
}

export interface Escapes {
  readonly user: number;
  /** What each case said, in the order of the corpus. */
  readonly said: readonly string[];
  /** Files of the playground that are different or new, but those that a child may make. */
  readonly changed: readonly string[];
  /** Processes of children that are left. */
  readonly left: readonly string[];
  readonly canarySeen: boolean;
}

export const CASES: readonly EscapeCase[] = readFileSync(join(import.meta.dirname, "escapes.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as EscapeCase);

/** In front of each case in Perl: how a system call ended, by its name. */
const PERL = `use Errno; sub said { my $r = shift; if (defined $r && length $r && $r ne '-1') { print 'ok'; return }
  my ($name) = sort grep { $!{$_} } keys %!; print $name // 'unknown' }\n`;
/** Each case has a process and a time of its own, and what it says is bounded. */
const DRIVER =
  'for f in cases/*; do echo "@@$f"; timeout --foreground -k 1 2 sh -c \'case $1 in *.pl) perl "$1";; *) sh "$1";; esac\' sh $f </dev/null 2>/dev/null | head -c 2000; echo; done';

/** Runs the driver of all cases in a child with this view, and says what it wrote. */
export type Driven = (place: Playground, words: readonly string[], view: SandboxView) => Promise<string>;

const onPipes: Driven = async (place, words, view) => {
  const options = { view, timeoutMs: 40_000, outputBytesMax: 4_000_000, isUsual: true };
  // Where there are groups, the corpus is tried in a child that waited for it behind another call.
  if (view.groups === null) return (await run(place, words, options)).stdout.toString();
  await run(place, ["true"], options);
  const waited = await untilChild((command) => command === "sh");
  const running = run(place, words, options);
  await untilChild((command, pid) => command === "bwrap" && pid === waited);
  return (await running).stdout.toString();
};

export async function runEscapes(by: Rung["name"], driven: Driven = onPipes): Promise<Escapes> {
  using place = playground(({ workspace, out }) => ({
    deny: { read: grants(join(workspace, "secrets"), join(workspace, "deep/er/secret")), write: [], run: [] },
    allow: { read: grants(workspace), write: grants(out), run: [] },
  }));
  const mark = `child-${randomUUID()}`;
  process.env["FEMTO_CANARY"] = SECRET;
  using _ = plant(place);
  while (!existsSync(join(place.workspace, "datagrams"))) await new Promise((resolve) => setTimeout(resolve, 5));
  const server = createServer((socket) => socket.end(SECRET)).listen(0, "127.0.0.1");
  await once(server, "listening");
  writeCases(place, (server.address() as AddressInfo).port);
  const before = snapshot(place.root);
  const groups = by === "bubblewrap" ? await ControlGroups.find("/bin/sh", DEFAULT_CHILD_LIMITS) : null;
  const view = viewOf(place.authority, undefined, undefined, groups, by);
  const output = await driven(place, ["sh", "-c", DRIVER, "sh", mark], view);
  await groups?.waiting.end();
  server.close();
  delete process.env["FEMTO_CANARY"];
  const parts = output.split(/^@@cases\/\d+\.\w+\n/m).slice(1);
  const after = snapshot(place.root);
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return {
    user: process.getuid?.() ?? 0,
    said: parts.map((part) => part.trim()),
    changed: names.filter((name) => before.get(name) !== after.get(name)),
    left: await processesOf(mark),
    canarySeen: output.includes(SECRET),
  };
}

/** Takes what is sent to a path of the workspace. */
const DATAGRAMS = "use Socket; socket(my $s, 1, 2, 0); bind($s, pack_sockaddr_un('datagrams')) or die; sleep 600";

/**
 * A process of the host that has the canary in its arguments and its environment, one that takes datagrams, and a link
 * that leads out.
 */
function plant({ root, workspace }: Playground): Disposable {
  const options = { env: { FEMTO_CANARY: SECRET }, stdio: "ignore", cwd: workspace } as const;
  const children: readonly ChildProcess[] = [
    spawn("/bin/sh", ["-c", "exec sleep 600", "femto-canary"], options),
    spawn("/usr/bin/perl", ["-e", DATAGRAMS], options),
  ];
  symlinkSync(join(root, "state"), join(workspace, "to-state"));
  return { [Symbol.dispose]: () => void children.map((child) => child.kill("SIGKILL")) };
}

function writeCases({ root, workspace }: Playground, port: number): void {
  const folder = join(workspace, "cases");
  mkdirSync(folder);
  for (const [index, { kind, code }] of CASES.entries()) {
    const filled = code
      .replaceAll(/@(?=\/|'|"|\s|\)|$)/g, root)
      .replaceAll("HOST", String(process.pid))
      .replaceAll("PORT", String(port));
    const name = `${String(index).padStart(3, "0")}.${kind === "perl" ? "pl" : "sh"}`;
    writeFileSync(join(folder, name), kind === "perl" ? PERL + filled : filled);
  }
}

/** All that lies there, with what tells of a change; what children may make has a name that says so. Links are not followed. */
function snapshot(root: string): Map<string, string> {
  const found = new Map<string, string>();
  const folders = [root];
  for (const folder of folders) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      if (/\/out(\/ok[^/]*)?$/.test(path)) continue;
      const { mode, uid, nlink, mtimeMs, size } = lstatSync(path);
      found.set(path, [mode, uid, ...(entry.isFile() ? [nlink, mtimeMs, size] : [])].join(" "));
    }
  }
  for (const folder of ["/", "/etc", "/usr/bin", "/dev"]) {
    for (const name of readdirSync(folder)) if (name.startsWith("escaped")) found.set(join(folder, name), "new");
  }
  return found;
}

/** The number of a child of this process that has entered its groups, waits there, and is one of these. */
async function untilChild(isMeant: (command: string, pid: number) => boolean): Promise<number> {
  for (let tries = 0; tries < 2_400; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const children = textOf(`/proc/self/task/${process.pid}/children`).trim().split(" ");
    for (const pid of children.map(Number)) {
      const [, command = "", state] = /\((.*)\) (\w)/.exec(textOf(`/proc/${pid}/stat`)) ?? [];
      const isIn = textOf(`/proc/${pid}/cgroup`).includes(`/femtoclaw-${process.pid}-`);
      if (state === "S" && isIn && isMeant(command, pid)) return pid;
    }
  }
  throw new Error("no child has waited for the corpus");
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It has ended.
    return "";
  }
}

async function processesOf(mark: string): Promise<string[]> {
  let left: string[] = [];
  for (let tries = 0; tries < 1_200; tries += 1) {
    left = readdirSync("/proc").flatMap((pid) => {
      try {
        const line = /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/cmdline`, "utf8") : "";
        return line.includes(mark) ? [line.replaceAll("\0", " ")] : [];
      } catch {
        return [];
      }
    });
    if (left.length === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return left;
}

if (process.argv[1] === import.meta.filename) {
  process.stdout.write(JSON.stringify(await runEscapes(process.argv[2] as Rung["name"])));
}
