/** Children that are made ready for a call: of a call that is not permitted to run in the end, nothing runs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { DEFAULT_CHILD_LIMITS, PreparedChild, type SandboxCommand } from "../src/index.ts";
import { programOf, run } from "./playground.ts";
import { confining, groups, isThere, type Usual, usual } from "./waiting-fixture.ts";

/** Longer than the sandbox needs to stand, so that a program that need not wait would have run. */
const STOOD_MS = 300;

const touch = ({ place }: Usual, name = "ran"): SandboxCommand => ({
  ...programOf("touch"),
  args: [join(place.out, name)],
  cwd: place.workspace,
  environment: {},
});

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);

/** One that waits is begun for the command, and stands. */
async function prepared(usual: Usual, command = touch(usual)): Promise<{ child: PreparedChild; pid: number }> {
  await usual.waiting();
  let child: PreparedChild | null = null;
  // It waits already; that it does so has still to be heard.
  await expect
    .poll(() => (child ??= PreparedChild.of({ view: usual.view, command, limits: DEFAULT_CHILD_LIMITS })))
    .not.toBeNull();
  if (child === null) throw new Error("no child waited");
  await expect.poll(confining).toHaveLength(1);
  await sleep(STOOD_MS);
  return { child, pid: confining()[0] ?? 0 };
}

describe.runIf(groups !== null)("a child that is made ready", () => {
  it("runs its program when it is taken, and not before", async () => {
    await using calls = await usual();
    const command = touch(calls);
    const { child, pid } = await prepared(calls);
    expect(readdirSync(calls.place.out)).toEqual([]);
    const running = run(calls.place, ["touch"], { view: calls.view, command, prepared: child });
    // No other one was started for it.
    expect(confining()).toEqual([pid]);
    expect(await running).toMatchObject({ exitCode: 0, signal: null, cancelled: false });
    expect(readdirSync(calls.place.out)).toEqual(["ran"]);
    child[Symbol.dispose]();
  });

  it("runs nothing and is gone when it is not taken", async () => {
    await using calls = await usual();
    const { child, pid } = await prepared(calls);
    child[Symbol.dispose]();
    await expect.poll(() => isThere(pid)).toBe(false);
    expect(child.take()).toBeNull();
    expect(readdirSync(calls.place.out)).toEqual([]);
  });

  it("runs nothing where its run was cancelled before", async () => {
    await using calls = await usual();
    const { child, pid } = await prepared(calls);
    const over = { view: calls.view, command: touch(calls), prepared: child, signal: AbortSignal.abort() };
    expect(await run(calls.place, ["touch"], over)).toMatchObject({ cancelled: true, exitCode: null });
    child[Symbol.dispose]();
    await expect.poll(() => isThere(pid)).toBe(false);
    expect(readdirSync(calls.place.out)).toEqual([]);
  });

  it("and killed meanwhile gives way to another one", async () => {
    await using calls = await usual();
    const { child, pid } = await prepared(calls);
    const inside = childrenOf(pid);
    expect(inside).toHaveLength(1);
    process.kill(pid, "SIGKILL");
    // What it had begun is not told what it waits for, and ends.
    await expect.poll(() => inside.some(isThere)).toBe(false);
    await expect.poll(() => isThere(pid)).toBe(false);
    const command = touch(calls);
    expect(await run(calls.place, ["touch"], { view: calls.view, command, prepared: child })).toMatchObject({
      exitCode: 0,
    });
    expect(readdirSync(calls.place.out)).toEqual(["ran"]);
    child[Symbol.dispose]();
  });

  it("gives way to another one where something that is kept from it was replaced meanwhile", async () => {
    await using calls = await usual();
    const { child, pid } = await prepared(calls);
    const secrets = join(calls.place.workspace, "secrets");
    renameSync(secrets, join(calls.place.workspace, "aside"));
    mkdirSync(secrets);
    expect(child.take()).toBeNull();
    await expect.poll(() => isThere(pid)).toBe(false);
    child[Symbol.dispose]();
  });

  it("is left to its maker by a run that needs more than it has", async () => {
    await using calls = await usual();
    const command: SandboxCommand = { ...touch(calls), ...programOf("cat"), args: [] };
    const { child, pid } = await prepared(calls, command);
    const stdin = Buffer.from("input");
    const ran = await run(calls.place, [], { view: calls.view, command, prepared: child, stdin });
    expect(ran.stdout.toString()).toBe("input");
    expect(isThere(pid)).toBe(true);
    child[Symbol.dispose]();
    await expect.poll(() => isThere(pid)).toBe(false);
  });

  it("is none where nobody waits, and none for a pipeline", async () => {
    await using calls = await usual();
    const request = { view: calls.view, command: touch(calls), limits: DEFAULT_CHILD_LIMITS };
    expect(PreparedChild.of(request)).toBeNull();
    await calls.waiting();
    const piped = { ...touch(calls), into: [{ ...programOf("cat"), args: [] }] };
    expect(PreparedChild.of({ ...request, command: piped })).toBeNull();
    expect(confining()).toEqual([]);
  });

  it("runs nothing when its host is killed", async () => {
    const modules = ["../src/index.ts", "../src/control-groups/control-groups.ts", "./playground.ts"].map((path) =>
      JSON.stringify(join(import.meta.dirname, path)),
    );
    await using calls = await usual();
    const out = JSON.stringify(calls.place.out);
    const code = `
      const [{ DEFAULT_CHILD_LIMITS, PreparedChild, viewOf }, { ControlGroups }, { playground, programOf, run }] =
        await Promise.all([${modules.map((path) => `import(${path})`).join(", ")}]);
      const allow = [{ path: ${out}, source: "test" }];
      using place = playground(() => ({ workspace: ${out}, allow: { read: allow, write: allow, run: [] } }));
      const groups = await ControlGroups.find("/bin/sh", DEFAULT_CHILD_LIMITS);
      const view = viewOf(place.authority, undefined, undefined, groups);
      const command = { ...programOf("touch"), args: [${out} + "/ran"], cwd: ${out}, environment: {} };
      await run(place, [], { view, isUsual: true, command: { ...command, ...programOf("true"), args: [] } });
      let child = null;
      while (child === null) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        child = PreparedChild.of({ view, command, limits: DEFAULT_CHILD_LIMITS });
      }
      setTimeout(() => process.stdout.write("stands"), ${STOOD_MS});
      setInterval(() => undefined, 1_000);`;
    const host = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
    await once(host.stdout, "data");
    host.kill("SIGKILL");
    await once(host, "exit");
    await sleep(STOOD_MS);
    expect(readdirSync(calls.place.out)).toEqual([]);
  });
});
