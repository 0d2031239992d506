/**
 * Attacks on children under Landlock, alone or in namespaces, all at once in one process of an ordinary user, which says
 * what came of each. Started with a mark it only runs one child that never ends, as a host that is killed.
 */
import { execFile } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import {
  AgentChild,
  DEFAULT_CHILD_LIMITS,
  NO_SETTINGS,
  ownProgramView,
  runSandboxed,
  ServiceChild,
} from "../../src/index.ts";
import { grants, type Playground, playground, programOf, run } from "../playground.ts";
import { BY, brief, child, confined, refusalOf } from "./confined.ts";
import { aboutMarked, countBeside, leftOf, marked, statusOf, untilMarked } from "./marked.ts";

/** Each leaves processes that hear nothing, in what sessions it can get, and without any descriptor. */
const LEAVE = `
for how in 1 2 3; do (trap '' TERM HUP INT; setsid sh -c 'sleep 600' "$1" & exec sh -c 'sleep 600; :' "$1") & done
perl -e 'exit if fork; POSIX::setsid() if 0; close $_ for (0..9); exit if fork; $0 = $ARGV[0]; sleep 600' "$1" &
sleep 0.2
`;

const [, , , MARK] = process.argv;

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
  "sees what is denied appear": async () => {
    using place = playground(({ workspace }) => ({
      deny: { read: grants(join(workspace, "later")), write: [], run: [] },
    }));
    const onOutput = (): void => writeFileSync(join(place.workspace, "later"), "");
    return await refusalOf(() => child(place, ["sh", "-c", "echo runs; sleep 9"], { onOutput }));
  },
  "sees what is denied replaced": async () => {
    using place = writable();
    const path = join(place.workspace, "deep/er/secret");
    const onOutput = (): void => {
      writeFileSync(`${path}.new`, "replaced");
      renameSync(`${path}.new`, path);
    };
    return brief(
      await child(place, ["sh", "-c", "echo runs; sleep 0.5; cat deep/er/secret; echo x >deep/er/secret"], {
        onOutput,
      }),
    );
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
    const view = confined(place);
    const service = new ServiceChild({
      view,
      limits: DEFAULT_CHILD_LIMITS,
      onOutput: () => undefined,
      command: {
        ...programOf("sh"),
        args: ["-c", `${LEAVE} sleep 600`, "sh", mark],
        cwd: place.workspace,
        environment: {},
      },
    });
    await untilMarked(mark);
    process.kill(aboutMarked(mark).guard, "SIGKILL");
    return { ended: await service.ended, left: await leftOf(mark) };
  },
  "loses what made its namespaces, and nobody looks": async (mark) => {
    using place = playground();
    const stop = new AbortController();
    const words = ["sh", "-c", `trap '' TERM; ${LEAVE} sleep 600; :`, "sh", mark];
    const running = child(place, words, { signal: stop.signal, timeoutMs: 600_000 });
    await untilMarked(mark, 4);
    const { guard, maker } = aboutMarked(mark);
    process.kill(guard, "SIGSTOP");
    if (maker !== null) process.kill(maker, "SIGKILL");
    for (let tries = 100; tries > 0 && marked(mark).length > 0; tries -= 1) await pause(20);
    const left = marked(mark).length > 0 ? "all" : "none";
    process.kill(guard, "SIGCONT");
    stop.abort();
    await running;
    return left;
  },
  "is looked at from outside": async (mark) => {
    using place = playground();
    const stop = new AbortController();
    const running = child(place, ["sh", "-c", "sleep 600; :", "sh", mark], { signal: stop.signal });
    await untilMarked(mark, 1);
    while (!readFileSync(`/proc/${marked(mark)[0]}/comm`, "utf8").startsWith("sh")) await pause(20);
    const [pid = 0] = marked(mark);
    const status = statusOf(pid);
    const isApart = (name: string): boolean =>
      readlinkSync(`/proc/${pid}/ns/${name}`) !== readlinkSync(`/proc/self/ns/${name}`);
    const line = (name: string): string => new RegExp(`^${name}:\\s+(.*)$`, "m").exec(status)?.[1] ?? "";
    const user = /^Uid:.*$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[0];
    const names = readdirSync("/proc/self/ns").filter((name) => !name.endsWith("_for_children"));
    const apart = names.filter(isApart).sort();
    const beside = countBeside(mark);
    stop.abort();
    await running;
    return {
      apart,
      beside,
      capabilities: ["CapInh", "CapPrm", "CapEff", "CapAmb"].map(line),
      held: ["NoNewPrivs", "Seccomp"].map(line),
      isSameUser: /^Uid:.*$/m.exec(status)?.[0] === user,
    };
  },
  "sees whose files are whose, and has its own": async () => {
    using place = playground();
    return brief(await child(place, ["sh", "-c", "id -u; : >out/ok; [ -O out/ok ] && [ -O readme ] && echo own"]));
  },
  "leaves orphans that end": async () => {
    using place = playground();
    const leave = "defined fork or exit 1; exit";
    const rest = "select undef, undef, undef, 0.01";
    const many = `for (1 .. 80) { my $p = fork; if (!$p) { ${leave} } waitpid $p, 0; exit 1 if $?; ${rest} }`;
    const limits = { ...DEFAULT_CHILD_LIMITS, processes: 40 };
    return brief(await child(place, ["perl", "-e", `${many} print "all"`], { limits }));
  },
  "begins as many processes as it may": async () => {
    using place = playground();
    const fill = "my $n = 1; while (defined(my $p = fork)) { if (!$p) { sleep 600; exit } $n++ } print $n; kill 9, 0";
    const limits = { ...DEFAULT_CHILD_LIMITS, processes: 20 };
    return brief(await child(place, ["perl", "-e", `$| = 1; ${fill}`], { limits }));
  },
  "starts where namespaces cannot be made any more": async () => {
    using place = playground();
    const { rung } = confined(place);
    if (rung.name !== "landlock, namespaces") return [];
    /** A program in the place of `unshare`, which gets its words. */
    const refusal = async (name: string, script: string): Promise<string> => {
      const unshare = join(place.root, name);
      writeFileSync(unshare, `#!/bin/sh\n${script}\n`);
      chmodSync(unshare, 0o755);
      return await refusalOf(() => run(place, ["true"], { view: { ...confined(place), rung: { ...rung, unshare } } }));
    };
    const allBut = (name: string): string =>
      `for word; do shift; [ "$word" = --${name} ] || set -- "$@" "$word"; done; exec ${rung.unshare} "$@"`;
    return await Promise.all([
      refusal("fails", "exit 1"),
      refusal("makes none", 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"'),
      ...["pid", "ipc", "net", "uts", "cgroup"].map((name) => refusal(`makes no ${name}`, allBut(name))),
    ]);
  },
  "is looked for by a host with a capability, which it would lose in namespaces": async () => {
    if (BY === "landlock") return null;
    using place = playground();
    const programs = join(place.root, "programs");
    mkdirSync(programs);
    for (const name of ["cat", "env", "grep", "sh", "unshare"])
      symlinkSync(programOf(name).program, join(programs, name));
    const index = JSON.stringify(join(import.meta.dirname, "../../src/index.ts"));
    const code = `
      const { DEFAULT_CHILD_LIMITS, probeSandbox } = await import(${index});
      const found = await probeSandbox(JSON.parse(process.argv[1]), DEFAULT_CHILD_LIMITS);
      process.stdout.write(found.reason ?? found.title);`;
    const host = [process.execPath, "--no-warnings", "--input-type=module", "-e", code];
    const authority = JSON.stringify({ ...place.authority, searchPath: [programs] });
    const words = ["--user", "--map-current-user", "--keep-caps", "--", ...host, authority];
    return (await promisify(execFile)("unshare", words)).stdout;
  },
  "serves, and ends with its input": async () => {
    using place = playground();
    const heard: Buffer[] = [];
    const service = new ServiceChild({
      view: confined(place),
      limits: DEFAULT_CHILD_LIMITS,
      onOutput: (piece: Buffer) => heard.push(piece),
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
      ...programOf("sh"),
      args: ["-c", "echo abc; exit 4"],
      cwd: place.workspace,
      environment: {},
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
    const view = { ...confined(place), filter: Buffer.alloc(8) };
    return await refusalOf(() => run(place, ["true"], { view }));
  },
  "is shown what is hidden": async () => {
    using place = playground();
    const view = confined(place);
    const shown = { kind: "readOnly", path: place.root } as const;
    const floor = [join(place.root, "state/journal")];
    // As a mistake of ours would have it: the rules grant what nobody may see.
    const wrong = { ...view, mounts: [...view.mounts.filter(({ kind }) => kind !== "maskFolder"), shown] };
    const mistaken = { ...wrong, authority: { ...view.authority, floor } };
    return await refusalOf(() => run(place, ["sh", "-c", "cat ../state/journal"], { view: mistaken }));
  },
  "wants an agent, a host, or files of ours": async () => {
    using place = playground();
    const view = confined(place);
    const command = { ...programOf("true"), args: [], cwd: place.workspace, environment: {} };
    const limits = DEFAULT_CHILD_LIMITS;
    const onConnection = (): void => undefined;
    const agent = { variables: {}, settings: NO_SETTINGS, device: null, onConnection };
    const own = ownProgramView(view, [{ path: "/femtoclaw/x", content: Buffer.from("x") }]);
    return await Promise.all([
      refusalOf(() => new AgentChild({ view, command, limits, ...agent })),
      refusalOf(() => run(place, ["true"], { view, onConnection })),
      refusalOf(() =>
        runSandboxed({
          view: own.view,
          handed: own.handed,
          limits,
          command: { ...command, cwd: own.cwd },
          timeoutMs: 5_000,
          outputBytesMax: 100,
          signal: new AbortController().signal,
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
  if (MARK !== undefined) {
    await held(MARK);
    process.exit();
  }
  const found = Object.entries(ATTACKS).map(
    async ([name, attack], index) => [name, await attack(`mark-${process.pid}-${index}`)] as const,
  );
  process.stdout.write(JSON.stringify(Object.fromEntries(await Promise.all(found))));
}
