/** A call that nobody wants any more while the question about it is on its way: no operator is asked in vain. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Journal } from "@femtoclaw/journal";
import type { Configuration, ExecutionId } from "@femtoclaw/protocol";
import type { Runtime, Session } from "@femtoclaw/runtime";
import { expect, it, onTestFinished, vi } from "vitest";
import { Decisions } from "../../src/gate/decisions.ts";
import { call, ofType, recordsOf, temporaryHome } from "../runtime-fixture.ts";

interface Unwanted {
  readonly runtime: Runtime;
  readonly session: Session;
  readonly id: ExecutionId;
  readonly abort: AbortController;
}

/** Proposes a call that policy asks about. */
async function proposed(unwanted: (call: Unwanted) => void, when: "facts are taken" | "the question is numbered") {
  const home = temporaryHome();
  mkdirSync(join(home.root, "private"));
  writeFileSync(join(home.root, "private/diary"), "dear diary");
  const configuration: Configuration = { ask: { read: ["private"] }, capabilities: { fs_read: true } };
  const runtime = await home.start({ configuration });
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  const session = runtime.openSession({ channel: "agent" });
  const abort = new AbortController();
  let id = "" as ExecutionId;
  const say = (): void => unwanted({ runtime, session, id, abort });
  onTestFinished(() => void vi.restoreAllMocks());
  const { append } = Journal.prototype;
  vi.spyOn(Journal.prototype, "append").mockImplementation(function (this: Journal, entry) {
    const appended = append.call(this, entry);
    if (when === "the question is numbered" && entry.type === "approval.asked") say();
    return appended;
  });
  const { takeFacts } = Decisions.prototype;
  vi.spyOn(Decisions.prototype, "takeFacts").mockImplementation(async function (this: Decisions, execution) {
    const taken = await takeFacts.call(this, execution);
    if (when === "facts are taken") say();
    return taken;
  });
  const onIdentified = (execution: ExecutionId): void => {
    id = execution;
  };
  const message = call("fs_read", { path: join(home.root, "private/diary") });
  const reply = await session.propose(message, { onIdentified, signal: abort.signal });
  return { runtime, session, reply };
}

const halt = ({ runtime, session }: Unwanted): void =>
  void runtime.haltSession({ session: session.id, reason: "enough", by: "uid:0" });

it.each<[string, (call: Unwanted) => void, string]>([
  ["is cancelled", ({ session, id }) => expect(session.cancel(id)).toBe(true), "its proposer cancelled it"],
  ["has a signal that aborts", ({ abort }) => abort.abort(), "its proposer cancelled it"],
  ["is of a session that an operator halts", halt, "an operator halted it: enough"],
])("waits for no operator if it %s while its question is being written", async (_, unwanted, reason) => {
  const { runtime, session, reply } = await proposed(unwanted, "the question is numbered");
  expect(reply.status).toBe("pending");
  expect(await session.wait(reply.execution_id)).toMatchObject({
    status: "error",
    decision: null,
    error: { code: "FEMTO_EXECUTION_HALTED", reason: expect.stringContaining(reason) },
  });
  expect(await runtime.approvals.list()).toEqual([]);
});

it("is asked about by no session that an operator has halted since its call came", async () => {
  const { runtime, reply } = await proposed(halt, "facts are taken");
  expect(reply).toMatchObject({ status: "denied", error: { code: "FEMTO_SESSION_HALTED" } });
  expect(await runtime.approvals.list()).toEqual([]);
  expect(ofType(await recordsOf(runtime.reader), "approval.asked")).toEqual([]);
});
