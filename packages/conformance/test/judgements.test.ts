/** What is judged of an upgrade and of a deployment in use, by what could be seen of them. */
import { describe, expect, test } from "vitest";
import { judgeAll } from "../src/conformance.ts";
import type { Answered, CallName, Failures, Life, Observations } from "../src/observations.ts";

const nothing = { ok: false, reason: "nobody looked" } as const;
const standalone = { isStandalone: true, format: "ELF", alone: 0, injected: [], builds: null };
const SEEN: Observations = {
  version: "0.0.0",
  life: nothing,
  failures: nothing,
  twins: nothing,
  surroundings: nothing,
  installation: nothing,
  upgrade: nothing,
  executable: { ok: true, value: standalone },
  deployed: null,
};

/** Which of these clauses are judged so, with something seen otherwise. */
const of = (ids: readonly string[], verdict: string, changed: Partial<Observations>): string[] =>
  judgeAll({ ...SEEN, ...changed })
    .filter((one) => ids.includes(one.id) && one.verdict === verdict)
    .map(({ id }) => id);

const UPGRADED = {
  refused: null,
  from: "another",
  exits: { upgraded: 0, rolledBack: 0 },
  phase: "idle",
  refusals: { "no signature": { exit: 78, code: "FEMTO_INSTALL_REFUSED", said: "" } },
  undisturbed: true,
  history: { records: 9, changed: [], checkpoint: 0, proof: 0 },
  question: { isOpen: true, effects: 1 },
  configuration: { same: true, kept: true },
  executedBetween: [],
  kills: [{ works: true, again: 0, said: "", phase: "idle" }],
  told: ["femtoclaw.deployment upgraded", "femtoclaw.deployment rolled_back"],
} as const;

describe("what was seen of an upgrade, changed", () => {
  const { history, question, configuration, exits, kills } = UPGRADED;
  const clauses = ["14.1", "14.2", "14.3", "14.4", "14.5", "17.4"];
  const upgrade = (more: object) => ({
    upgrade: { ok: true as const, value: { ...UPGRADED, ...more } },
  });

  test.each<readonly [string, object, readonly string[]]>([
    ["nothing is wrong", {}, []],
    ["it does not come up", { phase: "error" }, ["14.1"]],
    ["it ends badly", { exits: { ...exits, upgraded: 1 } }, ["14.1"]],
    ["a record is another one", { history: { ...history, changed: [3] } }, ["14.1"]],
    ["there was nothing to keep", { history: { ...history, records: 0 } }, ["14.1"]],
    ["a question is lost", { question: { ...question, isOpen: false } }, ["14.1"]],
    ["what was asked about runs twice", { question: { ...question, effects: 2 } }, ["14.1"]],
    ["the log was rolled back", { history: { ...history, checkpoint: 1 } }, ["14.2"]],
    ["an old proof does not check", { history: { ...history, proof: 1 } }, ["14.2"]],
    ["the configuration is another one", { configuration: { ...configuration, same: false } }, ["14.3"]],
    ["no copy of it is kept", { configuration: { ...configuration, kept: false } }, ["14.3"]],
    ["a kill breaks the command", { kills: [...kills, { works: false, again: 0, said: "", phase: "idle" }] }, ["14.4"]],
    ["a kill cannot be ended", { kills: [{ works: true, again: 78, said: "", phase: "none" }] }, ["14.4"]],
    ["a kill leaves no host", { kills: [{ works: true, again: 0, said: "", phase: "none" }] }, ["14.4"]],
    ["nobody was killed", { kills: [] }, ["14.4"]],
    ["there is no way back", { exits: { ...exits, rolledBack: 78 } }, ["14.4"]],
    [
      "an executable without a signature is put in force",
      { refusals: { a: { exit: 0, code: null, said: "" } } },
      ["14.5"],
    ],
    ["a refusal stops the host", { undisturbed: false }, ["14.5"]],
    ["something is executed between versions", { executedBetween: [7] }, ["14.5"]],
    ["it is not told", { told: ["femtoclaw.deployment rolled_back"] }, ["17.4"]],
    ["the way back is not told", { told: ["femtoclaw.deployment upgraded"] }, ["17.4"]],
  ])("%s", (_what, more, failing) => {
    expect(of(clauses, "fails", upgrade(more))).toEqual(failing);
    expect(of(clauses, "holds", upgrade(more))).toEqual(clauses.filter((id) => !failing.includes(id)));
  });

  test("that could not be tried is not said to hold", () => {
    expect(of(clauses, "not-checked", upgrade({ refused: "it is not signed" }))).toEqual(clauses);
    const broken = { upgrade: { ok: false as const, reason: "no host" } };
    expect(of(clauses, "fails", broken)).toEqual(clauses);
  });
});

describe("what was seen of a deployment in use, changed", () => {
  const checks = ["installation", "integrity", "configuration", "remembered", "sandbox", "permissions", "user"];
  const findings = checks.map((check) => ({ check, verdict: "ok", detail: "" }));
  const but = (check: string, verdict: string) => ({
    findings: findings.map((finding) => (finding.check === check ? { ...finding, verdict } : finding)),
  });
  const verify = { exit: 0, verdict: "verified", pinned: "matches" };
  const right = { findings, inForce: "a", onDisk: "a", goesOn: true, verify };
  const judged = (more: object) => judgeAll({ ...SEEN, deployed: { ok: true, value: { ...right, ...more } } });
  const of20 = (more: object, verdict: string) =>
    judged(more)
      .filter(({ id, ...one }) => id.startsWith("20.") && one.verdict === verdict)
      .map(({ id }) => id);

  test.each<readonly [string, object, readonly string[]]>([
    ["nothing is wrong", {}, []],
    ["it was not installed", { findings: findings.filter(({ check }) => check !== "installation") }, ["20.1"]],
    ["the unit is another one", but("installation", "fail"), ["20.1"]],
    ["nobody signed it", but("integrity", "warn"), ["20.1"]],
    ["another configuration is in force", { inForce: "b" }, ["20.2"]],
    ["the configuration is not valid", but("configuration", "fail"), ["20.2"]],
    ["the journal does not verify", { verify: { ...verify, exit: 1, verdict: "tampered" } }, ["20.3"]],
    ["the log is of another key", { verify: { ...verify, pinned: "differs" } }, ["20.4"]],
    ["the log was rolled back", { goesOn: false }, ["20.4"]],
    ["there is no sandbox", but("sandbox", "fail"), ["20.5"]],
    ["others may enter the sockets' folder", but("permissions", "fail"), ["20.5"]],
  ])("%s", (_what, more, clauses) => {
    expect(of20(more, "fails")).toEqual(clauses);
  });

  test("what cannot be seen while no host runs, or as root, is not said to hold", () => {
    expect(of20({ inForce: null }, "not-checked")).toEqual(["20.2"]);
    expect(of20(but("user", "warn"), "not-checked")).toEqual(["20.5"]);
    expect(of20({ verify: { ...verify, exit: 3 } }, "not-checked")).toEqual(["20.3"]);
    expect(of20({}, "holds")).toHaveLength(5);
  });
});

/** A life in which every look found nothing: no call was answered, and what was counted or listed is empty. */
function emptyLife(): Life {
  const nothing: Answered = {
    ...{ exit: null, status: "none", decision: null, code: null, seq: null, execution: null, text: null },
    truncated: false,
  };
  return {
    beforeStart: null,
    readyMs: 0,
    status: { phase: "", integrity: "", sandbox: null, uid: null, privileges: "unknown", deployment: null },
    malformed: [],
    forbiddenEffects: [],
    calls: new Proxy({} as Record<CallName, Answered>, { get: () => nothing }),
    surfaces: [],
    agentVerbs: [],
    isolation: { host: {}, child: {}, processes: 0, interfaces: [] },
    registry: { disabled: null, enabled: "none" },
    approval: { asked: "", openAfterCrash: false, firstAnswer: null, secondAnswer: null, effects: 0 },
    crash: { interrupted: null, survivors: [], remembered: false },
    resources: {
      ...{ idleCpuShare: Number.NaN, executions: 0, rssGrowthBytes: Number.NaN, descriptorGrowth: Number.NaN },
      zombies: 0,
    },
    overload: [],
    stop: { exit: "SIGKILL", acknowledged: 0, missing: [], leftBehind: [] },
    audit: { exit: null, verdict: "", pinned: "", proofs: [], forgedProof: null },
    replay: { exit: null, snapshotsEqual: 0, recomputed: null, sameElsewhere: false },
    records: [],
    spans: [],
    refusedWhileShut: 0,
    leaks: [],
  };
}

const BROKEN = { exit: null, code: null, said: "" };
const EMPTY_FAILURES: Failures = {
  ...{ syntax: BROKEN, unknownKey: BROKEN, othersMayWrite: BROKEN, failingTest: BROKEN },
  ...{ flippedByte: BROKEN, flippedVerify: BROKEN, twice: BROKEN },
  damagedCursor: { started: false, observability: "" },
  forbiddenEffects: [],
  repaired: { call: null, verify: null },
  tampered: {},
  configurationDigests: [],
};

test("nothing holds of which nothing was seen, but that nothing was left behind or given away", () => {
  const seen: Observations = {
    ...SEEN,
    life: { ok: true, value: emptyLife() },
    failures: { ok: true, value: EMPTY_FAILURES },
    surroundings: { ok: true, value: [] },
    executable: { ok: true, value: { isStandalone: true, format: "", alone: null, injected: [], builds: null } },
    deployed: {
      ok: true,
      value: {
        ...{ findings: [], inForce: null, onDisk: "", goesOn: null },
        verify: { exit: null, verdict: "", pinned: "" },
      },
    },
  };
  const holding = judgeAll(seen).filter(({ verdict }) => verdict === "holds");
  // The stories of these break off where what they look at was never there.
  expect(holding.map(({ id }) => id)).toEqual(["2.3", "8.3", "12.3", "16.4"]);
});
