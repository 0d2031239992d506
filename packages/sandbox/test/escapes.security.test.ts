/** The corpus of escapes: every way out that was thought of, tried by real children as root and as an ordinary user. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CASES, type Escapes, runEscapes } from "./escapes/run-escapes.ts";

const RUNNER = join(import.meta.dirname, "escapes/run-escapes.ts");
const STRANGER = 65_534;

/** By the title of each case: what it said where that is something else than it may say. */
function surprises({ said }: Escapes): Record<string, string> {
  return Object.fromEntries(
    CASES.flatMap(({ title, expect: expected }, index): [string, string][] => {
      const text = said[index]?.trim() ?? "it was not tried";
      return expected.split("|").includes(text) ? [] : [[title, text]];
    }),
  );
}

function expectNoEscape(escapes: Escapes): void {
  expect(surprises(escapes)).toEqual({});
  expect(escapes.changed).toEqual([]);
  expect(escapes.left).toEqual([]);
  expect(escapes.canarySeen).toBe(false);
}

function asStranger() {
  return spawnSync(process.execPath, [RUNNER], {
    ...{ uid: STRANGER, gid: STRANGER, encoding: "utf8", env: { TMPDIR: "/tmp" } },
    maxBuffer: 10_000_000,
  });
}

/** The sources lie where others may read them; elsewhere an ordinary user can run the tests itself. */
const canBeStranger =
  process.getuid?.() === 0 &&
  spawnSync(process.execPath, ["--check", RUNNER], { uid: STRANGER, gid: STRANGER }).status === 0;

describe("the corpus of escapes", () => {
  it("is large, and says each thing once", () => {
    expect(CASES.length).toBeGreaterThanOrEqual(150);
    expect(new Set(CASES.map(({ title }) => title)).size).toBe(CASES.length);
    expect(CASES.filter((one) => one.expect === "ok").length).toBeGreaterThan(3);
  });

  it("holds nothing that leads out of the sandbox of this user", async () => {
    expectNoEscape(await runEscapes());
  });

  it.runIf(canBeStranger)("nor out of that of an ordinary one", () => {
    const { stdout, stderr } = asStranger();
    expect(stderr).toBe("");
    const escapes = JSON.parse(stdout) as Escapes;
    expect(escapes.user).toBe(STRANGER);
    expectNoEscape(escapes);
  });
});
