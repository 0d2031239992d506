/**
 * Every way around a policy that is known, tried at the real gate with a real sandbox and journal. Add a
 * case as one line in packages/policy/test/corpus/calls.
 */
import type { ErrorCode, Reply } from "@femtoclaw/protocol";
import { ERRORS } from "@femtoclaw/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CorpusRuntime } from "./corpus-place.ts";
import { type CallCase, readCallSuites, titled } from "./read-corpus.ts";
import { differences, leaksOf } from "./witness.ts";

const SUITES = readCallSuites();
const isAllowed = ({ expect: expected }: CallCase): boolean => expected === "done" || expected === "contained";

describe.each(titled(SUITES))("%s", (_, suite) => {
  let started: CorpusRuntime;
  const denied: string[] = [];
  beforeAll(async () => {
    started = await CorpusRuntime.start(suite);
    // What the host's own environment holds is as secret as its files.
    process.env["BYPASS_CANARY"] = started.place.secret;
  });
  afterAll(async () => {
    delete process.env["BYPASS_CANARY"];
    await started.close();
  });

  test.each(titled(suite.cases))("%s", async (_, one) => {
    const { place } = started;
    place.move(one.before);
    const before = place.picture(suite.outside);
    const reply = await started.propose(one);
    // With every name back in its place, what is different is what the call did.
    place.undo(one.between);
    const changed = differences(before, place.picture(suite.outside));
    place.undo(one.before);
    const said = JSON.stringify(reply);

    expect(leaksOf(place.secret, said), said).toEqual([]);
    expect(outcomeOf(reply), said).toBe(one.expect === "contained" ? "done" : one.expect);
    expect(changed).toEqual((one.changes ?? []).map((path) => place.absolute(path)).sort());
    if (isAllowed(one)) {
      expect(JSON.stringify(reply.result)).toContain(one.shows === undefined ? "" : quoted(place.text(one.shows)));
    } else {
      expect(reply).not.toHaveProperty("result");
      if (ERRORS[one.expect as ErrorCode]?.type !== "CapabilityError") denied.push(reply.execution_id);
    }
    if (one.rule !== undefined) expect(reply.policy?.rules, said).toContain(one.rule);
  });

  test("no record holds the secret, and nothing that was refused has an intent", async () => {
    const records = await started.records();
    expect(leaksOf(started.place.secret, JSON.stringify(records))).toEqual([]);
    expect(leaksOf(started.place.secret, JSON.stringify(started.log))).toEqual([]);
    const intended = records.filter(({ type }) => type === "execution.intent").map(({ execution }) => execution);
    expect(denied.filter((execution) => intended.includes(execution))).toEqual([]);
    expect(started.servers?.connections ?? 0).toBe(0);
  });
});

test("the corpus is large, and each of its files has a case that is allowed", () => {
  expect(SUITES.reduce((sum, { cases }) => sum + cases.length, 0)).toBeGreaterThanOrEqual(300);
  // A gate that denied everything would pass all other cases.
  expect(SUITES.filter(({ cases }) => !cases.some(isAllowed)).map(({ title }) => title)).toEqual([]);
});

test("no two cases of a file have one title, and every code that is expected exists", () => {
  for (const { title, cases } of SUITES) {
    const titles = cases.map((one) => one.title);
    expect(
      titles.filter((found, at) => titles.indexOf(found) !== at),
      title,
    ).toEqual([]);
    expect(
      cases.filter((one) => !isAllowed(one) && one.expect !== "asks" && !(one.expect in ERRORS)),
      title,
    ).toEqual([]);
  }
});

function outcomeOf({ status, decision, error }: Reply): string {
  if (status === "completed" && decision === "AUTHORIZED") return "done";
  if (status === "pending" && decision === null) return "asks";
  return error?.code ?? status;
}

const quoted = (text: string): string => JSON.stringify(text).slice(1, -1);
