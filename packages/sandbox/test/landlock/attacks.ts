/**
 * Attacks on children that Landlock confines alone, all at once in one process of an ordinary user, which says what came
 * of each. Started with a mark it only runs one child that never ends, as a host that is killed.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import {
  AgentChild,
  DEFAULT_CHILD_LIMITS,
  NO_SETTINGS,
  ownProgramView,
  runSandboxed,
  type SandboxResult,
  type SandboxView,
  ServiceChild,
  TerminalChild,
  viewOf,
} from "../../src/index.ts";
import type { SandboxRun } from "../../src/run.ts";
import { grants, type Playground, playground, programOf, run } from "../playground.ts";

/** Each leaves processes that hear nothing, in what sessions it can get, and without any descriptor. */
const LEAVE = `
for how in 1 2 3; do (trap '' TERM HUP INT; setsid sh -c 'sleep 600' "$1" & exec sh -c 'sleep 600; :' "$1") & done
perl -e 'exit if fork; POSIX::setsid() if 0; close $_ for (0..9); exit if fork; $0 = $ARGV[0]; sleep 600' "$1" &
sleep 0.2
`;

const alone = ({ authority }: Playground): SandboxView => viewOf(authority, undefined, undefined, null, "landlock");

function child(place: Playground, words: readonly string[], more: Partial<SandboxRun> = {}): Promise<SandboxResult> {
  return run(place, words, { view: alone(place), ...more });
}

/** Processes that have the mark among their words. */
export function marked(mark: string): number[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(mark) ? [Number(pid)] : [];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}

async function untilMarked(mark: string): Promise<void> {
  while (marked(mark).length < 2) await pause(20);
}

/** None, as soon as that is so; those that are there after a long time. */
async function leftOf(mark: string): Promise<number> {
  for (let tries = 600; tries > 0 && marked(mark).length > 0; tries -= 1) await pause(50);
  return marked(mark).length;
}

const brief = ({ exitCode, signal, timedOut, cancelled, truncated, exceeded, stdout }: SandboxResult): object => ({
  ...{ exitCode, signal, timedOut, cancelled, truncated, exceeded },
  said: stdout.toString().slice(0, 500),
});

const refusalOf = async (start: () => unknown): Promise<string> => {
  try {
    await start();
    return "it was started";
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`;
  }
};

const writable = (): Playground =>
  playground(({ workspace }) => ({
    allow: { read: [], write: grants(workspace), run: [] },
    deny: { read: grants(join(workspace, "deep/er/secret")), write: grants(join(workspace, "kept")), run: [] },
  }));

const ATTACKS: Readonly<Record<string, (mark: string) => Promise<unknown>>> = {
  "leaves processes": async (mark) => {
    using place = playground();
    const ran = await child(place, ["sh", "-c", `${LEAVE} exit 5`, "sh", mark]);
    return { ...brief(ran), left: await leftOf(mark) };
  },
  "is cancelled": async (mark) => {
    using place = playground();
    const stop = new AbortController();
    const running = child(place, ["sh", "-c", `trap '' TERM; ${LEAVE} sleep 600; :`, "sh", mark], {
      signal: stop.signal,
    });
    await untilMarked(mark);
    stop.abort();
    return { ...brief(await running), left: await leftOf(mark) };
  },
  "ends when it is asked": async () => {
    using place = playground();
    const stop = new AbortController();
    const words = ["sh", "-c", "trap 'echo asked; exit 3' TERM; echo ready; while :; do sleep 0.05; done"];
    // Once it runs: what confines it would not be asked, but ended.
    return brief(await child(place, words, { signal: stop.signal, onOutput: () => stop.abort() }));
  },
  "writes too much": async () => {
    using place = playground();
    const ran = await child(place, ["yes"], { outputBytesMax: 1_000 });
    return { ...brief(ran), said: ran.stdout.length };
  },
  "forks without an end": async (mark) => {
    using place = playground();
    const bomb = "while (1) { my $p = fork; POSIX::setsid() if defined $p && !$p }";
    const limits = { ...DEFAULT_CHILD_LIMITS, processes: 48 };
    const ran = await child(place, ["perl", "-MPOSIX", "-e", bomb, mark], { limits, timeoutMs: 800 });
    return { ...brief(ran), left: await leftOf(mark) };
  },
  "kills all that it can": async () => {
    using place = playground();
    return brief(await child(place, ["sh", "-c", "kill -KILL -1; kill -KILL 0; echo alive"]));
  },
  "comes up against its limits": async () => {
    using place = playground();
    const limits = { ...DEFAULT_CHILD_LIMITS, fileBytes: 4_096 };
    return brief(await child(place, ["sh", "-c", "exec head -c 100000 /dev/zero >out/ok"], { limits }));
  },
  "loses its guard": async (mark) => {
    using place = playground();
    const view = alone(place);
    const service = new ServiceChild({
      ...{ view, limits: DEFAULT_CHILD_LIMITS, onOutput: () => undefined },
      command: {
        ...programOf("sh"),
        args: ["-c", `${LEAVE} sleep 600`, "sh", mark],
        cwd: place.workspace,
        environment: {},
      },
    });
    await untilMarked(mark);
    const parents = marked(mark).map((pid) =>
      Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]),
    );
    const guard = parents.find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("femto_begin"));
    process.kill(guard ?? 0, "SIGKILL");
    return { ended: await service.ended, left: await leftOf(mark) };
  },
  "serves, and ends with its input": async () => {
    using place = playground();
    const heard: Buffer[] = [];
    const service = new ServiceChild({
      ...{ view: alone(place), limits: DEFAULT_CHILD_LIMITS, onOutput: (piece: Buffer) => heard.push(piece) },
      command: { ...programOf("cat"), args: [], cwd: place.workspace, environment: {} },
    });
    service.write(Buffer.from("heard"));
    while (heard.length === 0) await pause(20);
    service.end();
    return { ended: await service.ended, said: Buffer.concat(heard).toString() };
  },
  "has no descriptor but its own": async () => {
    using place = playground();
    const look = `for my $n (3 .. 400) { print "$n " if open my $f, '<&=', $n }`;
    const forge = `for fd in 3 4 5 6 7 8 9; do echo '{"exit-code": 0}' >&$fd; done 2>/dev/null; exec perl -e '${look.replaceAll("'", `'\\''`)}; exit 5'`;
    return brief(await child(place, ["bash", "-c", forge]));
  },
  pipes: async () => {
    using place = playground();
    const command = {
      ...{ ...programOf("sh"), args: ["-c", "echo abc; exit 4"], cwd: place.workspace, environment: {} },
      into: [{ ...programOf("cat"), args: [] }],
    };
    const ran = await child(place, [], { command });
    return { ...brief(ran), stages: ran.stages };
  },
  "changes what is guarded in a writable workspace": async () => {
    using place = writable();
    const attack = [
      "mv deep away; mv deep/er deep/away; mv .git git; mv kept lost; rm -rf kept deep .git femtoclaw.toml",
      "mkdir -p .git/hooks; echo evil >.git/hooks/pre-commit; echo evil >kept/file; ln -s /etc deep/er/x; ln deep/er/secret out/name",
      "echo more >>readme; echo new >out/new; mv out/new asked/moved; cat deep/er/secret femtoclaw.toml out/name asked/moved",
    ].join("; ");
    const ran = await child(place, ["sh", "-c", attack]);
    const names = (folder: string): string[] => readdirSync(join(place.workspace, folder)).sort();
    return {
      said: ran.stdout.toString(),
      workspace: names("."),
      kept: [...names("kept"), ...names(".git/hooks")],
      out: names("out"),
      readme: readFileSync(join(place.workspace, "readme"), "utf8"),
    };
  },
  "starts where it is told nothing": async () => {
    using place = playground();
    const view = { ...alone(place), filter: Buffer.alloc(8) };
    return await refusalOf(() => run(place, ["true"], { view }));
  },
  "is shown what is hidden": async () => {
    using place = playground();
    const view = alone(place);
    const shown = { kind: "readOnly", path: place.root } as const;
    const floor = [join(place.root, "state/journal")];
    // As a mistake of ours would have it: the rules grant what nobody may see.
    const wrong = { ...view, mounts: [...view.mounts.filter(({ kind }) => kind !== "maskFolder"), shown] };
    const mistaken = { ...wrong, authority: { ...view.authority, floor } };
    return await refusalOf(() => run(place, ["sh", "-c", "cat ../state/journal"], { view: mistaken }));
  },
  "wants a terminal, an agent, a host, or files of ours": async () => {
    using place = playground();
    const view = alone(place);
    const command = { ...programOf("true"), args: [], cwd: place.workspace, environment: {} };
    const limits = DEFAULT_CHILD_LIMITS;
    const onConnection = (): void => undefined;
    const agent = { variables: {}, settings: NO_SETTINGS, device: null, onConnection };
    const own = ownProgramView(view, [{ path: "/femtoclaw/x", content: Buffer.from("x") }]);
    return await Promise.all([
      refusalOf(() => new TerminalChild({ view, command, limits, device: 0 })),
      refusalOf(() => new AgentChild({ view, command, limits, ...agent })),
      refusalOf(() => run(place, ["true"], { view, onConnection })),
      refusalOf(() =>
        runSandboxed({
          ...{ view: own.view, handed: own.handed, limits, command: { ...command, cwd: own.cwd } },
          ...{ timeoutMs: 5_000, outputBytesMax: 100, signal: new AbortController().signal },
        }),
      ),
    ]);
  },
};

async function held(mark: string): Promise<void> {
  using place = playground();
  await child(place, ["sh", "-c", `trap '' TERM HUP; ${LEAVE} sleep 600; :`, "sh", mark], { timeoutMs: 600_000 });
}

if (process.argv[1] === import.meta.filename) {
  const [, , mark] = process.argv;
  if (mark !== undefined) {
    await held(mark);
    process.exit();
  }
  const found = Object.entries(ATTACKS).map(
    async ([name, attack], index) => [name, await attack(`mark-${process.pid}-${index}`)] as const,
  );
  process.stdout.write(JSON.stringify(Object.fromEntries(await Promise.all(found))));
}
