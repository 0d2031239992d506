/** Rules on trial that are as wrong as they can be: nothing of what is enforced may be otherwise for it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@femtoclaw/journal";
import type { Configuration, Reply } from "@femtoclaw/protocol";
import { recompute, replay, systemSurroundings } from "@femtoclaw/runtime";
import { describe, expect, it, onTestFinished } from "vitest";
import { GUARDED, guardedHome, READ_SECRET, RUN } from "../history/history-fixture.ts";
import { Barrier, call, capability, ofType, recordsOf } from "../runtime-fixture.ts";
import { BY, fileRule, onTrial, PERMIT_ALL, place, plain, READING, read, verdictsOf } from "./shadow-fixture.ts";

const FORBID_ALL = fileRule("none", "forbid (principal, action, resource);");
const ASK_ALL = fileRule("ask", '@approval("1")\nforbid (principal, action, resource) unless { context.approved };', {
  approvers: 1,
});

it("permit everything while everything is denied: nothing runs, and no reply tells of them", async () => {
  const effects: string[] = [];
  const work = capability("work", () => {
    effects.push("work");
    return {};
  });
  const configuration: Configuration = { shadow: {}, capabilities: { fs_read: true, fs_write: true } };
  const files = { policyFiles: onTrial(PERMIT_ALL) };
  const { home, runtime } = await place({ configuration, capabilities: [work], permit: [], ...files });
  const session = runtime.openSession({ channel: "agent" });
  const write = call("fs_write", { path: join(home.root, "data/small"), content: "x", mode: "overwrite" });
  for (const message of [read(home, "small"), write, call("work"), read(home, "small")]) {
    const reply = await session.propose(message);
    expect(reply).toMatchObject({ status: "denied", policy: { rules: [] }, error: { code: "FEMTO_POLICY_NO_PERMIT" } });
    expect(JSON.stringify(reply)).not.toMatch(/shadow|trial|file\/t\/all/);
  }
  expect(effects).toEqual([]);
  expect(readFileSync(join(home.root, "data/small"), "utf8")).toBe("s");
  const verdicts = await verdictsOf(runtime);
  expect(verdicts).toHaveLength(4);
  for (const [type, shadow] of verdicts) {
    expect(type).toBe("execution.refused");
    expect(shadow).toMatchObject({ verdict: "allowed", code: null, rules: ["file/t/all"] });
  }
});

it.each([
  [FORBID_ALL, "denied"],
  [ASK_ALL, "asks"],
] as const)(
  "$id would stop everything while calls are permitted: they run at once, and nobody is asked",
  async (rule, verdict) => {
    const { home, runtime } = await place({ configuration: READING, policyFiles: onTrial(rule) });
    const session = runtime.openSession({ channel: "agent" });
    expect(await session.propose(read(home, "small"))).toMatchObject({ status: "completed", result: { content: "s" } });
    expect(await runtime.approvals.list()).toEqual([]);
    expect(await verdictsOf(runtime)).toMatchObject([["execution.intent", { verdict, rules: [rule.id] }]]);
  },
);

describe("an engine on trial", () => {
  it("that really traps at every call is recorded as undecided, and calls are decided as ever", async () => {
    const log: string[] = [];
    // Passes every check and every trial: the engine runs out of its stack only at this one file.
    const chain = Array.from({ length: 450 }, (_, at) => `context.bytes == ${at + 10}`).join(" || ");
    // How long a trap takes is the machine's affair; one that takes long would let the trial rest, which is tried elsewhere.
    const clock = systemClock();
    const slow = { ...clock, monotonicUs: () => Math.floor(clock.monotonicUs() / 1_000) };
    const surroundings = { ...systemSurroundings(), clock: slow };
    const parts = { configuration: READING, surroundings };
    const { home, runtime } = await place({ ...parts, log: ({ event }) => void log.push(event) });
    const path = join(home.root, "data/large");
    const text = `forbid (principal, action == Action::"fs_read", resource == Path::"${path}") when { ${chain} };`;
    const trap = onTrial(fileRule("trap", text, { paths: [path] }));
    await runtime.reload({ configuration: home.configuration(READING), policyFiles: trap }, BY);
    const session = runtime.openSession({ channel: "agent" });
    for (let n = 0; n < 60; n += 1) {
      const reply = await session.propose(read(home, "large"));
      expect(reply).toMatchObject({ status: "completed", policy: { rules: ["toml/allow.read/1"] } });
    }
    const verdicts = (await verdictsOf(runtime)).map(([, shadow]) => shadow);
    expect(verdicts).toHaveLength(60);
    for (const shadow of verdicts)
      expect(shadow).toMatchObject({ verdict: "undecided", code: "FEMTO_POLICY_ENGINE_FAILED" });
    expect(runtime.status()).toMatchObject({ phase: "idle", fault: null, policy: { shadow: { undecided: 60 } } });
    expect(log.filter((event) => event === "policy.shadow_fault")).toHaveLength(16);
    expect(log).not.toContain("policy.fault");
    expect(ofType(await recordsOf(runtime.reader), "supervision.crashed")).toEqual([]);
    // What is loaded next has engines of its own.
    await runtime.reload({ configuration: home.configuration(READING), policyFiles: onTrial(FORBID_ALL) }, BY);
    await session.propose(read(home, "large"));
    expect((await verdictsOf(runtime)).at(-1)?.[1]?.verdict).toBe("denied");
  });

  it("that throws, hangs for a while or answers nonsense changes no reply and crashes no subsystem", async () => {
    const answers: (() => unknown)[] = [
      () => JSON.parse("{"),
      () => undefined,
      () => ({ allowed: true, rules: [{ toString: () => "x" }].slice(1), reason: "yes" }),
      () => new Promise(() => undefined),
      () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5),
    ];
    const surroundings = systemSurroundings();
    let engines = 0;
    const openPolicyEngine: typeof surroundings.openPolicyEngine = async (options) => {
      const engine = await surroundings.openPolicyEngine(options);
      engines += 1;
      let asked = 0;
      if (engines === 2) engine.decideAll = () => answers[asked++ % answers.length]?.() as never;
      return engine;
    };
    const parts = { surroundings: { ...surroundings, openPolicyEngine } };
    const { home, runtime } = await place({ configuration: READING, policyFiles: onTrial(PERMIT_ALL), ...parts });
    const session = runtime.openSession({ channel: "agent" });
    const refused = call("fs_list", { path: home.root });
    for (let n = 0; n < answers.length; n += 1) {
      expect(await session.propose(read(home, "small"))).toMatchObject({ status: "completed" });
      expect(await session.propose(refused)).toMatchObject({ status: "denied" });
    }
    expect(engines).toBe(2);
    expect(runtime.status().phase).toBe("idle");
  });
});

describe("rules on trial that are no rules", () => {
  const broken = fileRule("broken", 'permit (principal, action == Action::"fs_reed", resource);');

  it("keep a start from standing, as those in force would", async () => {
    const start = place({ configuration: READING, policyFiles: onTrial(broken) });
    await expect(start).rejects.toMatchObject({ code: "FEMTO_POLICY_INVALID" });
  });

  it("are rejected by a reload with everything that came with them, and leave on trial what was", async () => {
    const { home, runtime } = await place({ configuration: READING, policyFiles: onTrial(PERMIT_ALL) });
    const [revision, shadow] = [runtime.policy.revision, runtime.shadow?.revision];
    const wider = home.configuration({ ...READING, allow: { read: ["data", "secrets"] } });
    for (const files of [
      onTrial(broken),
      onTrial(
        fileRule("deep", `permit (principal, action, resource) when { ${"(".repeat(3_000)}true${")".repeat(3_000)} };`),
      ),
    ]) {
      const reload = runtime.reload({ configuration: wider, policyFiles: files }, BY);
      await expect(reload).rejects.toMatchObject({ code: "FEMTO_POLICY_INVALID" });
    }
    expect([runtime.policy.revision, runtime.shadow?.revision]).toEqual([revision, shadow]);
    expect(ofType(await recordsOf(runtime.reader), "policy.rejected")).toHaveLength(2);
    const session = runtime.openSession({ channel: "agent" });
    await session.propose(read(home, "small"));
    expect((await verdictsOf(runtime))[0]?.[1]?.revision).toBe(shadow);
  });
});

it("come and go by reload: each record names the rules that were on trial when its call was decided", async () => {
  const barrier = new Barrier();
  const slow = capability("slow", async () => {
    await barrier.arrive();
    return {};
  });
  const { home, runtime } = await place({
    configuration: READING,
    capabilities: [slow],
    policyFiles: onTrial(PERMIT_ALL),
  });
  const configuration = (changes: Configuration) =>
    home.configuration({ ...READING, ...changes, capabilities: { fs_read: true, slow: true } });
  const load = (changes: Configuration, files = onTrial(FORBID_ALL)) =>
    runtime.reload({ configuration: configuration(changes), policyFiles: files }, BY);
  const session = runtime.openSession({ channel: "agent" });
  const first = runtime.shadow?.revision;
  const running = session.propose(call("slow"));
  await barrier.reached;
  // Calls and reloads in one heap: whichever is first, a record never mixes two loads.
  const calls: Promise<Reply>[] = [];
  const pairs = new Set([`${runtime.policy.revision} ${first}`]);
  for (let n = 0; n < 6; n += 1) {
    for (let more = 0; more < 5; more += 1) calls.push(session.propose(read(home, "small")));
    await load({ deny: { read: n % 2 === 0 ? ["secrets"] : [] } }, onTrial(n % 3 === 0 ? PERMIT_ALL : FORBID_ALL));
    pairs.add(`${runtime.policy.revision} ${runtime.shadow?.revision}`);
  }
  barrier.open();
  await Promise.all([running, ...calls]);
  const records = await recordsOf(runtime.reader);
  const activated = ofType(records, "policy.activated").map(({ body }) => `${body.revision} ${body.shadow}`);
  expect(new Set(activated)).toEqual(pairs);
  const intents = ofType(records, "execution.intent");
  expect(intents).toHaveLength(31);
  for (const { body } of intents) expect(pairs).toContain(`${body.revision} ${body.shadow?.revision}`);
  const { shadow: _, ...without } = configuration({});
  await runtime.reload({ configuration: without }, BY);
  await session.propose(read(home, "small"));
  expect((await verdictsOf(runtime)).at(-1)).toEqual(["execution.intent", undefined]);
  expect(await recompute(runtime.reader)).toMatchObject({ verdict: "recomputed" });
  expect((await replay(runtime.reader)).snapshotsEqual).not.toBe(false);
});

it("know what a session read: a program that would be forbidden after a secret still runs", async () => {
  const { after_secret, ...inForce } = GUARDED;
  const home = guardedHome();
  const runtime = await home.start({
    configuration: { ...inForce, shadow: { after_secret, budgets: { calls: 3 } } } as Configuration,
  });
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  const session = runtime.openSession({ channel: "agent" });
  for (const message of [RUN, READ_SECRET, RUN, RUN, RUN]) {
    expect(await session.propose(message)).toMatchObject({ status: "completed" });
  }
  const verdicts = (await verdictsOf(runtime)).map(([, shadow]) => [shadow?.verdict, shadow?.code]);
  expect(verdicts).toEqual([
    ["allowed", null],
    ["allowed", null],
    ["denied", "FEMTO_POLICY_FORBIDDEN"],
    ["denied", "FEMTO_BUDGET_EXCEEDED"],
    ["denied", "FEMTO_BUDGET_EXCEEDED"],
  ]);
  // A budget on trial halts nobody.
  expect(runtime.projection.sessions.of(session.id)).toMatchObject({ calls: 5, halted: null });
});

it("cost a hostile session nothing of its share: it is halted at the same call with and without them", async () => {
  const outcomes: unknown[] = [];
  for (const policyFiles of [
    undefined,
    onTrial(
      ...Array.from({ length: 40 }, (_, n) =>
        fileRule(`${"r".repeat(100)}${n}`, "permit (principal, action, resource);"),
      ),
    ),
  ]) {
    const configuration: Configuration = {
      capabilities: { fs_read: true },
      ...(policyFiles === undefined ? {} : { shadow: {} }),
    };
    // Nothing flows into the share meanwhile.
    const clock = { ...systemClock(), monotonicUs: () => 1 };
    const surroundings = { ...systemSurroundings(), clock };
    const { home, runtime } = await place({
      configuration,
      surroundings,
      ...(policyFiles === undefined ? {} : { policyFiles }),
    });
    const hostile = runtime.openSession({ channel: "agent" });
    const replies: unknown[] = [];
    for (let n = 0; n < 170; n += 1) {
      replies.push(plain(await hostile.propose(read(home, "small")), home.root));
    }
    outcomes.push(replies);
    const records = ofType(await recordsOf(runtime.reader), "execution.refused");
    expect(records.length).toBeGreaterThan(50);
    expect(records.every(({ body }) => (body.shadow !== undefined) === (policyFiles !== undefined))).toBe(true);
  }
  expect(JSON.stringify(outcomes[0])).toContain("FEMTO_SESSION_HALTED");
  expect(outcomes[1]).toEqual(outcomes[0]);
});

it("meet names that were made to be mistaken for something else, and the record stays one", async () => {
  const { home, runtime } = await place({
    configuration: READING,
    policyFiles: onTrial(
      fileRule("any", 'permit (principal, action == Action::"fs_read", resource) when { context.exists };'),
    ),
  });
  const session = runtime.openSession({ channel: "agent" });
  const names = [
    '{"__entity":{"type":"Path","id":"x"}}',
    "\u202e\u2066",
    "a\nb",
    "__proto__",
    "ä".repeat(100),
    '"}],"shadow":{"verdict":"denied"',
    "\\u{0}",
  ];
  for (const name of names) {
    writeFileSync(join(home.root, "data", name), "abc");
    expect(await session.propose(read(home, name))).toMatchObject({ status: "completed" });
  }
  const verdicts = await verdictsOf(runtime);
  expect(verdicts).toHaveLength(names.length);
  for (const [, shadow] of verdicts)
    expect(shadow).toMatchObject({ verdict: "allowed", rules: ["file/t/any", "toml/allow.read/1"] });
});
