/**
 * Configurations that look harmless and are not: refused when they are loaded, with nothing of them in force.
 * Add a case as one line in packages/policy/test/corpus/configurations.
 */
import { createPolicyEngine, type PolicyEngine } from "@femtoclaw/policy";
import { ERRORS, FemtoError } from "@femtoclaw/protocol";
import { beforeAll, describe, expect, test } from "vitest";
import { CorpusPlace } from "./corpus-place.ts";
import { readConfigurationSuites, titled } from "./read-corpus.ts";

const SUITES = readConfigurationSuites();
const SEARCH_PATH = 'search_path = ["{root}/tools"]\n';

let engine: PolicyEngine;
beforeAll(async () => {
  engine = await createPolicyEngine();
});

describe.each(titled(SUITES))("%s", (_, suite) => {
  test.each(titled(suite.cases))("%s", async (_, one) => {
    const layout = {
      ...suite,
      files: { ...suite.files, ...one.files },
      folders: ["project/out", ...(suite.folders ?? [])],
    };
    const place = new CorpusPlace(layout, SEARCH_PATH + one.toml.replaceAll(";;", "\n"));
    try {
      const before = place.picture();
      expect(await outcomeOf(place, suite.found === true)).toEqual({
        outcome: one.expect,
        message: expect.stringContaining(place.text(one.says ?? "")),
      });
      expect(place.picture()).toEqual(before);
    } finally {
      place.remove();
    }
  });
});

/** Loaded, compiled and taken by the engine, as a start does it; or the code of what it was refused with. */
async function outcomeOf(
  place: CorpusPlace,
  found: boolean,
): Promise<{ readonly outcome: string; readonly message: string }> {
  try {
    engine.activate((await place.load({ found })).compiled);
    return { outcome: "loads", message: "" };
  } catch (error) {
    if (error instanceof FemtoError) return { outcome: error.code, message: error.message };
    throw error;
  }
}

test("each file has a case that is refused, and all of them together some that load", () => {
  const loads = SUITES.map(({ cases }) => cases.filter(({ expect: expected }) => expected === "loads").length);
  expect(loads.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(20);
  for (const [index, { title, cases }] of SUITES.entries()) expect(loads[index], title).toBeLessThan(cases.length);
});

test("no two cases of a file have one title, and every code that is expected exists", () => {
  for (const { title, cases } of SUITES) {
    const titles = cases.map((one) => one.title);
    expect(
      titles.filter((found, at) => titles.indexOf(found) !== at),
      title,
    ).toEqual([]);
    expect(
      cases.filter(({ expect: code }) => code !== "loads" && !(code in ERRORS)),
      title,
    ).toEqual([]);
  }
});
