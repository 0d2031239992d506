/** The file capabilities that change, list and search, against names that are exchanged while they work. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Facts } from "@femtoclaw/protocol";
import { describe, expect, it, onTestFinished } from "vitest";
import { attack } from "./name-exchange.ts";
import { Playground, SECRET } from "./playground.ts";

/** A run by hand takes more: FEMTOCLAW_RACE_ROUNDS=20000. */
const ROUNDS = Number(process.env["FEMTOCLAW_RACE_ROUNDS"] ?? 200);

/** What policy would say: only what really lies in the workspace. */
const within =
  (folder: string) =>
  ({ questions }: Facts): boolean =>
    questions.every((question) => question.kind === "path" && question.path.startsWith(`${folder}/`));

const outside = (place: Playground): string[] =>
  readdirSync(join(place.root, "outside"), { recursive: true }) as string[];

describe("while a folder is exchanged for a link", () => {
  it.each([
    ["fs_edit", (_: number) => ({ path: "flip/file", old: "harmless", new: "harmless" })],
    ["fs_mkdir", (round: number) => ({ path: `flip/new-${round}` })],
    ["fs_mkdir", (round: number) => ({ path: `flip/deep-${round}/a`, parents: true })],
    ["fs_delete", (round: number) => ({ path: `flip/gone-${round % ROUNDS}` })],
    ["fs_move", (round: number) => ({ from: `flip/gone-${round % ROUNDS}`, to: `out/came-${round}` })],
    ["fs_move", (round: number) => ({ from: `stock/gone-${round % ROUNDS}`, to: `flip/came-${round}` })],
  ] as const)("%s changes nothing outside (%#)", async (tool, argsOf) => {
    using place = new Playground();
    place.file("flip/file", "harmless");
    writeFileSync(join(place.root, "outside/file"), `${SECRET} harmless`);
    for (const folder of ["flip", "stock", "../outside"]) {
      for (let round = 0; round < ROUNDS; round += 1) place.file(`${folder}/gone-${round}`, folder);
    }
    const before = outside(place).sort();
    symlinkSync(join(place.root, "outside"), join(place.workspace, "link"));
    let succeeded = 0;
    {
      await using _attack = await attack(join(place.workspace, "flip"), join(place.workspace, "link"));
      // On a busy machine the attacker is faster than any call for a while.
      for (let round = 0; round < ROUNDS || (succeeded === 0 && round < 50 * ROUNDS); round += 1) {
        const outcome = await place.call(tool, argsOf(round), { decide: within(place.workspace) });
        if (outcome?.event === "succeeded") succeeded += 1;
      }
    }
    // The attack must not have kept every single call away, else nothing was tried.
    expect(succeeded).toBeGreaterThan(0);
    expect(outside(place).sort()).toEqual(before);
    expect(readFileSync(join(place.root, "outside/file"), "utf8")).toBe(`${SECRET} harmless`);
    const left = readdirSync(place.workspace, { recursive: true, encoding: "utf8" }) as string[];
    expect(left.filter((name) => name.includes(".femtoclaw-"))).toEqual([]);
  });

  it.each([
    ["fs_list", { path: ".", recursive: true }],
    ["fs_search", { path: ".", pattern: "the-secret" }],
    ["fs_stat", { path: "flip/file" }],
  ] as const)("%s tells nothing of what lies outside", async (tool, args) => {
    using place = new Playground();
    place.file("flip/file", "harmless");
    place.file("flip/sub/file", "harmless");
    place.file("../outside/told", SECRET);
    place.file("../outside/sub/told", SECRET);
    symlinkSync(join(place.root, "outside"), join(place.workspace, "link"));
    let seen = 0;
    {
      await using _attack = await attack(join(place.workspace, "flip"), join(place.workspace, "link"));
      const mayReach = (path: string): boolean => path.startsWith(`${place.workspace}/`);
      const decide = (facts: Facts): boolean =>
        facts.questions.every(
          ({ kind, ...question }) => kind === "path" && "path" in question && question.path.startsWith(place.workspace),
        );
      for (let round = 0; round < ROUNDS || (seen === 0 && round < 50 * ROUNDS); round += 1) {
        const outcome = await place.call(tool, args, { decide, mayReach });
        if (outcome?.event !== "succeeded") continue;
        seen += JSON.stringify(outcome.result).includes("file") ? 1 : 0;
        expect(JSON.stringify(outcome.result)).not.toContain("told");
        expect(JSON.stringify(outcome.result)).not.toContain(SECRET);
      }
    }
    expect(seen).toBeGreaterThan(0);
  });

  it.each([
    ["fs_delete", () => ({ path: "out/file" })],
    ["fs_move", (round: number) => ({ from: "out/file", to: `out/moved-${round}` })],
    ["fs_edit", () => ({ path: "out/file", old: "a", new: "a" })],
  ] as const)("%s leaves alone what a file that becomes a link leads to", async (tool, argsOf) => {
    using place = new Playground();
    const names = ["out/file", "out/link"].map((name) => join(place.workspace, name));
    for (let race = 0; race < (tool === "fs_edit" ? 1 : ROUNDS / 50); race += 1) {
      for (const name of names) rmSync(name, { force: true });
      place.file("out/file", "a");
      symlinkSync(join(place.root, "outside/file"), join(place.workspace, "out/link"));
      await using _attack = await attack(...(names as [string, string]), { mayEnd: true });
      for (let round = 0; round < ROUNDS; round += 1) {
        await place.call(tool, argsOf(race * ROUNDS + round), { decide: within(place.workspace) });
        // Whatever was taken away ends the race.
        if (!names.every((name) => lstatSync(name, { throwIfNoEntry: false }))) break;
      }
    }
    expect(readFileSync(join(place.root, "outside/file"), "utf8")).toBe(SECRET);
  });
});

describe("what is no regular file", () => {
  it.each(["fs_edit", "fs_stat", "fs_delete", "fs_search", "fs_mkdir"])("is refused by %s", async (tool) => {
    using place = new Playground();
    execFileSync("mkfifo", [join(place.workspace, "pipe")]);
    const server = createServer().listen(join(place.workspace, "socket"));
    await once(server, "listening");
    for (const path of ["pipe", "socket", "/dev/null", "/dev/zero", "/proc/self/mem"]) {
      expect(await place.facts(tool, { path, old: "a", new: "b", pattern: "a" })).toMatchObject({ ok: false });
    }
    server.close();
  });

  it("is neither moved nor moved onto", async () => {
    using place = new Playground();
    execFileSync("mkfifo", [join(place.workspace, "pipe")]);
    place.file("a");
    expect(await place.facts("fs_move", { from: "pipe", to: "b" })).toMatchObject({ ok: false });
    expect(await place.facts("fs_move", { from: "a", to: "pipe" })).toMatchObject({ ok: false });
    expect(await place.facts("fs_move", { from: "a", to: "/proc/self/mem" })).toMatchObject({ ok: false });
  });
});

/** As whom calls are made for which the modes of files matter: nobody for root, and everybody else for themselves. */
const REFUSED_USER = process.getuid?.() === 0 ? "65534" : "";

/**
 * Makes one call in a process of its own, where the modes of files forbid it, or with a disk of 64 KiB, and tells what is
 * left. The process cannot always remove what it made, so that lies in a folder of its own.
 */
function elsewhere(where: "forbidden" | "full disk", tool: string, args: object): unknown {
  const folder = mkdtempSync(join(tmpdir(), "femtoclaw-elsewhere-"));
  const own = mkdtempSync(join(tmpdir(), "femtoclaw-elsewhere-"));
  chmodSync(folder, 0o755);
  const code = `
    import { chmodSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
    const { Playground } = await import(${JSON.stringify(join(import.meta.dirname, "playground.ts"))});
    const [, folder, tool, args, where, user] = process.argv;
    writeFileSync(folder + "/file", "old text");
    mkdirSync(folder + "/full/sub", { recursive: true });
    if (where === "forbidden") chmodSync(folder + "/full", user === "" ? 0 : 0o700);
    if (where === "forbidden") chmodSync(folder, 0o555);
    const place = new Playground();
    if (where === "forbidden" && user !== "") process.setuid(Number(user));
    const outcome = await place.call(tool, JSON.parse(args.replaceAll("DISK", folder)));
    console.log(JSON.stringify({ outcome, file: readFileSync(folder + "/file", "utf8"), names: readdirSync(folder).sort() }));
    process.exit();`;
  const words = [folder, tool, JSON.stringify(args), where, REFUSED_USER];
  const node = [process.execPath, "--input-type=module", "-e", code, ...words];
  const bwrap = ["--dev-bind", "/", "/", "--size", "65536", "--tmpfs", folder, "--", ...node];
  try {
    const [program = "", ...argv] = where === "full disk" ? ["bwrap", ...bwrap] : node;
    return JSON.parse(execFileSync(program, argv, { encoding: "utf8", env: { ...process.env, TMPDIR: own } }));
  } finally {
    remove(folder);
    remove(own);
  }
}

/** Whatever its modes and those below it are. */
function remove(folder: string): void {
  execFileSync("chmod", ["-R", "u+rwx", folder]);
  rmSync(folder, { recursive: true });
}

describe("where the system refuses", () => {
  const refused = (cause: string) => ({
    outcome: { event: "failed", code: "FEMTO_OS_REFUSED", reason: expect.stringContaining(cause) },
    file: "old text",
    names: ["file", "full"],
  });

  it("fs_edit on a full disk changes nothing and leaves nothing", () => {
    const args = { path: "DISK/file", old: "text", new: "x".repeat(100_000) };
    expect(elsewhere("full disk", "fs_edit", args)).toMatchObject(refused("ENOSPC"));
  });

  it.each([
    ["fs_edit", { path: "DISK/file", old: "text", new: "x" }],
    ["fs_delete", { path: "DISK/file" }],
    ["fs_move", { from: "DISK/file", to: "DISK/moved" }],
    ["fs_mkdir", { path: "DISK/new" }],
  ])("%s changes nothing where the host itself may not", (tool, args) => {
    expect(elsewhere("forbidden", tool, args)).toMatchObject(refused("E"));
  });

  it("walks leave out what the host itself may not read, and say that there is more", () => {
    const { outcome } = elsewhere("forbidden", "fs_list", { path: "DISK", recursive: true }) as {
      outcome: { result: unknown };
    };
    expect(outcome.result).toMatchObject({ entries: [{ name: "file" }, { name: "full" }], truncated: true });
  });
});

describe("a folder with a denied file in it that the host cannot see, because it", () => {
  const move = (mode: string, { user = "", mount = false }): unknown => {
    const folder = mkdtempSync(join(tmpdir(), "femtoclaw-blind-"));
    onTestFinished(() => remove(folder));
    const held = join(folder, "whole/held");
    mkdirSync(held, { recursive: true });
    const script = join(import.meta.dirname, "move-blindly.ts");
    const node = [process.execPath, script, folder, mode, user];
    const [program = "", ...argv] = mount ? ["bwrap", "--dev-bind", "/", "/", "--tmpfs", held, "--", ...node] : node;
    return JSON.parse(execFileSync(program, argv, { encoding: "utf8", env: { ...process.env, TMPDIR: folder } }));
  };
  const stays = { outcome: { event: "failed", code: "FEMTO_CAPABILITY_FAILED" }, stays: true };

  it("may not list what holds it, is not moved", () => {
    expect(move("0311", { user: REFUSED_USER })).toMatchObject(stays);
  });

  it("may not look at what it lists, is not moved", () => {
    expect(move("0644", { user: REFUSED_USER })).toMatchObject(stays);
  });

  it("does not go on to another file system, is not moved", () => {
    expect(move("0755", { mount: true })).toMatchObject(stays);
  });
});

describe("while another user of the machine watches the folder", () => {
  it.each([
    ["fs_edit", { path: "private", old: "harmless", new: "harmless" }],
    ["fs_write", { path: "private", content: SECRET, mode: "overwrite" }],
  ] as const)("%s gives a private file no successor that others could open", async (tool, args) => {
    using place = new Playground();
    place.file("private", `${SECRET} harmless`);
    chmodSync(join(place.workspace, "private"), 0o600);
    const modes: number[] = [];
    const watcher = watch(place.workspace, (_, name) => {
      if (name?.startsWith(".femtoclaw-") !== true) return;
      const found = statSync(join(place.workspace, name), { throwIfNoEntry: false });
      if (found !== undefined) modes.push(found.mode & 0o777);
    });
    try {
      // Who watches sees most of them at the moment of their birth, and some of them never.
      for (let round = 0; round < ROUNDS || (modes.length === 0 && round < 50 * ROUNDS); round += 1) {
        place.file("private", `${SECRET} harmless`);
        expect(await place.call(tool, args)).toMatchObject({ event: "succeeded" });
      }
    } finally {
      watcher.close();
    }
    expect(new Set(modes)).toEqual(new Set([0o600]));
    expect(statSync(join(place.workspace, "private")).mode & 0o777).toBe(0o600);
  });
});
