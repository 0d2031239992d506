/** Whether a decision was remembered shows nowhere: not in a reply, not in a record, not to another session. */

import { DecisionShare } from "@femtoclaw/policy";
import type { ProtocolMessage, Reply, TypedRecord } from "@femtoclaw/protocol";
import type { Session } from "@femtoclaw/runtime";
import { expect, it, onTestFinished, vi } from "vitest";
import { call, capability, recordsOf, startRuntime } from "../runtime-fixture.ts";

/** The reply without what is new in each. */
const lasting = ({ execution_id: _, record: __, error, ...reply }: Reply) => ({
  ...reply,
  ...(error === undefined
    ? {}
    : { error: { ...error, timestamp: "", fix: error.fix.replace(/policy why \d+`/, "policy why RECORD`") } }),
});

/** What records say of the decision. */
const decided = (record: TypedRecord): unknown[] => {
  if (record.type === "execution.intent") return [[record.body.revision, record.body.rules]];
  if (record.type !== "execution.refused") return [];
  const { revision, rules, error } = record.body;
  return [[revision, rules, error.code, error.reason]];
};

it("shows in no reply and in no record", async () => {
  const keep = vi.spyOn(DecisionShare.prototype, "keep");
  onTestFinished(() => keep.mockRestore());
  const runtime = await startRuntime({
    capabilities: [capability("permitted"), capability("unpermitted")],
    permit: ["permitted"],
  });
  await using session = runtime.openSession({ channel: "library" });
  await using other = runtime.openSession({ channel: "library" });
  const ask = async (asking: Session, message: ProtocolMessage): Promise<ReturnType<typeof lasting>> =>
    lasting(await asking.propose(message));
  const calls = [call("permitted", { n: 1 }), call("unpermitted", { n: 1 })];
  const first = await Promise.all(calls.map((message) => ask(session, message)));
  expect(first.map(({ status }) => status)).toEqual(["completed", "denied"]);
  // From some moment on the policy is projected, and what is asked then is remembered.
  await vi.waitFor(async () => {
    for (const [index, message] of calls.entries()) expect(await ask(session, message)).toEqual(first[index]);
    expect(keep.mock.contexts.length).toBeGreaterThanOrEqual(2);
  }, 120_000);
  keep.mockClear();
  for (const [index, message] of calls.entries()) expect(await ask(session, message)).toEqual(first[index]);
  expect(keep).not.toHaveBeenCalled();
  // Nobody else's questions are answered from it.
  for (const [index, message] of calls.entries()) expect(await ask(other, message)).toEqual(first[index]);
  expect(keep).toHaveBeenCalledTimes(2);
  const recorded = (await recordsOf(runtime.reader)).flatMap(decided).map((decision) => JSON.stringify(decision));
  expect(recorded.length).toBeGreaterThanOrEqual(8);
  expect([...new Set(recorded)]).toHaveLength(calls.length);
});
