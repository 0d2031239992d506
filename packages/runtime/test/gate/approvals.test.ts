/** Calls that wait for an operator, through a real runtime with its policy, its journal and its restarts. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ApprovalCard, type Reply, validateRecord, validateReply } from "@femtoclaw/protocol";
import { type Runtime, showExecution } from "@femtoclaw/runtime";
import { describe, expect, it, onTestFinished } from "vitest";
import { call, type Home, ofType, recordsOf, type StartOptions, temporaryHome } from "../runtime-fixture.ts";

const BY = "uid:0";
const ASKING: StartOptions = {
  configuration: {
    ask: { read: ["private"], write: ["out"] },
    allow: { read: ["workspace"] },
    capabilities: { fs_read: true, fs_write: true },
  },
};

async function started(home: Home, options: StartOptions = ASKING): Promise<Runtime> {
  const runtime = await home.start(options);
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  return runtime;
}

function homeWithDiary(): Home {
  const home = temporaryHome();
  for (const folder of ["private", "out"]) mkdirSync(join(home.root, folder));
  writeFileSync(join(home.root, "private/diary"), "dear diary");
  return home;
}

const read = (home: Home, name = "diary") => call("fs_read", { path: join(home.root, "private", name) });
const write = (home: Home, content: string) =>
  call("fs_write", { path: join(home.root, "out/note"), content, mode: "append" });

async function onlyQuestion(runtime: Runtime): Promise<ApprovalCard> {
  const [question] = await runtime.approvals.list();
  if (question === undefined) throw new Error("nothing is asked");
  return question;
}

async function say(
  runtime: Runtime,
  { id, digest }: Pick<ApprovalCard, "id" | "digest">,
  answer: "granted" | "refused",
  more: { readonly reason?: string; readonly scope?: "once" | "session"; readonly by?: string } = {},
) {
  return await runtime.approvals.answer({ id, digest, answer, scope: "once", by: BY, ...more });
}

describe("a call that policy asks about", () => {
  it("waits as a record, runs once after the yes, and tells who waited for it", async () => {
    const home = homeWithDiary();
    const runtime = await started(home);
    const session = runtime.openSession({ channel: "agent" });
    const pending = await session.propose(write(home, "once "), { label: "note" });
    expect(validateReply(pending)).toBe(true);
    expect(pending).toMatchObject({
      status: "pending",
      decision: null,
      approval: { id: String(pending.record?.seq) },
      policy: { rules: ["toml/ask.write/1", "toml/ask.write/1/granted"] },
    });
    expect(existsSync(join(home.root, "out/note"))).toBe(false);
    // It holds nothing in the gate: no place, no actor.
    expect(runtime.status()).toMatchObject({ running: 0, waiting: 1 });
    const question = await onlyQuestion(runtime);
    expect(question).toMatchObject({
      id: pending.approval?.id,
      execution_id: pending.execution_id,
      tool: "fs_write",
      label: "note",
      rule: "toml/ask.write/1",
      source: "/ask/write/0",
      channel: "agent",
      approvers: 1,
      granted: [],
      args: { content: "once ", mode: "append" },
    });
    const ended = session.wait(pending.execution_id);
    const answered = await say(runtime, question, "granted", { reason: " fine " });
    expect(answered.complete).toBe(true);
    const reply = await ended;
    expect(reply).toMatchObject({ execution_id: pending.execution_id, status: "completed", decision: "AUTHORIZED" });
    expect(reply.policy?.rules).toEqual(["toml/ask.write/1", "toml/ask.write/1/granted"]);
    expect(readFileSync(join(home.root, "out/note"), "utf8")).toBe("once ");
    await expect(say(runtime, question, "granted")).rejects.toMatchObject({ code: "FEMTO_APPROVAL_NOT_FOUND" });
    // Also who comes later is told.
    expect(await runtime.openSession({ channel: "agent" }).wait(pending.execution_id)).toEqual(reply);

    const own = (await recordsOf(runtime.reader)).filter(({ execution }) => execution === pending.execution_id);
    expect(own.every((record) => validateRecord(record))).toBe(true);
    expect(own.map(({ type }) => type)).toEqual([
      "approval.asked",
      "approval.answered",
      "execution.intent",
      "execution.outcome",
    ]);
    expect(own[1]).toMatchObject({ actor: { principal: BY, channel: "operator" }, body: { reason: "fine" } });
    expect(own[2]).toMatchObject({ actor: { channel: "agent" }, body: { approval: pending.record?.seq } });
    expect(runtime.projection.questions.size).toBe(0);
  });

  it("ends with a no, which is the last word", async () => {
    const home = homeWithDiary();
    const runtime = await started(home);
    const session = runtime.openSession({ channel: "agent" });
    const { execution_id } = await session.propose(read(home));
    await say(runtime, await onlyQuestion(runtime), "refused", { reason: "it is a diary" });
    const reply = await session.wait(execution_id);
    expect(validateReply(reply)).toBe(true);
    expect(reply).toMatchObject({
      status: "denied",
      decision: "DENIED_POLICY_VIOLATION",
      error: { code: "FEMTO_APPROVAL_REFUSED", error_type: "AuthorizationError", reason: "it is a diary" },
    });
    expect(await runtime.approvals.list()).toEqual([]);
    expect((await showExecution(runtime.reader, execution_id))?.view).toMatchObject(reply);
  });

  it("is denied when nobody answers in time, and when its proposer wants it no more", async () => {
    const home = homeWithDiary();
    const runtime = await started(home, {
      configuration: { ...ASKING.configuration, approvals: { expires_ms: 1_000 } },
    });
    const session = runtime.openSession({ channel: "agent" });
    const [late, unwanted] = await Promise.all([session.propose(read(home)), session.propose(write(home, "x"))]);
    const stranger = runtime.openSession({ channel: "agent" });
    expect(stranger.cancel(unwanted.execution_id)).toBe(false);
    expect(session.cancel(unwanted.execution_id)).toBe(true);
    expect(await session.wait(unwanted.execution_id)).toMatchObject({
      status: "error",
      decision: null,
      error: { code: "FEMTO_EXECUTION_HALTED" },
    });
    expect(session.cancel(unwanted.execution_id)).toBe(false);
    expect(await session.wait(late.execution_id)).toMatchObject({
      status: "denied",
      error: { code: "FEMTO_APPROVAL_EXPIRED" },
    });
    expect(runtime.projection.questions.size).toBe(0);
  });

  it("waits on when its proposer leaves", async () => {
    const home = homeWithDiary();
    const runtime = await started(home);
    const session = runtime.openSession({ channel: "agent" });
    const { execution_id } = await session.propose(write(home, "late"));
    session.close();
    await say(runtime, await onlyQuestion(runtime), "granted");
    const reply = await runtime.openSession({ channel: "library" }).wait(execution_id);
    expect(reply.status).toBe("completed");
    expect(readFileSync(join(home.root, "out/note"), "utf8")).toBe("late");
  });

  it("is not waited for any more by who has left, and by others as before", async () => {
    const home = homeWithDiary();
    const runtime = await started(home);
    await using session = runtime.openSession({ channel: "agent" });
    const { execution_id } = await session.propose(write(home, "late"));
    const leaving = new AbortController();
    const turns = { hasRoom: true, left: leaving.signal, next: <T>(get: () => Promise<T>) => get() };
    const [one, other] = [session.wait(execution_id, turns), session.wait(execution_id)];
    const left = expect(one).rejects.toThrow("nobody waits");
    leaving.abort();
    await left;
    await say(runtime, await onlyQuestion(runtime), "granted");
    expect((await other).status).toBe("completed");
  });

  it("asks about the file as it was: when that changed, it asks anew", async () => {
    const home = homeWithDiary();
    const runtime = await started(home);
    const session = runtime.openSession({ channel: "agent" });
    const { execution_id } = await session.propose(read(home));
    const first = await onlyQuestion(runtime);
    writeFileSync(join(home.root, "private/diary"), "dear diary, I changed");
    await say(runtime, first, "granted");
    await expect.poll(async () => (await runtime.approvals.list()).length).toBe(1);
    const second = await onlyQuestion(runtime);
    expect(second).toMatchObject({ execution_id });
    expect(second.digest).not.toBe(first.digest);
    expect(ofType(await recordsOf(runtime.reader), "execution.intent")).toEqual([]);
    await expect(say(runtime, { ...first, id: second.id }, "granted")).rejects.toMatchObject({
      code: "FEMTO_APPROVAL_MISMATCH",
    });
    await say(runtime, second, "granted");
    expect(await session.wait(execution_id)).toMatchObject({ result: { content: "dear diary, I changed" } });
  });

  it("is asked about once in a session where the operator says so, and only for the very call", async () => {
    const home = homeWithDiary();
    writeFileSync(join(home.root, "private/letter"), "dear you");
    const runtime = await started(home);
    const session = runtime.openSession({ channel: "agent" });
    const { execution_id, record } = await session.propose(read(home));
    await say(runtime, await onlyQuestion(runtime), "granted", { scope: "session" });
    await session.wait(execution_id);
    const again = await session.propose(read(home));
    expect(again.status).toBe("completed");
    const [, intent] = ofType(await recordsOf(runtime.reader), "execution.intent");
    expect(intent?.body.approval).toBe(record?.seq);
    expect((await session.propose(read(home, "letter"))).status).toBe("pending");
    expect((await runtime.openSession({ channel: "agent" }).propose(read(home))).status).toBe("pending");
    writeFileSync(join(home.root, "private/diary"), "changed");
    expect((await session.propose(read(home))).status).toBe("pending");
  });

  it("ends for those who wait for it when it joins another call", async () => {
    const home = homeWithDiary();
    const runtime = await started(home);
    const session = runtime.openSession({ channel: "agent" });
    const first = await session.propose(read(home));
    const waited = Promise.withResolvers<unknown>();
    const second = await session.propose(read(home), {
      onIdentified: (id) => void session.wait(id).then(waited.resolve, waited.resolve),
    });
    expect(second.execution_id).toBe(first.execution_id);
    expect(await waited.promise).toMatchObject({ code: "FEMTO_EXECUTION_NOT_FOUND" });
  });

  it("joins the same call of its session instead of asking twice", async () => {
    const home = homeWithDiary();
    const runtime = await started(home);
    const session = runtime.openSession({ channel: "agent" });
    const first = await session.propose(read(home));
    expect(await session.propose(read(home))).toEqual(first);
    expect(await runtime.approvals.list()).toHaveLength(1);
    expect(ofType(await recordsOf(runtime.reader), "approval.asked")).toHaveLength(1);
  });
});

describe("a restart", () => {
  const restarted = async (home: Home, runtime: Runtime): Promise<Runtime> => {
    await runtime.close();
    return await started(home);
  };

  it("leaves questions open, and what is approved then runs once", async () => {
    const home = homeWithDiary();
    const first = await started(home);
    const { execution_id } = await first.openSession({ channel: "agent" }).propose(write(home, "one "));
    const asked = await onlyQuestion(first);
    const waiting = first.openSession({ channel: "agent" }).wait(execution_id);
    const told = expect(waiting).rejects.toMatchObject({ code: "FEMTO_DRAINING" });
    const runtime = await restarted(home, first);
    await told;
    expect(await onlyQuestion(runtime)).toEqual(asked);
    const session = runtime.openSession({ channel: "agent" });
    const ended = session.wait(execution_id);
    await say(runtime, asked, "granted");
    expect((await ended).status).toBe("completed");
    const again = await restarted(home, runtime);
    expect(again.projection.questions.size).toBe(0);
    expect(readFileSync(join(home.root, "out/note"), "utf8")).toBe("one ");
  });

  it("expires what ran out of time meanwhile", async () => {
    const home = homeWithDiary();
    const configuration = { ...ASKING.configuration, approvals: { expires_ms: 1_000 } };
    const first = await started(home, { configuration });
    const { execution_id } = await first.openSession({ channel: "agent" }).propose(read(home));
    await first.close();
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const runtime = await started(home, { configuration });
    const reply = await runtime.openSession({ channel: "agent" }).wait(execution_id);
    expect(reply).toMatchObject({ error: { code: "FEMTO_APPROVAL_EXPIRED" } });
  });

  it.each([
    ["granted", "completed"],
    ["refused", "denied"],
  ] as const)("goes on from an answer that nothing had followed yet: %s", async (answer, status) => {
    const home = homeWithDiary();
    const first = await started(home);
    const { execution_id } = await first.openSession({ channel: "agent" }).propose(write(home, "one "));
    await say(first, await onlyQuestion(first), answer);
    // The answer is durable, and the call has not begun to go on.
    const crash = home.losePower();
    await first.close({ drainMs: 0 });
    rmSync(join(home.root, "out/note"), { force: true });
    crash();
    const runtime = await started(home);
    const reply: Reply = await runtime.openSession({ channel: "agent" }).wait(execution_id);
    expect(reply.status).toBe(status);
    await expect.poll(() => runtime.projection.questions.size).toBe(0);
    const own = (await recordsOf(runtime.reader)).filter(({ execution }) => execution === execution_id);
    expect(own.map(({ type }) => type)).toEqual(
      answer === "granted"
        ? ["approval.asked", "approval.answered", "execution.intent", "execution.outcome"]
        : ["approval.asked", "approval.answered", "execution.refused"],
    );
    const note = join(home.root, "out/note");
    expect(existsSync(note) ? readFileSync(note, "utf8") : null).toBe(answer === "granted" ? "one " : null);
  });
});
