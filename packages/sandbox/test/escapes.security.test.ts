/** The corpus of escapes: every way out that was thought of, tried by real children as root and as an ordinary user. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Rung } from "../src/probing/rung.ts";
import { CASES, type EscapeCase, type Escapes, runEscapes } from "./escapes/run-escapes.ts";
import { canBeStranger, hasLandlock, hasNamespaces, OTHER_STRANGER, STRANGER, saidTo } from "./stranger.ts";

const RUNNER = join(import.meta.dirname, "escapes/run-escapes.ts");
const isRoot = process.getuid?.() === 0;

/** By the title of each case: what it said where that is something else than it may say. */
function surprises({ said }: Escapes, expected: (one: EscapeCase) => string): Record<string, string> {
  return Object.fromEntries(
    CASES.flatMap((one, index): [string, string][] => {
      const text = said[index]?.trim() ?? "it was not tried";
      return expected(one).split("|").includes(text) ? [] : [[one.title, text]];
    }),
  );
}

function expectNoEscape(escapes: Escapes, expected = ({ expect: said }: EscapeCase): string => said): void {
  expect(surprises(escapes, expected)).toEqual({});
  expect(escapes.changed).toEqual([]);
  expect(escapes.left).toEqual([]);
  expect(escapes.canarySeen).toBe(false);
}

async function asStranger(by: Rung["name"]): Promise<Escapes> {
  const user = by === "bubblewrap" ? STRANGER : OTHER_STRANGER;
  const escapes = (await saidTo(user, RUNNER, by)) as Escapes;
  expect(escapes.user).toBe(user);
  return escapes;
}

describe("the corpus of escapes", () => {
  it("is large, and says each thing once", () => {
    expect(CASES.length).toBeGreaterThanOrEqual(150);
    expect(new Set(CASES.map(({ title }) => title)).size).toBe(CASES.length);
    expect(CASES.filter((one) => one.expect === "ok").length).toBeGreaterThan(3);
    // What is expected of Landlock is written down where it is something else, and nowhere else.
    expect(CASES.filter((one) => one.alone === one.expect)).toEqual([]);
    expect(CASES.filter(({ expect: said, alone = said, apart }) => apart === alone)).toEqual([]);
  });

  it("holds nothing that leads out of the sandbox of this user", { concurrent: true }, async () => {
    expectNoEscape(await runEscapes("bubblewrap"));
  });

  it.runIf(canBeStranger)("nor out of that of an ordinary one", { concurrent: true }, async () => {
    expectNoEscape(await asStranger("bubblewrap"));
  });

  // Landlock alone lets a program have as many processes as its user, who here is root's stranger or has the others too.
  it.runIf(hasLandlock)("nor out of that which Landlock makes alone", { concurrent: isRoot }, async () => {
    const escapes = isRoot ? await asStranger("landlock") : await runEscapes("landlock");
    expectNoEscape(escapes, ({ expect: said, alone = said }) => alone);
  });

  it.runIf(hasLandlock && hasNamespaces())("nor out of that which Landlock makes in namespaces", async () => {
    const by = "landlock, namespaces";
    const escapes = isRoot ? await asStranger(by) : await runEscapes(by);
    expectNoEscape(escapes, ({ expect: said, alone = said, apart = alone }) => apart);
  });
});
