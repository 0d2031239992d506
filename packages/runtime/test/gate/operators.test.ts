/** Operators with keys: what they sign counts, several of them are needed where a rule says so, and restarts change nothing. */
import { join } from "node:path";
import { answerFault } from "@femtoclaw/journal";
import { type ApprovalCard, type TypedRecord, validateApproval, validateRecord } from "@femtoclaw/protocol";
import { Projection, questionDigestOf, type Runtime, replay } from "@femtoclaw/runtime";
import { describe, expect, it, onTestFinished } from "vitest";
import { Operator } from "../operators-fixture.ts";
import { call, type Home, ofType, recordsOf } from "../runtime-fixture.ts";
import { type ApprovalRules, askedFor, homeForNotes, noteOf, notesNeed, replyTo, startedWith } from "./asked-note.ts";

const alice = new Operator("alice");
const bob = new Operator("bob");
const carol = new Operator("carol");

const started = (home: Home, rules: Partial<ApprovalRules> = {}): Promise<Runtime> =>
  startedWith(home, { operators: [alice, bob, carol], expiresMs: 60_000, ...rules });

async function onlyCard(runtime: Runtime): Promise<ApprovalCard> {
  const [card] = await runtime.approvals.list();
  if (card === undefined) throw new Error("nothing is asked");
  return card;
}

/** The log of one question that two operators have said yes to. */
async function recordsOfTwo(): Promise<TypedRecord[]> {
  const home = homeForNotes();
  const runtime = await started(home);
  const card = await askedFor(home, runtime);
  await alice.says(runtime, card);
  await bob.says(runtime, card);
  await replyTo(runtime, card);
  return await recordsOf(runtime.reader);
}

describe("a question to two operators", () => {
  it("is open until two have signed a yes, and tells who has", async () => {
    const home = homeForNotes();
    const runtime = await started(home);
    const card = await askedFor(home, runtime);
    expect(validateApproval(card)).toBe(true);
    expect(questionDigestOf(card)).toBe(card.digest);
    expect(card).toMatchObject({ approvers: 2, granted: [], operator_key: false, self_approvable: false });
    expect(await alice.says(runtime, card)).toMatchObject({ complete: false, granted: ["alice"], approvers: 2 });
    expect(await onlyCard(runtime)).toMatchObject({ granted: ["alice"], digest: card.digest });
    expect(noteOf(home)).toBe(null);
    await expect(alice.says(runtime, card)).rejects.toMatchObject({ code: "FEMTO_APPROVAL_MISMATCH" });
    expect(await bob.says(runtime, card, { reason: "fine" })).toMatchObject({
      complete: true,
      granted: ["alice", "bob"],
    });
    expect((await replyTo(runtime, card)).status).toBe("completed");
    expect(noteOf(home)).toBe("once ");
    const records = await recordsOf(runtime.reader);
    const answers = ofType(records, "approval.answered");
    expect(answers.map(({ actor }) => actor?.principal)).toEqual(["operator:alice", "operator:bob"]);
    expect(answers.every((answer) => validateRecord(answer) && answerFault(answer) === null)).toBe(true);
    expect(answers.map(({ body }) => [body.key, body.complete, body.self_approvable])).toEqual([
      [alice.vkey, false, false],
      [bob.vkey, true, false],
    ]);
    expect(ofType(records, "boot.started")[0]?.body.approvals?.operators).toContain(carol.vkey);
    expect((await replay(runtime.reader)).projection.snapshot()).toEqual(runtime.projection.snapshot());
  });

  it("is not settled in a log by answers that the host would not have taken", async () => {
    const records = await recordsOfTwo();
    const fold = (change: (record: TypedRecord) => TypedRecord): void => {
      const projection = new Projection();
      for (const record of records) projection.apply(change(record));
    };
    const unsigned = (record: TypedRecord): TypedRecord => {
      if (record.type !== "approval.answered") return record;
      const { key: _, signature: __, ...body } = record.body;
      return { ...record, body };
    };
    const withOperators =
      (operators: string[], needsKey: boolean) =>
      (record: TypedRecord): TypedRecord =>
        record.type === "boot.started"
          ? { ...record, body: { ...record.body, approvals: { operators, operator_key: needsKey } } }
          : record;
    fold((record) => record);
    expect(() => fold(unsigned)).toThrow("its answer is not signed, and had to be");
    expect(() => fold(withOperators([alice.vkey], false))).toThrow("signed by nobody who is an operator in its boot");
    // As a single yes without a signature, where each has to be signed.
    const single = (record: TypedRecord): TypedRecord => {
      const answer = withOperators([], true)(unsigned(record));
      if (answer.type === "approval.asked") return { ...answer, body: { ...answer.body, approvers: 1 } };
      return answer.type === "approval.answered" ? { ...answer, body: { ...answer.body, complete: true } } : answer;
    };
    expect(() => fold(single)).toThrow("its answer is not signed, and had to be");
  });

  it("is not settled in a log by answers to something else, by somebody else, or twice by one", async () => {
    const records = await recordsOfTwo();
    const [first, second] = ofType(records, "approval.answered");
    const [intent] = ofType(records, "execution.intent");
    if (first === undefined || second === undefined || intent === undefined) throw new Error("nothing was answered");
    const changed = <T extends TypedRecord>(record: T, body: object) =>
      ({ ...record, body: { ...record.body, ...body } }) as T;
    const agent = { principal: "uid:0", agent: null, channel: "agent", delegation: null } as const;
    const again = { ...second, actor: first.actor, body: { ...first.body, complete: true } };
    const forged: readonly (readonly [TypedRecord, string])[] = [
      [{ ...second, session: "another" }, "its question is of session"],
      [{ ...second, actor: agent }, "nobody but an operator answers"],
      [changed(second, { question: second.body.question - 1 }), "the question of its execution is record"],
      [changed(second, { digest: "0".repeat(64) }), "the question of its execution is record"],
      [changed(second, { tool: "another" }), "the question of its execution is record"],
      [changed(first, { complete: true }), "1 of 2 have said yes"],
      [again, "has said yes already"],
      [changed(intent, { approval: undefined }), "the question of its execution is record"],
      [changed(intent, { tool: "another" }), "the question of its execution is record"],
      // A number that is not given out yet cannot be that of a question which was answered.
      [{ ...changed(intent, { approval: intent.seq }), execution: "another" }, "its execution has no open question"],
    ];
    for (const [record, reason] of forged) {
      const projection = new Projection();
      for (const one of records.slice(0, record.seq)) projection.apply(one);
      expect(() => projection.apply(record), reason).toThrow(reason);
    }
  });

  it("ends with the no of one, signed or not, also after the yes of another", async () => {
    for (const refuse of ["signed", "unsigned"]) {
      const home = homeForNotes();
      const runtime = await started(home);
      const card = await askedFor(home, runtime);
      await alice.says(runtime, card);
      if (refuse === "signed") await bob.says(runtime, card, { answer: "refused" });
      else await runtime.approvals.answer({ ...card, answer: "refused", scope: "once", by: "uid:0" });
      expect(await replyTo(runtime, card)).toMatchObject({ error: { code: "FEMTO_APPROVAL_REFUSED" } });
      expect(noteOf(home)).toBe(null);
    }
  });

  it("keeps the first yes over a restart and a loss of power, and runs once after the second", async () => {
    const home = homeForNotes();
    const first = await started(home);
    const card = await askedFor(home, first);
    await alice.says(first, card);
    const crash = home.losePower();
    await first.close({ drainMs: 0 });
    crash();
    const runtime = await started(home);
    expect(await onlyCard(runtime)).toEqual({ ...card, granted: ["alice"] });
    await expect(alice.says(runtime, card)).rejects.toMatchObject({ code: "FEMTO_APPROVAL_MISMATCH" });
    await carol.says(runtime, card);
    expect((await replyTo(runtime, card)).status).toBe("completed");
    await runtime.close();
    const last = await started(home);
    expect(last.projection.questions.size).toBe(0);
    expect(noteOf(home)).toBe("once ");
  });

  it("expires as a whole", async () => {
    const home = homeForNotes();
    const runtime = await started(home, { expiresMs: 1_000 });
    const card = await askedFor(home, runtime);
    await alice.says(runtime, card);
    expect(await replyTo(runtime, card)).toMatchObject({ error: { code: "FEMTO_APPROVAL_EXPIRED" } });
    await expect(bob.says(runtime, card)).rejects.toMatchObject({ code: "FEMTO_APPROVAL_SIGNATURE" });
    expect(noteOf(home)).toBe(null);
  });

  it("is not even asked where a rule of a file asks more operators than have a key", async () => {
    const home = homeForNotes();
    const rule = `@approval("4")\nforbid (principal, action == Action::"fs_write", resource)\nunless { context.approved };`;
    const about = {
      id: "file/four/writing",
      source: "policy/four.cedar:1:1",
      reason: "four have to know",
      approvers: 4,
    };
    const rules = [{ ...about, text: rule, paths: [], hidden: [], kept: [] }];
    const runtime = await home.start({
      ...notesNeed({ operators: [alice, bob, carol], expiresMs: 60_000 }),
      policyFiles: { rules, triedRevision: null },
    });
    onTestFinished(() => runtime.close({ drainMs: 0 }));
    const message = call("fs_write", { path: join(home.root, "out/note"), content: "x", mode: "append" });
    const reply = await runtime.openSession({ channel: "agent" }).propose(message);
    expect(reply).toMatchObject({ status: "denied", error: { code: "FEMTO_APPROVAL_OPERATORS" } });
  });
});

describe("a demanded key", () => {
  it("is demanded of a yes and of a no, and the card says that no other answer counts", async () => {
    const home = homeForNotes();
    const runtime = await started(home, { approvers: 1, operatorKey: true });
    const card = await askedFor(home, runtime);
    expect(card).toMatchObject({ operator_key: true, self_approvable: false });
    for (const answer of ["granted", "refused"] as const) {
      await expect(runtime.approvals.answer({ ...card, answer, scope: "once", by: "uid:0" })).rejects.toMatchObject({
        code: "FEMTO_APPROVAL_UNSIGNED",
      });
    }
    await alice.says(runtime, card);
    expect((await replyTo(runtime, card)).status).toBe("completed");
  });

  it("is needed by nobody where it is not demanded and one yes is enough", async () => {
    const home = homeForNotes();
    const runtime = await started(home, { approvers: 1 });
    const card = await askedFor(home, runtime);
    expect(card.self_approvable).toBe(true);
    await runtime.approvals.answer({ ...card, answer: "granted", scope: "once", by: "uid:0" });
    expect((await replyTo(runtime, card)).status).toBe("completed");
    const [answer] = ofType(await recordsOf(runtime.reader), "approval.answered");
    expect(answer?.body).toMatchObject({ self_approvable: true });
    expect(answer?.body).not.toHaveProperty("key");
  });
});
