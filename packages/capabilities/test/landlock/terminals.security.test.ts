/** Terminals that the kernel's Landlock confines, alone or in namespaces: what they do, leave, reach and are refused. */
import { spawn } from "node:child_process";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { CASES, type Escapes } from "../../../sandbox/test/escapes/run-escapes.ts";
import { marked } from "../../../sandbox/test/landlock/marked.ts";
import {
  environmentOf,
  hasLandlock,
  hasNamespaces,
  ordinary,
  saidTo,
  TERMINAL_STRANGER,
} from "../../../sandbox/test/stranger.ts";

const ATTACKS = join(import.meta.dirname, "terminal-attacks.ts");
const ESCAPES = join(import.meta.dirname, "escapes-on-terminal.ts");
const isRoot = process.getuid?.() === 0;

const BY_HANG_UP = { exitCode: 129, signal: "SIGHUP" };
const BY_KILL = { exitCode: null, signal: "SIGKILL" };

/** What a case of the corpus says on a terminal, where that is something else. */
const ON_TERMINAL: Readonly<Record<string, string>> = {
  "has the variables that it was given": "HOME PATH PWD TERM",
  "opens a terminal that it has not": "ok",
};
const WITH_JOBS: Readonly<Record<string, string>> = {
  ...ON_TERMINAL,
  "begins a session of its own": "ok",
  "leaves its group": "ok",
};

describe
  .runIf(hasLandlock)
  .each([
    ["alone", "landlock"] as const,
    ...(hasNamespaces() ? [["in namespaces", "landlock, namespaces"] as const] : []),
  ])("a program on a terminal under Landlock %s", (_, by) => {
  const hasJobs = by === "landlock, namespaces";
  let found: Record<string, unknown>;
  beforeAll(async () => {
    found = (await saidTo(TERMINAL_STRANGER, ATTACKS, by)) as typeof found;
  });

  it("has it under both of its names, is interrupted on it and sees another size", () => {
    expect(found["is used by a person"]).toEqual({ said: ["130", "131"], end: { exitCode: 7, signal: null } });
    expect(found["is ended by what is typed"]).toEqual([
      { exitCode: 130, signal: "SIGINT" },
      { exitCode: 131, signal: "SIGQUIT" },
    ]);
  });

  it("has jobs in namespaces, and is told so where it has none", () => {
    expect(found["has jobs"]).toEqual({ isWithout: !hasJobs, isStopped: hasJobs });
  });

  it("answers by itself what is typed, while those beside it go on, and ignores nothing from its start on", () => {
    expect(found["answers by itself what is typed"]).toEqual(BY_HANG_UP);
    expect(found["is guarded by any shell of a system"]).toEqual({ exitCode: 4, signal: null });
    const none = "0".repeat(16);
    expect(found["is looked at from outside"]).toEqual([none, none, none, "1", "2"]);
  });

  it("cannot type, take what is written elsewhere, be signalled by it or reach the kernel by it", () => {
    expect(found["asks for what no program may"]).toBe("tried\n");
  });

  it("opens no terminal but its own, and makes none", () => {
    expect(found["opens terminals"]).toEqual({ others: expect.any(Number), opened: ["tried"] });
    expect(found["has no descriptor but its own"]).toBe("");
  });

  it("leaves nothing behind, whatever it begins and however it ends", () => {
    const left = 0;
    expect(found["leaves processes and ends"]).toEqual({ end: { exitCode: 5, signal: null }, left });
    expect(found["leaves processes and is closed"]).toEqual({ end: BY_HANG_UP, left });
    for (const how of ["hears nothing and is closed", "stops itself and is closed", "loses its guard"]) {
      expect(found[how]).toEqual({ end: BY_KILL, left });
    }
    expect(found["kills all that it can"]).toEqual({ end: { exitCode: 137, signal: "SIGKILL" }, shown: "", left });
    expect(found["is cancelled as it starts"]).toEqual({ said: true, left });
  });

  it("is held up by its reader, and ends by what is typed in the middle of a flood", () => {
    expect(found["writes without end"]).toEqual({ isHeld: true, left: 0 });
    expect(found["changes its size without end"]).toEqual({ exitCode: 130, signal: "SIGINT" });
  });

  it("is not started on a terminal that others have", () => {
    expect(found["is started on a terminal of others"]).toMatch(
      /^FEMTO_SANDBOX_UNAVAILABLE: landlock.* did not start the program: (looking at|taking) the terminal failed/,
    );
  });

  it("leaves nothing behind when the host itself is killed", async () => {
    const temporary = mkdtempSync("/tmp/femtoclaw-terminal-");
    if (isRoot) chownSync(temporary, TERMINAL_STRANGER, TERMINAL_STRANGER);
    const mark = `mark-${process.pid}-${by.length}-terminal`;
    const env = environmentOf(temporary);
    const host = spawn(process.execPath, [ATTACKS, by, mark], { ...ordinary(TERMINAL_STRANGER), env, stdio: "ignore" });
    // The host itself, the program, and several that it began.
    await expect.poll(() => marked(mark).length).toBeGreaterThan(3);
    host.kill("SIGKILL");
    await expect.poll(() => marked(mark)).toEqual([]);
    rmSync(temporary, { recursive: true });
  });

  it("finds no way out that the corpus of escapes knows", async () => {
    const escapes = (await saidTo(TERMINAL_STRANGER, ESCAPES, by)) as Escapes;
    const surprises = CASES.flatMap(({ title, expect: plain, alone = plain, apart = alone }, index) => {
      const expected = (hasJobs ? WITH_JOBS : ON_TERMINAL)[title] ?? (hasJobs ? apart : alone);
      const said = escapes.said[index] ?? "it was not tried";
      return expected.split("|").includes(said) ? [] : [[title, said]];
    });
    expect(surprises).toEqual([]);
    expect(escapes).toMatchObject({ changed: [], left: [], canarySeen: false });
  });
});
