/** Attacks on signed answers: used twice, edited, late, for another log or question, by keys that count no more, all at once. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseOperatorKey } from "@femtoclaw/journal";
import type { Runtime } from "@femtoclaw/runtime";
import { describe, expect, it } from "vitest";
import { Operator } from "../operators-fixture.ts";
import { type Home, ofType, recordsOf, temporaryHome } from "../runtime-fixture.ts";
import { type ApprovalRules, askedFor, homeForNotes, noteOf, replyTo, startedWith } from "./asked-note.ts";

const alice = new Operator("alice");
const bob = new Operator("bob");
const mallory = new Operator("mallory");

const started = (home: Home, rules: Partial<ApprovalRules> = {}): Promise<Runtime> =>
  startedWith(home, { operators: [alice, bob], ...rules });
const worthless = { code: "FEMTO_APPROVAL_SIGNATURE" };

describe("a signed answer", () => {
  it("is used once: not again, not for the next question, not in another log", async () => {
    const home = homeForNotes();
    const runtime = await started(home, { approvers: 1, operatorKey: true });
    const card = await askedFor(home, runtime);
    const note = alice.sign(card);
    await runtime.approvals.answerSigned(note);
    await replyTo(runtime, card);
    await expect(runtime.approvals.answerSigned(note)).rejects.toMatchObject({ code: "FEMTO_APPROVAL_NOT_FOUND" });
    expect(noteOf(home)).toBe("once ");
    rmSync(join(home.root, "out/note"));
    // The very same call, with the same digest, is another question.
    const again = await askedFor(home, runtime);
    expect(again.digest).toBe(card.digest);
    await expect(runtime.approvals.answerSigned(note)).rejects.toMatchObject({ code: "FEMTO_APPROVAL_NOT_FOUND" });
    await expect(
      runtime.approvals.answerSigned(alice.sign({ ...again, log: "femtoclaw.local/another" })),
    ).rejects.toMatchObject({ ...worthless, message: expect.stringContaining("another log") });
    expect(noteOf(home)).toBe(null);
    expect(ofType(await recordsOf(runtime.reader), "approval.answered")).toHaveLength(1);
  });

  it("is nothing when it is late, of another digest, of a stranger, or edited", async () => {
    const home = homeForNotes();
    const runtime = await started(home, { approvers: 1, operatorKey: true });
    const card = await askedFor(home, runtime);
    const late = alice.sign(card, { expiresAt: new Date(Date.now() - 1).toISOString() });
    await expect(runtime.approvals.answerSigned(late)).rejects.toMatchObject({
      ...worthless,
      message: expect.stringContaining("expired"),
    });
    const other = alice.sign(card, { digest: "0".repeat(64) });
    await expect(runtime.approvals.answerSigned(other)).rejects.toMatchObject({ code: "FEMTO_APPROVAL_MISMATCH" });
    await expect(mallory.says(runtime, card)).rejects.toMatchObject({
      ...worthless,
      message: expect.stringContaining("no operator in force"),
    });
    const no = alice.sign(card, { answer: "refused" });
    for (const edited of [
      no.replace("refused", "granted"),
      `${no}${no}`,
      no.trim(),
      "",
      "x".repeat(100_000),
      mallory.sign(card).replaceAll("mallory", "alice"),
    ]) {
      await expect(runtime.approvals.answerSigned(edited)).rejects.toMatchObject(worthless);
    }
    expect(ofType(await recordsOf(runtime.reader), "approval.answered")).toEqual([]);
    expect(noteOf(home)).toBe(null);
  });

  it("is taken once of many at the same time, and one operator never counts as two", async () => {
    const home = homeForNotes();
    const runtime = await started(home);
    const card = await askedFor(home, runtime);
    const yeses = Array.from({ length: 20 }, () => alice.says(runtime, card));
    const taken = await Promise.allSettled(yeses);
    expect(taken.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await expect(alice.says(runtime, card)).rejects.toMatchObject({ code: "FEMTO_APPROVAL_MISMATCH" });
    for (const by of ["uid:0", "operator:alice", "operator:bob", alice.vkey, bob.vkey]) {
      await expect(runtime.approvals.answer({ ...card, answer: "granted", scope: "once", by })).rejects.toMatchObject({
        code: "FEMTO_APPROVAL_UNSIGNED",
      });
    }
    await expect(bob.says(runtime, card, { scope: "session" })).rejects.toMatchObject({
      code: "FEMTO_APPROVAL_MISMATCH",
    });
    expect(noteOf(home)).toBe(null);
    expect((await runtime.approvals.list())[0]?.granted).toEqual(["alice"]);
  });

  it("is void with every other once the call is another", async () => {
    const home = homeForNotes();
    writeFileSync(join(home.root, "out/note"), "as it was ");
    const runtime = await started(home);
    const card = await askedFor(home, runtime);
    await alice.says(runtime, card);
    writeFileSync(join(home.root, "out/note"), "changed ");
    await bob.says(runtime, card);
    await expect.poll(async () => (await runtime.approvals.list())[0]?.id ?? card.id).not.toBe(card.id);
    const [again] = await runtime.approvals.list();
    expect(again).toMatchObject({ execution_id: card.execution_id, granted: [], approvers: 2 });
    expect(noteOf(home)).toBe("changed ");
  });
});

describe("a key that is in force no more", () => {
  it("takes its yes with it, and answers nothing", async () => {
    const home = homeForNotes();
    const first = await started(home);
    const card = await askedFor(home, first);
    await alice.says(first, card);
    await first.close();
    const another = new Operator("alice");
    const runtime = await started(home, { operators: [another, bob] });
    expect((await runtime.approvals.list())[0]?.granted).toEqual([]);
    await expect(alice.says(runtime, card)).rejects.toMatchObject(worthless);
    expect((await bob.says(runtime, card)).complete).toBe(false);
    // A third key of the same name is another operator; the first alice's yes is gone for good.
    expect((await another.says(runtime, card)).complete).toBe(true);
    expect((await replyTo(runtime, card)).status).toBe("completed");
  });

  it.each([
    ["signed, and its key retired", { operatorKey: true }, [bob, mallory]],
    ["not signed, and signatures demanded since", { operatorKey: false }, [alice, bob]],
  ] as const)("lets nothing run that it said yes to before a crash: %s", async (_, { operatorKey }, operators) => {
    const home = homeForNotes();
    const first = await started(home, { approvers: 1, operatorKey });
    const card = await askedFor(home, first);
    if (operatorKey) await alice.says(first, card);
    else await first.approvals.answer({ ...card, answer: "granted", scope: "once", by: "uid:0" });
    const crash = home.losePower();
    await first.close({ drainMs: 0 });
    const before = noteOf(home);
    crash();
    const runtime = await started(home, { approvers: 1, operatorKey: true, operators });
    expect(await replyTo(runtime, card)).toMatchObject({ error: { code: "FEMTO_APPROVAL_EXPIRED" } });
    await expect.poll(() => runtime.projection.questions.size).toBe(0);
    // What the first boot still wrote before its end is all that there is.
    expect(noteOf(home)).toBe(before);
  });
});

describe("a configuration", () => {
  const faultOf = (
    approvals: { operators?: string[]; operator_key?: boolean },
    ask: { operators?: number } = {},
  ): string => {
    try {
      temporaryHome().configuration({ approvals, ask });
      return "";
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
  };
  const twin = `twin+${alice.vkey.split("+").slice(1).join("+")}`;

  it.each([
    ["a text that is no key", { operators: ["alice"] }, {}, "/approvals/operators/0"],
    ["a key whose id is another's", { operators: [twin] }, {}, "/approvals/operators/0"],
    ["a key with something behind it", { operators: [`${alice.vkey} `] }, {}, "/approvals/operators/0"],
    ["the same operator twice", { operators: [alice.vkey, alice.vkey] }, {}, "already"],
    ["another key of the same name", { operators: [alice.vkey, new Operator("alice").vkey] }, {}, "already"],
    ["a demanded key that nobody has", { operator_key: true }, {}, "/approvals/operator_key"],
    ["more to ask than there are", { operators: [alice.vkey] }, { operators: 2 }, "/ask/operators"],
  ] as const)("does not load with %s", (_, approvals, ask, told) => {
    const { operators, ...rest } = approvals as { operators?: readonly string[]; operator_key?: boolean };
    expect(faultOf({ ...rest, ...(operators === undefined ? {} : { operators: [...operators] }) }, ask)).toContain(
      told,
    );
  });

  it("does not load with one key under two names", () => {
    const again = Operator.withKeyOf(alice, "twin");
    expect(parseOperatorKey(again)).not.toBe(null);
    expect(faultOf({ operators: [alice.vkey, again] })).toContain("that of another operator");
  });

  it("loads with two operators, one of whom asks for both", () => {
    expect(faultOf({ operators: [alice.vkey, bob.vkey], operator_key: true }, { operators: 2 })).toBe("");
  });
});
