/** Answers that whoever holds the log's key writes into it: signed by nobody, by others, for other logs, or altered. */
import type { ApprovalAnsweredBody, ApprovalAuthority, RecordActor } from "@femtoclaw/protocol";
import { MemoryDisk, MemoryStore } from "@femtoclaw/testing/in-memory";
import { describe, expect, it } from "vitest";
import { type LogVerdict, StoreSource, verifyLog } from "../../src/index.ts";
import { Machine } from "../machine.ts";
import { operator, STATEMENT } from "./operators-fixture.ts";

const alice = operator("alice");
const mallory = operator("mallory");
const AUTHORITY: ApprovalAuthority = { operators: [alice.vkey], operator_key: true };
const actor = (principal: string): RecordActor => ({ principal, agent: null, channel: "operator", delegation: null });

type Change = (body: ApprovalAnsweredBody) => ApprovalAnsweredBody;

const boot = (approvals: ApprovalAuthority | undefined) => ({
  type: "boot.started" as const,
  session: null,
  execution: null,
  body: {
    version: "0.4.0",
    node: "v26.0.0",
    platform: "linux",
    pid: 1,
    uid: 0,
    previous_boot: null,
    previous_end: "none" as const,
    integrity: "unverified" as const,
    configuration: { path: null, sha256: "0".repeat(64), changed: false },
    ...(approvals === undefined ? {} : { approvals }),
  },
});

/** A log that is signed as it should be, with one answer of alice's in it that was changed before. */
async function verdictOn(
  change: Change,
  {
    by = alice,
    log,
    authority = AUTHORITY,
    name,
  }: { by?: typeof alice; log?: string; authority?: ApprovalAuthority | null; name?: string } = {},
): Promise<LogVerdict> {
  const machine = new Machine();
  const { journal } = await machine.boot();
  await journal.append(boot(authority ?? undefined));
  const statement = { ...STATEMENT, log: log ?? journal.origin, question: 2, reason: "it is fine" };
  const signature = by.sign(statement).trim().split(" ").at(-1) ?? "";
  const body: ApprovalAnsweredBody = {
    question: 2,
    tool: "fs_write",
    digest: STATEMENT.digest,
    answer: "granted",
    complete: true,
    scope: "once",
    reason: "it is fine",
    self_approvable: false,
    key: by.vkey,
    signature: { log: statement.log, signed_at: STATEMENT.signedAt, expires_at: STATEMENT.expiresAt, signature },
  };
  await journal.append({
    type: "approval.answered",
    actor: actor(name ?? `operator:${by.name}`),
    session: "s",
    execution: "e",
    body: change(body),
  });
  await journal.close();
  const store = new MemoryStore(Object.assign(new MemoryDisk(), machine.disk, { opened: false }));
  const { size } = await store.open();
  return await verifyLog({ source: new StoreSource(store, size) });
}

const same: Change = (body) => body;

describe("a verification", () => {
  it("counts the answer that alice signed", async () => {
    expect(await verdictOn(same)).toMatchObject({ verdict: "verified", signedAnswers: 1, fault: null });
  });

  const forged: Readonly<Record<string, readonly [string, Change]>> = {
    "whose answer was turned": ["does not hold", (body) => ({ ...body, answer: "refused" })],
    "whose scope was widened": ["does not hold", (body) => ({ ...body, scope: "session" })],
    "of another question": ["does not hold", (body) => ({ ...body, question: 1 })],
    "to something else": ["does not hold", (body) => ({ ...body, digest: "cd".repeat(32) })],
    "with another reason": ["does not hold", (body) => ({ ...body, reason: "it is not" })],
    "that is good for longer": [
      "does not hold",
      (body) => ({
        ...body,
        ...(body.signature ? { signature: { ...body.signature, expires_at: "2027-01-01T00:00:00.000Z" } } : {}),
      }),
    ],
    "with the key of another": [
      "does not hold",
      (body) => ({ ...body, key: mallory.vkey.replace("mallory", "alice") }),
    ],
    "without its key": ["half a signature", ({ key: _, ...body }) => body],
    "without its signature": ["half a signature", ({ signature: _, ...body }) => body],
    "with neither": ["had to be", ({ key: _, signature: __, ...body }) => body],
  };

  it.each(Object.entries(forged))("finds an answer %s", async (_, [reason, change]) => {
    const { verdict, fault } = await verdictOn(change);
    expect({ verdict, seq: fault?.seq }).toEqual({ verdict: "tampered", seq: 2 });
    expect(fault?.reason).toMatch(new RegExp(`${reason}|names no key`));
  });

  it("finds an answer by who is no operator, in another's name, and for another log", async () => {
    expect((await verdictOn(same, { by: mallory })).fault?.reason).toContain("nobody who was an operator");
    expect((await verdictOn(same, { name: "operator:bob" })).fault?.reason).toContain("did not give it");
    expect((await verdictOn(same, { name: "uid:0" })).fault?.reason).toContain("did not give it");
    expect((await verdictOn(same, { log: STATEMENT.log })).fault?.reason).toContain("another log");
  });

  it("finds a yes without a signature to a question that several have to answer, and takes such a no", async () => {
    const verdictOf = async (answer: ApprovalAnsweredBody["answer"], approvers: number): Promise<LogVerdict> => {
      const machine = new Machine();
      const { journal } = await machine.boot();
      await journal.append(boot({ operators: [alice.vkey], operator_key: false }));
      const digest = "ab".repeat(32);
      const { seq: question } = await journal.append({
        type: "approval.asked",
        actor: actor("a"),
        session: "s",
        execution: "e",
        body: {
          ...{ tool: "t", capability: "t", args: {}, label: null, facts: null, input_sha256: digest },
          ...{ revision: digest, rules: [], approvers, files: [], digest, lifetime_ms: 1 },
          expires_at: "2026-01-01T00:00:00.000Z",
        },
      });
      const complete = true;
      await journal.append({
        type: "approval.answered",
        actor: actor("uid:0"),
        session: "s",
        execution: "e",
        body: { question, tool: "t", digest, answer, complete, scope: "once", reason: null, self_approvable: true },
      });
      await journal.close();
      const store = new MemoryStore(Object.assign(new MemoryDisk(), machine.disk, { opened: false }));
      const { size } = await store.open();
      return await verifyLog({ source: new StoreSource(store, size) });
    };
    const { verdict, fault } = await verdictOf("granted", 2);
    expect({ verdict, seq: fault?.seq }).toEqual({ verdict: "tampered", seq: 3 });
    expect(fault?.reason).toContain("had to be");
    expect(await verdictOf("refused", 2)).toMatchObject({ verdict: "verified", fault: null });
    expect(await verdictOf("granted", 1)).toMatchObject({ verdict: "verified", fault: null });
  });

  it("says what it cannot see where nothing names the operators of then", async () => {
    const { verdict, caveats } = await verdictOn(same, { by: mallory, authority: null });
    expect(verdict).toBe("verified");
    expect(caveats.join()).toContain("whether an operator of then gave 1 of the signed answers cannot be seen");
  });
});
