import { expect, it, vi } from "vitest";
import { policyRevision } from "../../src/compile.ts";
import { type CompiledPolicy, createPolicyEngine, DecisionShare, NO_HISTORY } from "../../src/index.ts";
import { handwritten, pathFacts } from "../policy-fixture.ts";

const READ = 'permit (principal, action == Action::"fs_read", resource in Path::"/ws");';
const ask = { principal: "s", history: NO_HISTORY, capability: "fs_read" };

it("a policy that cannot be projected goes on deciding as a whole, and nothing is remembered", async () => {
  const plain = handwritten({ READ });
  // Nothing here checks addresses, so no fact of this policy may be left out.
  const schemaText = plain.schemaText.replace('"bytes": Long', '"bytes": Long, "from"?: ipaddr');
  expect(schemaText).not.toBe(plain.schemaText);
  const policy: CompiledPolicy = {
    ...plain,
    schemaText,
    revision: policyRevision(plain.engine, schemaText, plain.rules),
  };
  const faults: string[] = [];
  const engine = await createPolicyEngine({ onFault: (fault) => faults.push(fault) });
  const share = new DecisionShare();
  const keep = vi.spyOn(share, "keep");
  engine.activate(policy);
  engine.project();
  await expect.poll(() => faults).toHaveLength(1);
  expect(faults[0]).toContain("the policy is not projected: the schema has a fact of type ipaddr");
  expect(engine.decide({ ...ask, question: pathFacts("/ws/a"), share })).toEqual({ allowed: true, rules: ["READ"] });
  expect(engine.decide({ ...ask, question: pathFacts("/etc"), share })).toMatchObject({
    code: "FEMTO_POLICY_NO_PERMIT",
  });
  const smuggled = { ...pathFacts("/ws/a"), from: { __extn: { fn: "ip", arg: "::1" } } } as ReturnType<
    typeof pathFacts
  >;
  expect(engine.decide({ ...ask, question: smuggled, share })).toMatchObject({ code: "FEMTO_POLICY_ERROR" });
  expect(keep).not.toHaveBeenCalled();
});

it("there is nothing to project before a policy is active, and each policy is projected once", async () => {
  const engine = await createPolicyEngine();
  engine.project();
  expect(engine.decide({ ...ask, question: pathFacts("/ws/a") })).toMatchObject({ code: "FEMTO_POLICY_ERROR" });
  const share = new DecisionShare();
  const keep = vi.spyOn(share, "keep");
  engine.activate(handwritten({ READ }));
  for (let round = 0; round < 3; round += 1) {
    engine.project();
    expect(engine.decide({ ...ask, question: pathFacts("/ws/a"), share }).allowed).toBe(true);
  }
  expect(keep).toHaveBeenCalledTimes(1);
});

it("a policy that is refused takes neither projection nor memory from the active one", async () => {
  const engine = await createPolicyEngine();
  engine.activate(handwritten({ READ }));
  engine.project();
  const share = new DecisionShare();
  const keep = vi.spyOn(share, "keep");
  for (const text of [
    "permit (",
    'permit (principal, action == Action::"fs_read", resource) when { context.size > 1 };',
  ]) {
    expect(() => engine.activate(handwritten({ text }))).toThrowError(
      expect.objectContaining({ code: "FEMTO_POLICY_INVALID" }),
    );
    expect(engine.decide({ ...ask, question: pathFacts("/ws/a"), share })).toEqual({ allowed: true, rules: ["READ"] });
    expect(engine.decide({ ...ask, question: pathFacts("/etc"), share }).allowed).toBe(false);
  }
  expect(keep).toHaveBeenCalledTimes(2);
});
