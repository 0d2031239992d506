/** Whoever wants to see a host or to stop it can, whatever has become of its configuration; and what that says by now leads nobody elsewhere. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CONFIGURATION, type Finished, type Host, Playground } from "./playground.ts";
import { reportOfSilentHost, type SilentReport } from "./silent-report.ts";

const FOUND = { FEMTOCLAW_CONFIG: undefined };

/** Begun before all tests and awaited by the last ones, because most of it is waiting. */
let silent: Promise<PromiseSettledResult<SilentReport>[]>;
let lingering: Promise<PromiseSettledResult<Finished & { readonly pid: number }>[]>;
beforeAll(() => {
  silent = Promise.allSettled([reportOfSilentHost()]);
  lingering = Promise.allSettled([downOfLingeringHost()]);
});

/** What `down` says of a host that closes everything and whose process then stays. */
async function downOfLingeringHost(): Promise<Finished & { readonly pid: number }> {
  await using other = new Playground();
  const stays = other.write("stays.cjs", "process.on('exit', () => process.kill(process.pid, 'SIGSTOP'));\n");
  const host = await other.up([], { env: { NODE_OPTIONS: `--require ${stays}` } });
  const said = await other.run(["--json", "down"]);
  host.kill("SIGKILL");
  await host.ended;
  return { ...said, pid: host.pid };
}

let place: Playground;
beforeEach(() => {
  place = new Playground();
});
afterEach(() => place[Symbol.asyncDispose]());

const file = () => join(place.project, "femtoclaw.toml");
const hosts = () => join(place.root, "h/.local/state/femtoclaw/hosts");
const status = (args: readonly string[] = [], cwd = place.project) =>
  place.run([...args, "status"], { env: FOUND, cwd });
const down = (args: readonly string[] = [], cwd = place.project) => place.run([...args, "down"], { env: FOUND, cwd });

async function upTrusted(): Promise<Host> {
  expect((await place.run(["trust"], { env: FOUND })).code).toBe(0);
  return await place.up([], { env: FOUND });
}

/** A host of the same user that has nothing to do with it. */
async function upOther(): Promise<{ readonly host: Host; readonly says: string }> {
  const says = `[memory]\npath = ${JSON.stringify(join(place.root, "other-state"))}\n[host]\nruntime_dir = ${JSON.stringify(join(place.root, "other-run"))}\n`;
  const other = place.write("other/femtoclaw.toml", says);
  return { host: await place.up(["--config", other]), says };
}

function becomeLink(): void {
  rmSync(file());
  symlinkSync("/etc/passwd", file());
}

const alive = (host: Host): boolean => existsSync(`/proc/${host.pid}`);

const LOST = [
  ["has changed", () => place.configure(`${CONFIGURATION}# changed\n`), "FEMTO_CONFIG_UNTRUSTED"],
  ["has nothing of TOML any more", () => place.configure("[[["), "FEMTO_CONFIG_UNTRUSTED"],
  ["is gone", () => rmSync(file()), "FEMTO_CONFIG_NOT_FOUND"],
  ["became a link", () => becomeLink(), "FEMTO_CONFIG_INVALID"],
  ["can be changed by others", () => chmodSync(file(), 0o666), "FEMTO_CONFIG_OWNER"],
] as const satisfies readonly (readonly [string, () => void, string])[];

describe("a host is seen and stopped", () => {
  test.each(LOST)("whose configuration, which was found, %s, and what is wrong with that", async (_, change, code) => {
    const host = await upTrusted();
    expect(readdirSync(hosts())).toHaveLength(1);
    const whole = await status(["--json"]);
    expect(whole.code).toBe(0);
    expect(JSON.parse(whole.stdout)).toMatchObject({
      pid: host.pid,
      configuration: { path: file(), counts: true },
      remembered: { fits: true },
    });
    change();
    const cwd = place.folder("p/deep/down");
    const said = await status(["--json"], cwd);
    expect(said.code).toBe(78);
    expect(JSON.parse(said.stdout)).toMatchObject({
      pid: host.pid,
      phase: "idle",
      configuration: { path: file(), counts: false, code },
      remembered: { fits: true },
    });
    const shown = await status([], cwd);
    expect(shown).toMatchObject({ code: 78, stdout: expect.stringMatching(/^phase +idle$/m), stderr: "" });
    expect(shown.stdout).toContain(`the host continues with what it read earlier from ${file()}`);
    expect(shown.stdout).toMatch(/^fix: \S/m);

    expect(await down([], cwd)).toMatchObject({
      code: 0,
      stdout: `stopped: process ${host.pid}\n`,
      stderr: expect.stringContaining(`going by what the host noted that was started by ${file()}`),
    });
    expect(await host.ended).toBe(0);
    expect(readdirSync(hosts())).toEqual([]);
    const { stdout, stderr, code: exit } = await status();
    expect({ exit, stdout }).toEqual({ exit: 78, stdout: "" });
    expect(stderr).toContain(code);
    expect(await down()).toMatchObject({
      code: 78,
      stderr: expect.stringContaining("can also be stopped with SIGTERM"),
    });
  });
});

describe("a host is seen", () => {
  test("and not the one that its configuration names by now", async () => {
    const host = await upTrusted();
    const other = await upOther();
    place.configure(other.says);
    expect(JSON.parse((await status(["--json"])).stdout)).toMatchObject({ pid: host.pid });
    await down();
    expect(await status(["--json"])).toMatchObject({ code: 78, stdout: expect.not.stringContaining("pid") });
    expect(alive(other.host)).toBe(true);
  });
});

test("a call waits for a host that is stopped no longer than it was told to, and the host goes on afterwards", async () => {
  const host = await upTrusted();
  const call = (timeout: string) => place.run(["call", "fs_read", '{"path":"notes.txt"}', "--timeout", timeout]);
  // What was seen of its log is no reason to say that it lies.
  expect((await call("20000")).code).toBe(0);
  host.kill("SIGSTOP");
  const silent = await call("200");
  expect(silent).toMatchObject({ code: 69, stdout: "" });
  expect(silent.stderr).toContain(`nothing for 200 ms; it is process ${host.pid}, which is stopped\n`);
  expect(silent.stderr).toContain(`fix: Continue it with \`kill -CONT ${host.pid}\`, or end it`);
  host.kill("SIGCONT");
  expect((await call("20000")).code).toBe(0);
  expect((await place.executions()).map(({ tool }) => tool)).toEqual(["fs_read", "fs_read"]);
});

test("a host that was started with another state directory is named to whoever does not say so", async () => {
  const state = join(place.root, "second-state");
  place.configure(CONFIGURATION.replace('runtime_dir = "../run"\n', ""));
  expect((await place.run(["trust"], { env: FOUND })).code).toBe(0);
  const second = await place.up(["--state", state], { env: FOUND });
  for (const command of ["status", "down"]) {
    const { code, stderr } = await place.run([command], { env: FOUND });
    expect({ code, stderr }).toEqual({ code: 69, stderr: expect.stringContaining(`add --state ${state}.`) });
  }
  expect((await status(["--state", state])).code).toBe(0);
  expect((await down(["--state", state])).stdout).toBe(`stopped: process ${second.pid}\n`);
  expect((await status()).stderr).not.toContain("--state");
});

describe("a host is stopped", () => {
  test("whose configuration was named and cannot be read any more, and so is a session of it halted", async () => {
    const host = await place.up();
    await place.propose("fs_read", { path: "notes.txt" });
    const [{ session }] = (await place.executions()) as unknown as [{ readonly session: string }];
    place.configure("workspace = 7\n");
    expect(await place.run(["halt", session])).toMatchObject({ code: 0, stdout: expect.stringContaining("halted") });
    rmSync(file());
    expect((await place.run(["down"])).code).toBe(0);
    expect(await host.ended).toBe(0);
  });

  test("and not the one that its configuration names by now", async () => {
    const host = await upTrusted();
    const other = await upOther();
    place.configure(other.says);
    expect((await down()).stdout).toBe(`stopped: process ${host.pid}\n`);
    // Nothing is known any more, and the other one is not taken for it.
    expect((await down()).code).toBe(78);
    expect(alive(other.host)).toBe(true);
  });

  test("which one of two has to be said", async () => {
    const first = await upTrusted();
    const state = join(place.root, "second-state");
    place.configure(CONFIGURATION.replace('"../run"', '"../second-run"'));
    expect((await place.run(["trust"], { env: FOUND })).code).toBe(0);
    const second = await place.up(["--state", state], { env: FOUND });
    place.configure("");
    expect(await down()).toMatchObject({ code: 64, stderr: expect.stringContaining(`--state ${state}`) });
    expect((await down(["--state", state])).stdout).toBe(`stopped: process ${second.pid}\n`);
    expect((await down()).stdout).toBe(`stopped: process ${first.pid}\n`);
  });
});

describe("no host is stopped", () => {
  test("by a configuration beside or below that of a host", async () => {
    const host = await upTrusted();
    for (const folder of ["p/out", "beside"]) {
      const inner = place.write(`${folder}/femtoclaw.toml`, CONFIGURATION);
      expect(await down([], dirname(inner))).toMatchObject({ code: 78 });
    }
    expect(alive(host)).toBe(true);
  });

  test("by the note of one that was killed, where another one listens by now", async () => {
    const killed = await upTrusted();
    const [name] = readdirSync(hosts());
    const note = readFileSync(join(hosts(), String(name)), "utf8");
    killed.kill("SIGKILL");
    await killed.ended;
    const other = place.write("other/femtoclaw.toml", '[host]\nruntime_dir = "../run"\n');
    const host = await place.up(["--config", other]);
    expect(readFileSync(join(hosts(), String(name)), "utf8")).toBe(note);
    place.configure("");
    expect(await down()).toMatchObject({ code: 78 });
    expect(alive(host)).toBe(true);
    // The next start of the killed one forgets it.
    await place.down();
    place.configure(CONFIGURATION);
    await upTrusted();
    expect(readdirSync(hosts())).toHaveLength(1);
    expect(readdirSync(hosts())).not.toEqual([name]);
  });

  test("by a note that others could have written, or that is none", async () => {
    const host = await upTrusted();
    place.configure("");
    const [name] = readdirSync(hosts());
    const path = join(hosts(), String(name));
    const note = readFileSync(path, "utf8");
    chmodSync(path, 0o666);
    expect(await down()).toMatchObject({ code: 78, stderr: expect.stringContaining("FEMTO_CONFIG_OWNER") });
    chmodSync(path, 0o600);
    chmodSync(hosts(), 0o777);
    expect(await down()).toMatchObject({ code: 78, stderr: expect.stringContaining("FEMTO_CONFIG_OWNER") });
    chmodSync(hosts(), 0o700);
    for (const content of ["", "[]", "null", note.slice(0, -9), note.replace(file(), "/elsewhere/femtoclaw.toml")]) {
      writeFileSync(path, content);
      expect(await down()).toMatchObject({ code: 78, stderr: expect.stringContaining("FEMTO_CONFIG_UNTRUSTED") });
    }
    writeFileSync(path, note);
    expect((await down()).code).toBe(0);
    expect(await host.ended).toBe(0);
  });
});

test("a host that cannot be noted says so, and runs", async () => {
  mkdirSync(dirname(hosts()), { recursive: true });
  writeFileSync(hosts(), "");
  const host = await place.up();
  expect(host.log()).toContain("host.not_noted");
  expect((await place.run(["down"])).code).toBe(0);
});

test("a host that hangs is asked once for a report, and everything else is reported", async () => {
  const [settled] = await silent;
  const { code, asked, bundle } =
    settled?.status === "fulfilled" ? settled.value : expect.fail(String(settled?.reason));
  expect({ code, asked, status: bundle.status }).toEqual({
    code: 0,
    asked: 1,
    status: { failed: "FEMTO_HOST_SILENT" },
  });
  expect(bundle.doctor.map(({ check }) => check)).toEqual(expect.arrayContaining(["sandbox", "host"]));
  expect(bundle.records.map(({ type }) => type)).toContain("execution.outcome");
});

test("a host whose process stays when it has closed everything is not said to be stopped", async () => {
  const [settled] = await lingering;
  const { code, stdout, pid } = settled?.status === "fulfilled" ? settled.value : expect.fail(String(settled?.reason));
  expect(code).toBe(69);
  expect(JSON.parse(stdout)).toMatchObject({
    error: {
      code: "FEMTO_HOST_SILENT",
      reason: `the host has closed its connections, but process ${pid} has not ended within 10 s`,
      fix: expect.stringContaining(`\`kill -KILL ${pid}\``),
    },
  });
});
