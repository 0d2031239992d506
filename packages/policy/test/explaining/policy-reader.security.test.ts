/** Rules from a record may be anything: they are refused or explained, and spoil nothing for the next ones. */

import { beforeAll, describe, expect, it } from "vitest";
import { ENGINE_VERSION, policyRevision } from "../../src/compile.ts";
import type { RecordedPolicy } from "../../src/explaining/recorded-policy.ts";
import { compilePolicy, NO_HISTORY, PolicyReader } from "../../src/index.ts";
import { authorityOf, handwritten, MANIFESTS, pathFacts } from "../policy-fixture.ts";

const POLICY = compilePolicy({ authority: authorityOf({ read: ["/ws/a b"] }), manifests: MANIFESTS });
const QUESTION = { principal: "s", history: NO_HISTORY, capability: "fs_read", question: pathFacts("/ws/a b/c") };

function recorded(changes: Partial<RecordedPolicy> = {}): RecordedPolicy {
  const plain = { engine: ENGINE_VERSION, schemaText: POLICY.schemaText, rules: POLICY.rules, ...changes };
  return { revision: policyRevision(plain.engine, plain.schemaText, plain.rules), ...plain };
}

let reader: PolicyReader;
beforeAll(async () => {
  reader = await PolicyReader.open();
});

describe("a recorded policy", () => {
  it("comes back as it was compiled, with every path that its rules name", async () => {
    const { actions, namedPaths, revision } = await reader.enforceable(recorded());
    expect(revision).toBe(POLICY.revision);
    expect(namedPaths).toEqual(POLICY.namedPaths);
    expect(actions).toEqual(POLICY.actions.map(({ name, resource }) => ({ name, resource })));
  });

  it.each([
    ["@approval", 1],
    ['@approval("3")', 3],
    ["", undefined],
  ])("asks as many operators as the text of its rule says: %s", async (annotation, approvers) => {
    const rules = [
      { id: "a", text: `${annotation} forbid (principal, action, resource) unless { context.approved };` },
    ];
    expect((await reader.enforceable(recorded({ rules }))).rules[0]?.approvers).toBe(approvers);
  });

  it.each([
    [
      "a number of operators that is none",
      { rules: [{ id: "a", text: '@approval("x") forbid (principal, action, resource);' }] },
    ],
    ["another engine", { engine: "cedar 3.0.0" }],
    ["a revision that names other rules", { revision: "0".repeat(64) }],
    ["text that is no Cedar", { rules: [{ id: "a", text: "permit (" }] }],
    ["a schema that is none", { schemaText: "entity" }],
    ["a schema of other resources", { schemaText: "entity A; action x appliesTo { principal: [A], resource: [A] };" }],
    [
      "two rules of one id",
      {
        rules: [
          { id: "a", text: "permit(principal, action, resource);" },
          { id: "a", text: "forbid(principal, action, resource);" },
        ],
      },
    ],
    [
      "rules on which the engine traps",
      { rules: [{ id: "a", text: `permit (principal, action, resource) when { ${"(".repeat(9_000)} };` }] },
    ],
  ])("with %s is refused, and the next one is read", async (_, changes: Partial<RecordedPolicy>) => {
    await expect(reader.enforceable(recorded(changes))).rejects.toMatchObject({ code: "FEMTO_POLICY_INVALID" });
    await expect(reader.enforceable(recorded())).resolves.toMatchObject({ revision: POLICY.revision });
  });
});

describe("an explanation", () => {
  it("is refused where the engine traps at evaluation, and the next one is given", async () => {
    const chain = Array.from({ length: 5_000 }, (_, at) => `context.bytes == ${at}`).join(" || ");
    const trap = handwritten({ trap: `permit (principal, action, resource is Path) when { ${chain} };` });
    await expect(reader.explain(trap, QUESTION)).rejects.toMatchObject({ code: "FEMTO_POLICY_INVALID" });
    expect((await reader.explain(POLICY, QUESTION)).permitting).toEqual(["toml/allow.read/1"]);
  });

  it("survives a chain of conditions as long as a text may be", async () => {
    const chain = Array.from({ length: 120 }, (_, at) => `context.bytes != ${at + 1}`).join(" && ");
    const policy = handwritten({
      long: `permit (principal, action == Action::"fs_read", resource) when { ${chain} };`,
    });
    expect((await reader.explain(policy, QUESTION)).permitting).toEqual(["long"]);
  });

  it("makes characters that would act on a terminal visible", async () => {
    const policy = handwritten({
      esc: 'permit (principal, action == Action::"fs_read", resource) when { context.type == "\\u{1b}[2J" && context.bytes == 0 };',
    });
    const { nearest } = await reader.explain(policy, QUESTION);
    expect(nearest?.failed.join()).not.toContain("\u001b");
  });

  it("is refused for facts that the schema does not know", async () => {
    const question = { ...pathFacts("/ws"), extra: 1 };
    await expect(reader.explain(POLICY, { ...QUESTION, question })).rejects.toMatchObject({
      code: "FEMTO_POLICY_INVALID",
    });
  });
});
