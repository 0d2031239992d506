import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { createPolicyEngine, DecisionShare, type PolicyEngine } from "../../src/index.ts";
import { policyActions, schemaText } from "../../src/schema.ts";
import { PlainEngine } from "../plain-engine.ts";
import { handwritten, MANIFESTS } from "../policy-fixture.ts";
import { REQUEST, RULE } from "./random-rules.ts";

const SCHEMA = schemaText(policyActions(MANIFESTS));

describe("projection and memory", () => {
  let plain: PlainEngine;
  let engine: PolicyEngine;
  let other: PolicyEngine;
  beforeAll(async () => {
    [plain, engine, other] = await Promise.all([PlainEngine.open(), createPolicyEngine(), createPolicyEngine()]);
  });

  it("change no decision, whatever is asked and in whatever order", () => {
    const seen = new Map<string, number>();
    // One share outlives all policies, so that an answer of an earlier one would show.
    const share = new DecisionShare();
    fc.assert(
      fc.property(
        fc.array(RULE, { minLength: 1, maxLength: 8 }),
        fc.array(REQUEST, { minLength: 10, maxLength: 40 }),
        (texts, requests) => {
          const accepted = texts.filter((text) => plain.accepts(SCHEMA, text));
          const policy = handwritten(Object.fromEntries(accepted.map((text, index) => [`rule ${index}`, text])));
          plain.activate(policy);
          engine.activate(policy);
          other.activate(policy);
          const expected = requests.map((request) => plain.decide(request));
          for (const decision of expected) {
            const verdict = decision.allowed ? "allowed" : decision.code;
            seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
          }
          const otherShare = new DecisionShare();
          const backwards = requests.toReversed().map((request) => other.decide({ ...request, share: otherShare }));
          expect(requests.map((request) => engine.decide({ ...request, share }))).toEqual(expected);
          expect(requests.map((request) => engine.decide({ ...request, share }))).toEqual(expected);
          expect(requests.map((request) => engine.decide(request))).toEqual(expected);
          expect(backwards.toReversed()).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
    // Rules that never say anything would prove nothing.
    for (const verdict of ["allowed", "FEMTO_POLICY_NO_PERMIT", "FEMTO_POLICY_FORBIDDEN", "FEMTO_POLICY_ERROR"]) {
      expect(seen.get(verdict) ?? 0).toBeGreaterThan(200);
    }
  });
});
