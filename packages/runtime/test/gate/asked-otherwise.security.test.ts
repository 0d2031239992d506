/** Attacks on a yes whose call waits for a place among the effects, or runs, while the policy is loaded anew. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { NO_HISTORY } from "@femtoclaw/policy";
import type { Configuration, ExecutionId } from "@femtoclaw/protocol";
import { expect, it, onTestFinished } from "vitest";
import type { GateDecision, GateParts } from "../../src/gate/gate-parts.ts";
import type { SessionHistories } from "../../src/projection/session-histories.ts";
import { GUARDED, guardedHome, READ_SECRET, SLEEP } from "../history/history-fixture.ts";
import { call, capability, holding, ofType, recordsOf, temporaryHome } from "../runtime-fixture.ts";
import { GateBench } from "./gate-bench.ts";

const ASKING = { ask: { write: ["out"] } };

it.each<[string, Configuration, "completed" | "pending"]>([
  ["asks by another rule", { ask: { write: ["workspace", "out"] } }, "pending"],
  ["asks the same", { ...ASKING, allow: { read: ["out"] } }, "completed"],
  ["asks nobody", { allow: { write: ["out"] } }, "completed"],
])("a yes is none to a policy that comes meanwhile and %s", async (_, then, status) => {
  const home = temporaryHome();
  mkdirSync(join(home.root, "out"));
  const { holds, full } = holding();
  const own = { capabilities: { holds: true, fs_write: true }, limits: { concurrency: 1 } } as const;
  const runtime = await home.start({ capabilities: [holds], configuration: { ...own, ...ASKING } });
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  const session = runtime.openSession({ channel: "agent" });
  // The one place of its session is taken, so that what follows waits for it.
  const held = session.propose(call("holds"));
  await full.reached;
  const path = join(home.root, "out/note");
  const { execution_id } = await session.propose(call("fs_write", { path, content: "x", mode: "create" }));
  const [question] = await runtime.approvals.list();
  if (question === undefined) throw new Error("nothing is asked");
  const { id, digest } = question;
  await runtime.approvals.answer({ id, digest, answer: "granted", scope: "once", by: "uid:0" });
  await expect.poll(() => runtime.status().running).toBe(2);
  await runtime.reload({ configuration: home.configuration({ ...own, ...then }) }, "uid:0");
  // What the session did up to now has changed, so that the call is decided on once more.
  await session.propose(call("unknown"));
  full.open();
  await held;
  if (status === "completed") return expect(await session.wait(execution_id)).toMatchObject({ status });
  await expect.poll(async () => (await runtime.approvals.list()).map((asked) => asked.id)).toHaveLength(1);
  expect((await runtime.approvals.list())[0]?.id).not.toBe(id);
  expect(existsSync(path)).toBe(false);
  const intents = ofType(await recordsOf(runtime.reader), "execution.intent");
  expect(intents.filter(({ body }) => body.tool === "fs_write")).toEqual([]);
});

it.each<[string, [string, ...string[]], boolean]>([
  ["asks by another rule", ["5", "60"], true],
  ["asks the same", ["*"], false],
])(
  "a call that runs by a yes, under a policy that came meanwhile and %s, once its principal is marked",
  async (_, asked, ends) => {
    const home = guardedHome();
    const own: Configuration = { ...GUARDED, allow: { read: ["workspace"] }, after_secret: { run: { echo: ["*"] } } };
    const runtime = await home.start({ configuration: { ...own, ask: { run: { sleep: ["*"] } } } });
    onTestFinished(() => runtime.close({ drainMs: 0 }));
    const [one, other] = [runtime.openSession({ channel: "agent" }), runtime.openSession({ channel: "agent" })];
    const { execution_id } = await one.propose(SLEEP);
    const [question] = await runtime.approvals.list();
    if (question === undefined) throw new Error("nothing is asked");
    await runtime.approvals.answer({ ...question, answer: "granted", scope: "once", by: "uid:0" });
    await expect.poll(() => runtime.projection.open.has(execution_id)).toBe(true);
    const then = { ...own, allow: { read: ["workspace", "out"] }, ask: { run: { sleep: asked } } };
    await runtime.reload({ configuration: home.configuration(then) }, "uid:0");
    expect(await other.propose(READ_SECRET)).toMatchObject({ status: "completed" });
    const stopped = expect.stringMatching(/forbidden since/) as string;
    if (!ends) expect(one.cancel(execution_id)).toBe(true);
    expect(await one.wait(execution_id)).toMatchObject({
      status: "error",
      error: { code: "FEMTO_CAPABILITY_CANCELLED", reason: ends ? stopped : "its proposer cancelled it" },
    });
  },
);

type Asks = Extract<GateDecision, { readonly code: "FEMTO_APPROVAL_REQUIRED" }>;

const ASKS: Asks = {
  allowed: false,
  rules: ["rule"],
  revision: "0".repeat(64),
  code: "FEMTO_APPROVAL_REQUIRED",
  reason: "it asks",
  approvers: 1,
};

/** Proposes a call of a gate that stands alone, and says yes to it. */
async function grantedBy(decide: GateParts["decide"]) {
  const effects: string[] = [];
  let calls = 0;
  const histories = {
    of: () => ({ halted: null }),
    // Each decision is made on another history, so that none is relied on later.
    facts: () => {
      calls += 1;
      return { ...NO_HISTORY, calls };
    },
  } as unknown as SessionHistories;
  const bench = await GateBench.open([capability("only", () => ({ n: effects.push("only") }))], {
    decide,
    histories,
    approvals: { expiresMs: 60_000, perSession: 8, atOnce: 256, operators: ["one", "other"], operatorKey: false },
  });
  const { execution_id, approval } = await bench.propose("only");
  const ended = bench.gate.wait(execution_id as ExecutionId);
  const waiting = bench.gate.questions.named(approval?.id ?? "");
  if (waiting === undefined) throw new Error("nothing is asked");
  const { seq, digest } = waiting;
  const answer = { id: String(seq), digest, answer: "granted", scope: "once", by: "uid:0" } as const;
  await bench.gate.questions.answer(answer);
  return { bench, effects, ended, seq };
}

it("a yes permits nothing that a policy denies by then, which came between the question and its answer's use", async () => {
  const { code, reason } = { code: "FEMTO_POLICY_FORBIDDEN", reason: "it is denied now" } as const;
  const { effects, ended } = await grantedBy(({ approved }) => (approved ? { ...ASKS, code, reason } : ASKS));
  expect(await ended).toMatchObject({ status: "denied", error: { code } });
  expect(effects).toEqual([]);
});

it("a yes of one operator is none to a policy that comes while the call begins, and asks two by the same rule", async () => {
  let then = ASKS;
  const { bench, effects, seq } = await grantedBy(({ approved }) => {
    if (!approved) return then;
    const { rules, revision } = then;
    then = { ...ASKS, revision: "1".repeat(64), approvers: 2 };
    return { allowed: true, rules, revision };
  });
  await expect.poll(() => bench.gate.questions.open.all.map(({ approvers }) => approvers)).toEqual([2]);
  expect(bench.gate.questions.open.get(seq)).toBeUndefined();
  expect(effects).toEqual([]);
});
