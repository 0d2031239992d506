/** Calls that wait for operators, whose session's history goes on meanwhile. */
import type { Configuration } from "@femtoclaw/protocol";
import { type Runtime, recompute } from "@femtoclaw/runtime";
import { describe, expect, it, onTestFinished } from "vitest";
import { ofType, recordsOf } from "../runtime-fixture.ts";
import { codeOf, GUARDED, guardedHome, READ_NOTES, READ_SECRET, RUN } from "./history-fixture.ts";

/** Reading the secret is asked about, and so is the program; after the one the other is forbidden. */
const ASKED: Configuration = {
  ...GUARDED,
  allow: { read: ["workspace/notes"] },
  ask: { read: ["workspace/secrets"], run: { echo: ["*"], sleep: ["*"] } },
};

async function started(home = guardedHome(), configuration: Configuration = ASKED): Promise<Runtime> {
  const runtime = await home.start({ configuration });
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  return runtime;
}

/** Says yes to what was asked first; resolves once the call has ended. */
async function sayYes(runtime: Runtime): Promise<void> {
  const [question] = await runtime.approvals.list();
  if (question === undefined) throw new Error("nothing is asked");
  const { id, digest } = question;
  await runtime.approvals.answer({ id, digest, answer: "granted", scope: "once", by: "uid:0" });
  while (runtime.status().running > 0) await new Promise(setImmediate);
}

const refusalsOf = async (runtime: Runtime) =>
  ofType(await recordsOf(runtime.reader), "execution.refused").map(({ body }) => body.error.code);

describe("a yes", () => {
  it("lifts what asks, and not what a mark forbids that came while the call waited", async () => {
    const home = guardedHome();
    const runtime = await started(home);
    const [one, other] = [runtime.openSession({ channel: "agent" }), runtime.openSession({ channel: "agent" })];
    // Asked about is not read yet: the program may still be asked about.
    expect(await other.propose(READ_SECRET)).toMatchObject({ status: "pending" });
    expect(await one.propose(RUN)).toMatchObject({ status: "pending" });
    await sayYes(runtime);
    expect(runtime.projection.sessions.facts(one.id, "default", { nowUs: 0, monotonicUs: 0 })).toMatchObject({
      has_read_secret: true,
    });
    await sayYes(runtime);
    expect(await refusalsOf(runtime)).toEqual(["FEMTO_POLICY_FORBIDDEN"]);
    expect(await codeOf(one, RUN)).toBe("FEMTO_POLICY_FORBIDDEN");
    expect(await recompute(runtime.reader)).toMatchObject({ verdict: "recomputed" });
  });

  it("that comes after a start of the host goes by what was read before it", async () => {
    const home = guardedHome();
    const first = await home.start({ configuration: ASKED });
    const [one, other] = [first.openSession({ channel: "agent" }), first.openSession({ channel: "agent" })];
    expect(await one.propose(RUN)).toMatchObject({ status: "pending" });
    const read = await other.propose(READ_SECRET);
    expect(read).toMatchObject({ status: "pending" });
    const ended = other.wait(read.execution_id);
    const asked = (await first.approvals.list()).find(({ tool }) => tool === "fs_read");
    if (asked === undefined) throw new Error("nothing is asked");
    const { id, digest } = asked;
    await first.approvals.answer({ id, digest, answer: "granted", scope: "once", by: "uid:0" });
    expect(await ended).toMatchObject({ status: "completed" });
    await first.close();
    const second = await started(home);
    await sayYes(second);
    expect(await refusalsOf(second)).toEqual(["FEMTO_POLICY_FORBIDDEN"]);
    const intents = ofType(await recordsOf(second.reader), "execution.intent");
    expect(intents.map(({ body }) => [body.tool, body.marks])).toEqual([["fs_read", ["read_secret"]]]);
    expect(await recompute(second.reader)).toMatchObject({ verdict: "recomputed" });
  });

  it("counts against the budget of the session that asked, also after a start of the host", async () => {
    const home = guardedHome();
    const budgeted: Configuration = { ...ASKED, budgets: { calls: 2 } };
    const first = await home.start({ configuration: budgeted });
    const session = first.openSession({ channel: "agent" });
    expect(await session.propose(RUN)).toMatchObject({ status: "pending" });
    for (let n = 0; n < 2; n += 1) expect(await codeOf(session, READ_NOTES)).toBe("done");
    await first.close();
    const second = await started(home, budgeted);
    await sayYes(second);
    expect(await refusalsOf(second)).toEqual(["FEMTO_BUDGET_EXCEEDED"]);
    expect(second.projection.sessions.of(session.id)).toMatchObject({
      calls: 2,
      halted: { code: "FEMTO_BUDGET_EXCEEDED" },
    });
    expect(await recompute(second.reader)).toMatchObject({ verdict: "recomputed" });
  });
});

describe("an operator who halts a session", () => {
  it("ends its questions, and the yes to one that is left over begins nothing", async () => {
    const home = guardedHome();
    const runtime = await started(home);
    const session = runtime.openSession({ channel: "agent" });
    const asked = await session.propose(RUN);
    const ended = session.wait(asked.execution_id);
    const { stopped } = await runtime.haltSession({ session: session.id, reason: "no more", by: "uid:0" });
    expect(stopped).toBe(1);
    expect(await ended).toMatchObject({ status: "error", error: { code: "FEMTO_EXECUTION_HALTED" } });
    expect(await runtime.approvals.list()).toEqual([]);
    expect(runtime.status().waiting).toBe(0);
    expect(ofType(await recordsOf(runtime.reader), "execution.intent")).toEqual([]);
    await runtime.close();
    const again = await started(home);
    expect(again.status().waiting).toBe(0);
    expect(await recompute(again.reader)).toMatchObject({ verdict: "recomputed" });
  });

  it("while a yes is on its way ends the call before its effect", async () => {
    const runtime = await started();
    const session = runtime.openSession({ channel: "agent" });
    const asked = await session.propose(RUN);
    const ended = session.wait(asked.execution_id);
    const [question] = await runtime.approvals.list();
    if (question === undefined) throw new Error("nothing is asked");
    const { id, digest } = question;
    const said = runtime.approvals.answer({ id, digest, answer: "granted", scope: "once", by: "uid:0" });
    const halted = runtime.haltSession({ session: session.id, by: "uid:0" });
    await Promise.all([said, halted]);
    expect((await ended)?.error?.code).toMatch(/^FEMTO_(SESSION|EXECUTION)_HALTED$/);
    const outcomes = ofType(await recordsOf(runtime.reader), "execution.outcome");
    expect(outcomes.filter(({ body }) => body.began)).toEqual([]);
  });
});
