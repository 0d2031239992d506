/** A journal may come from anybody: what it says is decided again, or said to be undecidable, and stops nothing. */
import { createHash } from "node:crypto";
import { builtinCapabilities } from "@femtoclaw/capabilities";
import type { Unsealed } from "@femtoclaw/journal";
import { compilePolicy } from "@femtoclaw/policy";
import type { FactQuestion, PolicyActivatedBody, TypedRecord } from "@femtoclaw/protocol";
import { AS_RECORDED, type DecidedLog, policyDifference, RecordedJudge } from "@femtoclaw/runtime/redecide";
import { describe, expect, it } from "vitest";
import { ENGINE_VERSION, policyRevision } from "../../../policy/src/compile.ts";
import { temporaryHome } from "../runtime-fixture.ts";
import { judgeUnder } from "./decided-history.ts";

const NOTHING = { read: [], write: [], run: [] };
const SCHEMA = compilePolicy({
  authority: {
    workspace: "/a",
    searchPath: [],
    allow: NOTHING,
    ask: NOTHING,
    deny: NOTHING,
    floor: [],
    childRead: [],
    environment: {},
    environmentNames: [],
  },
  manifests: builtinCapabilities.map(({ manifest }) => manifest).filter(({ name }) => name === "fs_read"),
}).schemaText;
const PERMIT = 'permit (principal, action == Action::"fs_read", resource in Path::"/a");';

function activation(rules: Readonly<Record<string, string>>, changes: Partial<PolicyActivatedBody> = {}): TypedRecord {
  const list = Object.entries(rules).map(([id, text]) => ({ id, text, source: null }));
  const body = {
    revision: policyRevision(ENGINE_VERSION, SCHEMA, list),
    engine: ENGINE_VERSION,
    schema: SCHEMA,
    schema_sha256: sha256(SCHEMA),
    rules: list,
    ...changes,
  };
  return { seq: 0, type: "policy.activated", body } as TypedRecord;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function intent(policy: TypedRecord, question: unknown, rules: readonly string[] = ["a"]): TypedRecord {
  const { revision } = policy.body as PolicyActivatedBody;
  return {
    seq: 1,
    at: "2026-03-01T00:00:00.000000Z",
    type: "execution.intent",
    execution: "e",
    session: "s",
    actor: { principal: "p" },
    body: { tool: "fs_read", facts: { questions: [question] }, revision, rules },
  } as unknown as TypedRecord;
}

const path = (name: string, more: object = {}): unknown => ({
  ...({ kind: "path", path: name, exists: true, type: "file", bytes: 0 } satisfies FactQuestion),
  ...more,
});

function logOf(records: readonly TypedRecord[]): DecidedLog {
  return {
    size: records.length,
    async *read() {
      for (const [seq, record] of records.entries()) yield { ...record, seq } as TypedRecord;
    },
    withValues: async (record): Promise<Unsealed> => ({ record, erased: [] }),
    prunedBefore: async () => 0,
  };
}

async function recheck(records: readonly TypedRecord[]) {
  return await policyDifference(logOf(records), {
    before: AS_RECORDED,
    after: await RecordedJudge.open(SCHEMA),
    exact: true,
  });
}

const GOOD = activation({ a: PERMIT });

describe("under its recorded policy", () => {
  it("an honest record is decided as it was, also one from before records held the schema", async () => {
    const { schema: _, ...older } = GOOD.body as PolicyActivatedBody;
    const before = { ...GOOD, body: older } as TypedRecord;
    for (const policy of [GOOD, before]) {
      expect(await recheck([policy, intent(policy, path("/a/b"))])).toMatchObject({ calls: 1, changed: 0 });
    }
  });

  it.each([
    ["other rules than those that permitted", intent(GOOD, path("/a/b"), ["b"]), { changed: 1 }],
    ["a permission that its policy does not give", intent(GOOD, path("/b")), { changed: 1 }],
    ["a permission beside the path", intent(GOOD, path("/a-evil")), { changed: 1 }],
    ["facts of a newer vocabulary", intent(GOOD, path("/a/b", { colour: "red" })), { calls: 0 }],
    [
      "facts with a smuggled entity",
      intent(GOOD, path("/a/b", { type: { __entity: { type: "Path", id: "/a" } } })),
      { calls: 0 },
    ],
    ["a path that is not canonical", intent(GOOD, path("/b/../a/c")), { calls: 0 }],
    ["a path of thousands of folders", intent(GOOD, path(`/a${"/b".repeat(4_000)}`)), { calls: 0 }],
    ["a huge fact", intent(GOOD, path("/a/b", { type: "x".repeat(1_000_000) })), { calls: 0 }],
    ["no facts", intent(GOOD, null), { calls: 0 }],
  ])("a record that claims %s is found out or left undecided", async (_, record, expected) => {
    const found = await recheck([GOOD, record, intent(GOOD, path("/a/b"))]);
    expect(found).toMatchObject("calls" in expected ? { calls: 1, changed: 0 } : expected);
    expect(found.calls + found.undecidable.reduce((sum, { count }) => sum + count, 0)).toBe(2);
  });

  it.each([
    ["a revision that names other rules", activation({ a: PERMIT }, { revision: "0".repeat(64) })],
    ["another engine", activation({ b: PERMIT }, { engine: "cedar 99.0.0" })],
    ["a schema that it does not name", activation({ b: PERMIT }, { schema_sha256: "0".repeat(64) })],
    ["rules that are gone", activation({ b: PERMIT }, { rules: null })],
    ["rules that are no Cedar", activation({ a: "permit" })],
    [
      "nesting on which the engine traps",
      activation({ a: `permit (principal, action, resource) when { ${"(".repeat(5_000)} };` }),
    ],
    [
      "a chain on which the engine traps when it is asked",
      activation({
        a: `permit (principal, action == Action::"fs_read", resource) when { ${Array.from({ length: 5_000 }, (_, at) => `context.bytes == ${at + 1}`).join(" || ")} };`,
      }),
    ],
  ])("a policy with %s leaves its calls undecided, and the next policy decides", async (_, policy) => {
    const records = [policy, intent(policy, path("/a/b")), GOOD, intent(GOOD, path("/a/b"))];
    const found = await recheck([...records, policy, ...records]);
    expect(found).toMatchObject({ calls: 2, changed: 0 });
    expect(found.undecidable.reduce((sum, { count }) => sum + count, 0)).toBe(2);
  });

  it("a policy whose rules were erased once is taken from the other record that holds them", async () => {
    const erased = activation({ a: PERMIT }, { rules: null });
    expect(await recheck([GOOD, erased, intent(GOOD, path("/a/b"))])).toMatchObject({ calls: 1, changed: 0 });
  });

  it("a call that asked, and the same call after the yes, are decided as they were, and a forged yes is found out", async () => {
    const ask = activation({
      ask: '@approval("2") forbid (principal, action, resource in Path::"/a") unless { context.approved };',
      yes: '@approval("2") permit (principal, action, resource in Path::"/a") when { context.approved };',
    });
    const granted = intent(ask, path("/a/b"), ["ask", "yes"]);
    const after = { ...granted, body: { ...granted.body, approval: 1 } } as unknown as TypedRecord;
    const asked = { ...granted, type: "approval.asked" } as unknown as TypedRecord;
    expect(await recheck([ask, asked, after])).toMatchObject({ calls: 2, changed: 0, undecidable: [] });
    expect((await recheck([ask, granted])).groups).toMatchObject([{ was: "allowed", now: "asks", count: 1 }]);
    const unreadable = activation({ ask: '@approval("many") forbid (principal, action, resource);' });
    expect(await recheck([unreadable, intent(unreadable, path("/a/b"))])).toMatchObject({ calls: 0 });
  });

  it("a record that does not say what happened before is not decided by a rule that looks at it", async () => {
    const looking = activation({
      a: 'permit (principal, action == Action::"fs_read", resource) when { context.session.calls < 5 };',
    });
    const found = await recheck([looking, intent(looking, path("/a/b"))]);
    expect(found).toMatchObject({ calls: 0, undecidable: [{ count: 1, reason: expect.stringContaining("older") }] });
  });

  it("a secret that was taken out of facts leaves the call undecided", async () => {
    const record = { ...intent(GOOD, path("/a/b")), redactions: [{ path: "/facts/questions", rule: "r" }] };
    const found = await recheck([GOOD, record as TypedRecord]);
    expect(found.undecidable).toMatchObject([{ reason: "a secret was taken out of its facts", count: 1 }]);
  });

  it("a log of more policies than are kept is read in bounded memory, and the newest decide", async () => {
    const policies = Array.from({ length: 100 }, (_, at) =>
      activation({ a: PERMIT, [`b${at}`]: PERMIT.replace("/a", "/b") }),
    );
    const last = policies.at(-1) ?? GOOD;
    const [first = GOOD] = policies;
    const found = await recheck([...policies, intent(last, path("/a/b")), intent(first, path("/a/b"))]);
    expect(found).toMatchObject({ calls: 1, changed: 0, undecidable: [{ count: 1 }] });
  });
});

describe("under a candidate", () => {
  it("calls of capabilities that nobody has here, named like what objects inherit too, are undecided", async () => {
    const home = temporaryHome();
    const after = await judgeUnder(home, {}, ["fs_read"]);
    const tools = ["constructor", "__proto__", "toString", "gone"];
    const records = tools.map((tool) => {
      const record = intent(GOOD, path("/a/b"));
      return { ...record, body: { ...record.body, tool } } as TypedRecord;
    });
    const found = await policyDifference(logOf(records), { before: AS_RECORDED, after });
    expect(found).toMatchObject({ calls: 0, undecidable: [{ count: tools.length }] });
  });

  it("groups stay bounded however many rules a log names", async () => {
    const after = await judgeUnder(temporaryHome(), {}, ["fs_read"]);
    const records = Array.from({ length: 1_500 }, (_, at) => intent(GOOD, path("/a/b"), [`r${at}`]));
    const found = await policyDifference(logOf(records), { before: AS_RECORDED, after });
    expect(found.changed).toBe(records.length);
    expect(found.groups.length).toBe(1_001);
    // The common one names none of the rules by which its calls differ.
    const [common] = found.groups.filter(({ count }) => count > 1);
    expect(common).toMatchObject({ tool: "further tools", was_rules: [], now_rules: [], count: 500 });
    expect(found.groups.reduce((sum, { count }) => sum + count, 0)).toBe(records.length);
  });
});
