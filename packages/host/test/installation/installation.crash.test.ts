/** Whoever installs or upgrades is killed, at each step and at any moment: it is the old or the new, and goes on. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { FemtoError } from "@femtoclaw/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CommandContext } from "../../src/commands/command-context.ts";
import {
  install as installCommand,
  uninstall as uninstallCommand,
  upgrade as upgradeCommand,
} from "../../src/commands/installation.ts";
import { changedFiles } from "../../src/installation/install.ts";
import { Library } from "../../src/installation/library.ts";
import { COMMAND } from "../playground.ts";
import { flagScript, newSigner, release } from "./stand-in.ts";
import { upgradeKills } from "./upgrade-kills.ts";

const [NODE, LAUNCH] = COMMAND;
const KILL_AT = join(import.meta.dirname, "kill-at.ts");
const signer = newSigner();
let root: string;
beforeAll(() => {
  root = realpathSync(mkdtempSync("/tmp/fk-"));
  writeFileSync(join(root, "key.pub"), signer.pem);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const flag = (): string => join(root, "running");
const prefix = (): string => join(root, "i");
const library = (): Library => new Library(join(prefix(), "lib/femtoclaw"));
const published = (version: string, fails?: string): string =>
  release(join(root, "r"), { version, signer, script: flagScript(flag(), fails) });

/** One command by itself; `die` says after how many milliseconds it is killed, or before which call. */
async function run(words: readonly string[], die?: number | string): Promise<number | string> {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const at = typeof die === "string" ? { FEMTO_TEST_KILL_AT: die, FEMTO_TEST_KILL_IN: `^${root}/\\.?i` } : {};
  const env = { PATH, NODE_COMPILE_CACHE, HOME: root, ...at };
  const preload = typeof die === "string" ? ["--import", KILL_AT] : [];
  const argv = [...preload, LAUNCH, ...words, "--prefix", prefix()];
  const child = spawn(NODE, argv, { env, cwd: root, stdio: "ignore" });
  const ended = once(child, "close");
  if (typeof die === "number") {
    await sleep(die);
    child.kill("SIGKILL");
  }
  const [code, signal] = (await ended) as [number | null, string | null];
  return code ?? signal ?? "";
}

const install = (file: string) => ["install", file, "--key", join(root, "key.pub")];

/** INVARIANT of every moment: what the link leads to is whole and runs, or there is no link. */
function inForce(): string | null {
  const current = library().inForce();
  if (current === null) return null;
  const said = String(execFileSync(library().program(), ["doctor"]));
  expect(said).toBe("[]\n");
  const program = readFileSync(library().program());
  expect(String(program)).toContain(`# ${current.receipt.version}`);
  return current.receipt.version;
}

describe("an upgrade that is killed", () => {
  beforeAll(async () => {
    expect(await run(install(published("1.0.0")))).toBe(0);
    writeFileSync(flag(), "");
  });
  afterAll(() => {
    rmSync(prefix(), { recursive: true });
    rmSync(flag());
  });

  test.each([
    [1, "while it looks whether a host runs", "status", "old"],
    [2, "while the next executable looks around", "doctor", "old"],
    [3, "before the host is drained", "down", "old"],
    [4, "when the host has stopped and nothing is switched", "down after", "old"],
    [5, "when it is switched and no host runs", "up", "new"],
    [6, "when the next host runs", "up after", "new"],
    [7, "before it is done", "status again", "new"],
  ])("%i: %s is undone or completed by the next command", async (minor, _, moment, expected) => {
    const [old, next] = [`1.${minor - 1}.0`, `1.${minor}.0`];
    const file = published(next);
    rmSync(`${flag()}.asked`, { force: true });
    writeFileSync(`${flag()}.kill`, moment);
    expect(await run(["upgrade", file])).toBe("SIGKILL");
    expect(inForce()).toBe(expected === "new" ? next : old);

    // What was cut off is ended first; then nothing, or the upgrade itself, is left to be done.
    expect(await run(["upgrade", file])).toBe(0);
    expect([inForce(), existsSync(flag()), library().pending()]).toEqual([next, true, null]);
    const { receipt } = library().inForce() ?? {};
    expect(library().receiptOf(receipt?.previous ?? "")?.version).toBe(old);
  });

  test("while it goes back is gone back on, and the host runs again", async () => {
    // The next one does not come up; whoever takes it back dies when the one before has just started.
    writeFileSync(`${flag()}.kill`, "up after");
    expect(await run(["upgrade", published("1.8.0", "up")])).toBe("SIGKILL");
    expect(inForce()).toBe("1.7.0");
    expect(await run(["upgrade", published("1.7.0")])).toBe(0);
    expect([inForce(), existsSync(flag()), library().pending()]).toEqual(["1.7.0", true, null]);
    expect(library().inForce()?.receipt.changes.at(-1)?.reason).toContain("did not start");
  });

  test("and one whose disk fails once the link is switched starts the next host all the same", async () => {
    const { fsyncSync } = fs;
    let failures = 0;
    fs.fsyncSync = (descriptor) => {
      if (failures === 0 && library().inForce()?.receipt.version === "1.9.0") {
        failures += 1;
        throw Object.assign(new Error("EIO: i/o error, fsync"), { code: "EIO", syscall: "fsync" });
      }
      fsyncSync(descriptor);
    };
    syncBuiltinESMExports();
    const said = await act((context) => upgradeCommand(context, published("1.9.0"), { prefix: "i" }));
    fs.fsyncSync = fsyncSync;
    syncBuiltinESMExports();
    expect([said, failures]).toEqual([0, 1]);
    expect([inForce(), existsSync(flag()), library().pending()]).toEqual(["1.9.0", true, null]);
  });
});

/** LIMIT: rounds of kills at any moment; each takes about a second. */
const ROUNDS = 2;

test("an installation that is killed at any moment is none or all of it, and the next one ends it", async () => {
  const file = published("1.0.0");
  const beganMs = performance.now();
  expect(await run(install(file))).toBe(0);
  const tookMs = performance.now() - beganMs;
  const outcomes = new Set<string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    rmSync(prefix(), { recursive: true });
    // Most of the time passes before the first file is made.
    await run(install(file), tookMs * (0.5 + (0.5 * round) / ROUNDS));
    outcomes.add(existsSync(join(prefix(), "lib/femtoclaw")) && inForce() !== null ? "new" : "old");
    expect(await run(install(file))).toBe(0);
    expect([inForce(), library().pending()]).toEqual(["1.0.0", null]);
    const receipt = library().inForce()?.receipt;
    expect(receipt?.files.filter(({ path }) => !existsSync(path))).toEqual([]);
    expect(changedFiles(receipt?.files ?? [])).toEqual([]);
  }
  expect(await run(["uninstall"])).toBe(0);
  expect(left()).toEqual([]);
  expect(outcomes.size).toBeGreaterThan(0);
});

/** What of an installation is there, and what was on its way there. */
const left = (): string[] => readdirSync(root).filter((name) => /^\.?i(\.|$)/.test(name));

/** The same as the commands, without a process of their own. */
async function act(command: (context: CommandContext) => Promise<number>): Promise<number | string> {
  const output = {
    json: false,
    value: () => undefined,
    line: () => undefined,
    prose: () => undefined,
    talk: () => undefined,
  };
  const context = { cwd: root, environment: { PATH: process.env["PATH"], HOME: root }, output };
  return await command(context as unknown as CommandContext).catch((error: FemtoError) => error.code);
}
const installs = () => act((context) => installCommand(context, published("1.0.0"), { key: "key.pub", prefix: "i" }));
const takesAway = () => act((context) => uninstallCommand(context, { prefix: "i" }));

describe("whatever was made or taken away when it was killed", () => {
  test.each([
    ["mkdirSync:2", "while it makes the folders for the library", "FEMTO_INSTALL_NOT_FOUND"],
    ["renameSync:1", "before its note is written", "FEMTO_INSTALL_NOT_FOUND"],
    ["renameSync:2", "when its note is written, and nothing has its name", "FEMTO_INSTALL_NOT_FOUND"],
    ["renameSync:4", "when the library has its name", 0],
    ["renameSync:6", "when all of it is there, and nothing in force", 0],
  ])("of an installation, before %s, %s: the next uninstallation leaves nothing of it", async (call, _, said) => {
    expect(await run(install(published("1.0.0")), call)).toBe("SIGKILL");
    expect([library().inForce(), left()]).not.toEqual([null, []]);
    expect(await takesAway()).toBe(said);
    expect(left()).toEqual([]);
  });

  test.each([
    ["renameSync:2", "when it is in force no more", true],
    ["renameSync:3", "when nothing but the library is there", true],
    ["rmdirSync:13", "when the library has left its place", false],
  ])("of an uninstallation, before %s, %s: the next one leaves nothing of it", async (call, _, isThere) => {
    expect(await installs()).toBe(0);
    expect(await run(["uninstall"], call)).toBe("SIGKILL");
    expect([library().inForce(), library().isThere, existsSync(prefix())]).toEqual([null, isThere, true]);
    expect(await takesAway()).toBe(0);
    expect(left()).toEqual([]);
  });

  test("of an uninstallation, before its note has its name: the next installation sweeps it away", async () => {
    expect(await installs()).toBe(0);
    const names = readdirSync(library().path);
    expect(await run(["uninstall"], "renameSync:1")).toBe("SIGKILL");
    expect(readdirSync(library().path)).toHaveLength(names.length + 1);
    expect(await installs()).toBe(0);
    expect(readdirSync(library().path)).toEqual(names);
    expect(await takesAway()).toBe(0);
  });

  test("goes, and a folder that was there before stays", async () => {
    mkdirSync(library().path, { recursive: true });
    expect([await installs(), await takesAway()]).toEqual([0, 0]);
    expect(readdirSync(prefix(), { recursive: true })).toEqual(["lib", "lib/femtoclaw"]);
    rmSync(prefix(), { recursive: true });
  });
});

test("an upgrade that is killed at any moment, with its host or without, is the old or the new", async () => {
  const rounds = 4;
  const { old, next } = await upgradeKills({ rounds, hosts: "scripts", onProgress: () => undefined });
  expect(old + next).toBe(rounds);
});

test("of two that install at once one wins, and the other says so", async () => {
  const codes = await Promise.all([1, 2, 3].map(() => run(install(published("1.0.0")))));
  expect(codes.filter((code) => code === 0).length).toBeGreaterThan(0);
  expect(codes.filter((code) => code !== 0 && code !== 69)).toEqual([]);
  expect(inForce()).toBe("1.0.0");
});
