/**
 * This checkout is looked at once, for real; then what was seen is changed, one thing at a time, and the
 * clauses that are about it fail, and no others.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { COMMAND } from "../../host/test/playground.ts";
import { judgeAll } from "../src/conformance.ts";
import type { Failures, Life, Observations, SeenRecord, Surrounding } from "../src/observations.ts";
import { observe } from "../src/observing/observe.ts";
import type { Command } from "../src/subject.ts";

// Each place has a home of its own, and what was compiled before is not in it.
const COMPILED = `NODE_COMPILE_CACHE=${process.env["NODE_COMPILE_CACHE"]}`;
const command: Command = ["/usr/bin/env", COMPILED, ...COMMAND];

let seen: Observations;
beforeAll(async () => {
  const named = { installed: null, from: null, rebuilt: null };
  seen = await observe({ command, ...named, executions: 200, messages: 50, onProgress: () => undefined });
}, 480_000);

const failing = (changed: Observations): string[] =>
  judgeAll(changed)
    .filter(({ verdict }) => verdict === "fails")
    .map(({ id }) => id);

/** Which of these clauses are judged so, with something seen otherwise. */
const of = (ids: readonly string[], verdict: string, changed: Partial<Observations>): string[] =>
  judgeAll({ ...seen, ...changed })
    .filter((one) => ids.includes(one.id) && one.verdict === verdict)
    .map(({ id }) => id);

/** Clauses of chapter 21 are sums, and fail with what they add up. */
const withoutSums = (ids: readonly string[]): string[] => ids.filter((id) => !id.startsWith("21."));

test("nothing fails here, and what cannot be seen from here is not said to hold", () => {
  const judged = judgeAll(seen);
  // How busy this machine is says nothing about the deployment.
  expect(judged.filter(({ verdict, id }) => verdict === "fails" && id !== "8.1")).toEqual([]);
  const open = judged.filter(({ verdict }) => verdict === "not-checked").map(({ id }) => id);
  expect(open).toEqual(expect.arrayContaining(["2.1", "2.2", "2.3", "3.1", "4.1", "14.1", "17.4", "20.1"]));
  expect(judged.filter(({ verdict }) => verdict === "holds").length).toBeGreaterThanOrEqual(50);
  expect(new Set(judged.map(({ id }) => id)).size).toBe(judged.length);
  expect(judged.every(({ evidence }) => evidence !== "")).toBe(true);
});

type Change = readonly [what: string, change: (life: Life) => Partial<Life>, clauses: readonly string[]];

const withRecords = (change: (records: SeenRecord[]) => SeenRecord[]) => (life: Life) => ({
  records: change(structuredClone([...life.records]) as SeenRecord[]),
});
const withoutPhase = (from: string) =>
  withRecords((records) => records.filter(({ type, body }) => type !== "lifecycle.changed" || body["from"] !== from));
const withCall = (name: keyof Life["calls"], more: object) => (life: Life) => ({
  calls: { ...life.calls, [name]: { ...life.calls[name], ...more } },
});

const CHANGES: readonly Change[] = [
  ["a call before the start is taken", () => ({ beforeStart: 0 }), ["10.6"]],
  ["the phase is another one", ({ status }) => ({ status: { ...status, phase: "error" } }), ["5.1", "22.1"]],
  [
    "a malformed message is taken",
    ({ malformed }) => ({ malformed: malformed.map((one) => ({ ...one, status: "completed" })) }),
    ["5.5"],
  ],
  ["a refused call left a file", () => ({ forbiddenEffects: ["out/forbidden"] }), ["5.5", "5.6", "6.1", "6.4"]],
  ["an unknown tool is called", withCall("unknown", { status: "completed", code: null }), ["5.2"]],
  ["a disabled tool is called", withCall("disabled", { status: "completed", code: null }), ["5.2"]],
  ["a disabled tool stays enabled", ({ registry }) => ({ registry: { ...registry, disabled: null } }), ["5.2"]],
  ["an enabled tool stays disabled", ({ registry }) => ({ registry: { ...registry, enabled: "denied" } }), ["5.2"]],
  ["a path without a permit is read", withCall("unpermittedPath", { status: "completed", code: null }), ["5.6", "6.1"]],
  [
    "a program without a permit runs",
    withCall("unpermittedProgram", { status: "completed", code: null }),
    ["5.6", "6.1"],
  ],
  ["a denied folder is written", withCall("deniedPath", { status: "completed", code: null }), ["5.6", "6.1"]],
  [
    "the configuration is written",
    withCall("ownConfiguration", { status: "completed", code: null }),
    ["5.6", "6.1", "6.5"],
  ],
  ["a denied file is read by a program", withCall("deniedThroughProgram", { text: "a secret\n" }), ["6.2", "15.2"]],
  ["a message is refused", withCall("message", { status: "error", code: "FEMTO_INTERNAL" }), ["6.4"]],
  ["files cannot be read", withCall("read", { status: "error", code: "FEMTO_INTERNAL" }), ["7.1"]],
  ["files cannot be written", withCall("write", { status: "error", code: "FEMTO_INTERNAL" }), ["7.1"]],
  ["a page cannot be fetched", withCall("fetch", { status: "error", code: "FEMTO_INTERNAL" }), ["7.1"]],
  ["a page is fetched that nobody permitted", withCall("unpermittedFetch", { status: "completed" }), ["7.1"]],
  ["a terminal shows only what was typed", withCall("terminal", { text: "typed\r\n" }), ["7.1"]],
  [
    "it keeps privileges",
    ({ status, calls }) => ({
      status: { ...status, uid: 1_000, privileges: "0000000000000001" },
      calls: { ...calls, refusedBySystem: { ...calls.refusedBySystem, code: "FEMTO_CAPABILITY_FAILED" } },
    }),
    ["5.7"],
  ],
  [
    "a file that the system closes is read",
    ({ status, calls }) => ({
      status: { ...status, uid: 1_000, privileges: "0" },
      calls: { ...calls, refusedBySystem: { ...calls.refusedBySystem, code: null } },
    }),
    ["7.2"],
  ],
  ["a program says something else", withCall("program", { text: "" }), ["11.4"]],
  ["a program is not authorized", withCall("program", { decision: null }), ["11.3"]],
  ["wrong arguments are taken", withCall("badArguments", { code: null }), ["11.2"]],
  ["a flood of output is taken", withCall("flood", { truncated: false }), ["8.4"]],
  ["a slow program is not stopped", withCall("slow", { status: "completed", code: null }), ["8.4"]],
  [
    "an agent is answered as an operator",
    ({ agentVerbs }) => ({ agentVerbs: [...agentVerbs, { verb: "stop", code: "answered" }] }),
    ["6.1", "6.4", "6.5"],
  ],
  [
    "one way to the gate leaves other records",
    ({ surfaces }) => ({ surfaces: [...surfaces, { surface: "other", records: ["execution.outcome"] }] }),
    ["11.1", "11.2", "11.3", "11.4"],
  ],
  [
    "a child shares the network",
    ({ isolation }) => ({
      isolation: { ...isolation, child: { ...isolation.child, net: isolation.host["net"] ?? "" } },
    }),
    ["6.2", "15.1"],
  ],
  [
    "a child has an interface",
    ({ isolation }) => ({ isolation: { ...isolation, interfaces: ["lo", "eth0"] } }),
    ["6.2"],
  ],
  ["a child shows no interface", ({ isolation }) => ({ isolation: { ...isolation, interfaces: [] } }), ["6.2"]],
  ["a child shows no process", ({ isolation }) => ({ isolation: { ...isolation, processes: 0 } }), ["6.2", "15.2"]],
  [
    "a child shows no namespace",
    ({ isolation }) => ({
      isolation: {
        ...isolation,
        child: Object.fromEntries(Object.keys(isolation.child).map((name) => [name, "unknown"])),
      },
    }),
    ["6.2", "15.1"],
  ],
  [
    "a program that should see no denied file does not run",
    withCall("deniedThroughProgram", { status: "denied", text: null }),
    ["6.2", "15.2"],
  ],
  ["no malformed message was sent", () => ({ malformed: [] }), ["5.5"]],
  ["no operator's verb was asked", () => ({ agentVerbs: [] }), ["6.1", "6.4", "6.5"]],
  [
    "a child sees other processes",
    ({ isolation }) => ({ isolation: { ...isolation, processes: 90 } }),
    ["6.2", "15.2"],
  ],
  ["there is no sandbox", ({ status }) => ({ status: { ...status, sandbox: null } }), ["15.1", "16.5"]],
  ["a question is lost in a crash", ({ approval }) => ({ approval: { ...approval, openAfterCrash: false } }), ["13.1"]],
  ["what was approved does not run", ({ approval }) => ({ approval: { ...approval, effects: 0 } }), ["13.4"]],
  ["what was approved runs twice", ({ approval }) => ({ approval: { ...approval, effects: 2 } }), ["13.4"]],
  ["a second yes is taken", ({ approval }) => ({ approval: { ...approval, secondAnswer: 0 } }), ["13.4"]],
  ["what a kill cut off is called done", ({ crash }) => ({ crash: { ...crash, interrupted: "completed" } }), ["13.4"]],
  ["a program outlives its host", ({ crash }) => ({ crash: { ...crash, survivors: ["sleep 1"] } }), ["15.2"]],
  ["history is gone after a restart", ({ crash }) => ({ crash: { ...crash, remembered: false } }), ["5.3", "13.1"]],
  ["it is busy while idle", ({ resources }) => ({ resources: { ...resources, idleCpuShare: 0.02 } }), ["8.1"]],
  ["descriptors leak", ({ resources }) => ({ resources: { ...resources, descriptorGrowth: 40 } }), ["8.2"]],
  ["memory leaks", ({ resources }) => ({ resources: { ...resources, rssGrowthBytes: 1e9 } }), ["8.2"]],
  ["zombies stay", ({ resources }) => ({ resources: { ...resources, zombies: 3 } }), ["8.2"]],
  ["no overload is refused", () => ({ overload: ["done"] }), ["8.4"]],
  ["an acknowledged record is lost", ({ stop }) => ({ stop: { ...stop, missing: [7] } }), ["11.5", "12.1"]],
  ["a stop ends badly", ({ stop }) => ({ stop: { ...stop, exit: 1 } }), ["11.5", "12.1"]],
  ["a socket is left", ({ stop }) => ({ stop: { ...stop, leftBehind: ["agent.sock"] } }), ["8.3", "12.3"]],
  [
    "the journal is tampered with",
    ({ audit }) => ({ audit: { ...audit, verdict: "tampered", exit: 1 } }),
    ["5.3", "9.2", "12.4", "13.5"],
  ],
  ["the log has another key", ({ audit }) => ({ audit: { ...audit, pinned: "differs" } }), ["13.5"]],
  ["a proof does not check", ({ audit }) => ({ audit: { ...audit, proofs: [0, 1] } }), ["11.6"]],
  ["a forged proof checks", ({ audit }) => ({ audit: { ...audit, forgedProof: 0 } }), ["11.6"]],
  ["a snapshot differs from the fold", ({ replay }) => ({ replay: { ...replay, exit: 70 } }), ["13.3"]],
  ["a recomputation diverges", ({ replay }) => ({ replay: { ...replay, recomputed: 1 } }), ["13.3"]],
  ["a replay differs elsewhere", ({ replay }) => ({ replay: { ...replay, sameElsewhere: false } }), ["3.2"]],
  ["a secret is in the journal", () => ({ leaks: ["an argument"] }), ["16.4"]],
  [
    "an outcome has no intent",
    withRecords((records) => [
      ...records,
      {
        seq: records.length,
        type: "execution.outcome",
        boot: records.at(-1)?.boot ?? "",
        execution: "forged",
        body: {},
      },
    ]),
    ["6.3"],
  ],
  ["the configuration is not loaded", withoutPhase("loadingConfiguration"), ["5.1", "9.2", "10.1", "13.5"]],
  ["the memory is not opened", withoutPhase("openingMemory"), ["5.1", "9.2", "10.2", "13.5"]],
  ["the capabilities are not loaded", withoutPhase("loadingRegistry"), ["5.1", "9.2", "10.3", "13.5"]],
  ["the policy is not loaded", withoutPhase("loadingPolicy"), ["5.1", "9.2", "10.4", "13.5"]],
  ["telemetry is not begun", withoutPhase("startingObservability"), ["5.1", "9.2", "10.5", "10.6", "13.5"]],
  [
    "starts are not told",
    ({ spans }) => ({ spans: spans.filter(({ name }) => name !== "femtoclaw.boot") }),
    ["12.2", "17.1", "17.3"],
  ],
  [
    "stops are not told",
    ({ spans }) => ({ spans: spans.filter(({ name }) => !name.includes("shuttingDown")) }),
    ["17.2"],
  ],
  ["executions are not told", ({ spans }) => ({ spans: spans.map((span) => ({ ...span, execution: null })) }), ["5.4"]],
  ["nothing was told before the kill", () => ({ refusedWhileShut: 0 }), ["12.2"]],
];

describe("what was seen of a life, changed", () => {
  test.each(CHANGES)("%s", (_what, change, clauses) => {
    const { life } = seen;
    if (!life.ok) throw new Error(life.reason);
    const changed = { ...seen, life: { ok: true as const, value: { ...life.value, ...change(life.value) } } };
    const already = failing(seen);
    const fails = withoutSums(failing(changed)).filter((id) => clauses.includes(id) || !already.includes(id));
    expect(fails.sort()).toEqual([...clauses].sort());
  });
});

const BREAKAGE: readonly (readonly [string, (failures: Failures) => Partial<Failures>, readonly string[]])[] = [
  ["a broken configuration starts", () => ({ syntax: { exit: 0, code: null, said: "" } }), ["10.7", "18.2", "18.4"]],
  ["a fault has no place", ({ syntax }) => ({ syntax: { ...syntax, said: "wrong" } }), ["18.2"]],
  ["a misspelt key gets no help", ({ unknownKey }) => ({ unknownKey: { ...unknownKey, said: "wrong" } }), ["18.2"]],
  [
    "a configuration that others may write is loaded",
    ({ othersMayWrite }) => ({ othersMayWrite: { ...othersMayWrite, exit: 0 } }),
    ["10.7", "16.2", "18.4"],
  ],
  [
    "a policy is in force whose test fails",
    ({ failingTest }) => ({ failingTest: { ...failingTest, exit: 0 } }),
    ["10.7", "18.1", "18.4"],
  ],
  [
    "a damaged journal is opened",
    ({ flippedByte }) => ({ flippedByte: { ...flippedByte, exit: 0 } }),
    ["10.7", "16.3", "18.3", "18.4"],
  ],
  [
    "a verification overlooks damage",
    ({ flippedVerify }) => ({ flippedVerify: { ...flippedVerify, exit: 0 } }),
    ["16.3"],
  ],
  [
    "an export that was changed verifies",
    ({ tampered }) => ({ tampered: { ...tampered, "a byte changed": 0 } }),
    ["16.3"],
  ],
  ["a second host starts", ({ twice }) => ({ twice: { ...twice, exit: 0 } }), ["18.1", "18.4"]],
  ["a damaged cursor stops the start", () => ({ damagedCursor: { started: false, observability: "" } }), ["10.5"]],
  ["a start that failed executed something", () => ({ forbiddenEffects: ["out/forbidden"] }), ["10.7"]],
  ["it does not verify after a repair", () => ({ repaired: { call: 0, verify: 1 } }), ["18.3", "18.5"]],
  [
    "a change of the configuration is not told",
    ({ configurationDigests: [first = ""] }) => ({ configurationDigests: [first, first] }),
    ["13.2"],
  ],
];

describe("what was seen of failures, changed", () => {
  test.each(BREAKAGE)("%s", (_what, change, clauses) => {
    const { failures } = seen;
    if (!failures.ok) throw new Error(failures.reason);
    const changed = {
      ...seen,
      failures: { ok: true as const, value: { ...failures.value, ...change(failures.value) } },
    };
    const already = failing(seen);
    const fails = withoutSums(failing(changed)).filter((id) => clauses.includes(id) || !already.includes(id));
    expect(fails.sort()).toEqual([...clauses].sort());
  });
});

test("two deployments that differ, and stories that break off, fail what depends on them", () => {
  const twins = { ok: true as const, value: { messages: 1, otherUserAndHost: true, firstDifference: "one" } };
  expect(withoutSums(failing({ ...seen, twins }))).toContain("19.1");
  const broken = { ok: false as const, reason: "the host did not start" };
  const judged = judgeAll({ ...seen, life: broken, failures: broken, twins: broken });
  expect(judged.filter(({ verdict }) => verdict === "holds")).toEqual([]);
  expect(judged.find(({ id }) => id === "5.6")?.evidence).toBe("not observed: the host did not start");
});

test("an executable that takes code from its environment, or needs another program, fails", () => {
  const judged = (more: object) => failing({ ...seen, executable: { ok: true, value: { ...standalone, ...more } } });
  expect(withoutSums(judged({})).filter((id) => id.startsWith("2."))).toEqual([]);
  expect(judged({ alone: 127 })).toEqual(expect.arrayContaining(["2.1", "2.2"]));
  expect(judged({ format: "other" })).toContain("2.2");
  expect(judged({ injected: ["NODE_OPTIONS"] })).toContain("2.3");
  expect(judged({ builds: { this: "a", other: "a" } })).not.toContain("19.2");
  expect(judged({ builds: { this: "a", other: "b" } })).toContain("19.2");
});

const standalone = { isStandalone: true, format: "ELF", alone: 0, injected: [], builds: null };
const INSTALLED = {
  refused: null,
  layout: { executable: true, configuration: "644", state: "700" },
  sameAsSigned: true,
  flipped: { exit: 78, code: "FEMTO_INTEGRITY_FAILED", said: "" },
  outside: [],
  loose: [],
  told: ["boot.started", "deployment.changed"],
  process: { uid: 65_534, privileges: "0", refusedBySystem: "FEMTO_CAPABILITY_FAILED" },
  deployed: {
    findings: [],
    inForce: null,
    onDisk: "",
    goesOn: null,
    verify: { exit: 0, verdict: "verified", pinned: "matches" },
  },
  kills: [
    { left: "none", again: 0, works: true },
    { left: "whole", again: 0, works: true },
  ],
} as const;

describe("what was seen of an installation, changed", () => {
  const judged = (more: object) => {
    const installation = { ok: true as const, value: { ...INSTALLED, ...more } };
    return failing({ ...seen, executable: { ok: true, value: standalone }, installation }).filter((id) => id !== "8.1");
  };
  test.each<readonly [string, object, readonly string[]]>([
    ["nothing is wrong", {}, []],
    ["there is no command", { layout: { ...INSTALLED.layout, executable: false } }, ["4.1"]],
    ["others may write the configuration", { layout: { ...INSTALLED.layout, configuration: "666" } }, ["4.1"]],
    ["others may read the state", { layout: { ...INSTALLED.layout, state: "755" } }, ["4.1"]],
    ["another file was installed", { sameAsSigned: false }, ["4.2"]],
    ["a flipped byte is installed", { flipped: { exit: 0, code: null, said: "" } }, ["4.2"]],
    ["something was made elsewhere", { outside: ["etc"] }, ["4.3"]],
    ["something is set-uid", { loose: ["bin/femtoclaw"] }, ["4.3"]],
    ["a kill leaves a part", { kills: [{ left: "part", again: 0, works: true }] }, ["4.4"]],
    ["a kill leaves what cannot be ended", { kills: [{ left: "none", again: 78, works: false }] }, ["4.4"]],
    ["no record tells of it", { told: ["boot.started"] }, ["9.1"]],
  ])("%s", (_what, more, clauses) => {
    expect(withoutSums(judged(more))).toEqual(clauses);
  });

  test.each<readonly [string, object, string, readonly string[]]>([
    ["by a user of its own", {}, "holds", ["5.7", "7.2"]],
    ["by one who keeps privileges", { privileges: "0000000000000001" }, "fails", ["5.7"]],
    ["by one to whom no file is closed", { refusedBySystem: null }, "fails", ["7.2"]],
    ["by root, too", { uid: 0 }, "not-checked", ["5.7", "7.2"]],
  ])("where root looks, its host is judged that runs %s", (_what, more, verdict, clauses) => {
    const { life } = seen;
    if (!life.ok) throw new Error(life.reason);
    const asRoot = { ...life.value, status: { ...life.value.status, uid: 0 } };
    const installation = { ...INSTALLED, process: { ...INSTALLED.process, ...more } };
    const changed = { life: { ok: true, value: asRoot }, installation: { ok: true, value: installation } } as const;
    expect(of(["5.7", "7.2"], verdict, changed)).toEqual(clauses);
  });

  test("one that nobody signed is not said to be installed right", () => {
    const installation = { ok: true as const, value: { refused: "it is not signed" } };
    const judged = judgeAll({ ...seen, executable: { ok: true, value: standalone }, installation });
    const open = judged.filter(({ verdict }) => verdict === "not-checked").map(({ id }) => id);
    expect(open).toEqual(expect.arrayContaining(["4.1", "4.2", "4.3", "4.4", "9.1"]));
  });
});

describe("what was seen of surroundings, changed", () => {
  test.each<readonly [string, Partial<Surrounding>, readonly string[]]>([
    ["nothing is wrong", {}, []],
    ["a host starts that confines", { started: true, code: null, confines: true }, []],
    ["a host starts that confines nothing", { started: true, code: null, confines: false }, ["16.5"]],
    ["a start ends without a word", { code: null }, ["16.5"]],
  ])("%s", (_what, more, clauses) => {
    const refused = { name: "no sandbox", untried: null, started: false, code: "FEMTO_X", confines: false };
    const value = [refused, { ...refused, ...more }];
    expect(of(["16.5"], "fails", { surroundings: { ok: true, value } })).toEqual(clauses);
    const untried = [
      { ...refused, untried: "there is no unshare" },
      { ...refused, ...more },
    ];
    const open = clauses.length === 0 ? ["16.5"] : [];
    expect(of(["16.5"], "not-checked", { surroundings: { ok: true, value: untried } })).toEqual(open);
  });
});

test("for most clauses something was seen otherwise, and made just them fail", () => {
  const changed = [...CHANGES, ...BREAKAGE].flatMap(([, , clauses]) => clauses);
  expect(new Set(changed).size).toBeGreaterThanOrEqual(50);
});
