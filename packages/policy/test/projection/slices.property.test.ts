import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { createPolicyEngine, DecisionShare, type PolicyEngine } from "../../src/index.ts";
import { sliceAt, slicesOf } from "../../src/projection/slices.ts";
import { ancestorsOrSelf } from "../../src/tables/canonical-path.ts";
import { PlainEngine } from "../engine/plain-engine.ts";
import { handwritten } from "../policy-fixture.ts";
import { PLACED_MANIFESTS, PLACED_REQUEST, PLACED_RULE } from "./placed-rules.ts";

const place = fc.array(fc.constantFrom("a", "b", "a-", "c"), { maxLength: 4 }).map((names) => `/${names.join("/")}`);
const trail = fc.option(place).map((at) => (at === null ? [] : ancestorsOrSelf(at)));

describe("slices of a set of rules", () => {
  it("hold at each place all rules along the trail to it and all without a place, and little else", () => {
    fc.assert(
      fc.property(fc.array(trail, { maxLength: 60 }), fc.array(trail, { maxLength: 20 }), (trails, asked) => {
        const numbered = new Map(trails.map((one, index) => [index * 3, one]));
        const sets = new Set<readonly number[]>();
        const slices = slicesOf(numbered, (rules) => {
          sets.add(rules);
          return rules;
        });
        for (const passed of [...trails, ...asked]) {
          const along = [...numbered].filter(([_, own]) => own.length === 0 || passed.includes(own.at(-1) ?? ""));
          expect(sliceAt(slices, passed)).toEqual(expect.arrayContaining(along.map(([rule]) => rule)));
        }
        const held = [...sets].reduce((sum, rules) => sum + rules.length, 0);
        const anywhere = trails.filter((one) => one.length === 0).length;
        // The last slice may not be full, and one holds what has no place.
        expect(held).toBeLessThanOrEqual(2 * (trails.length - anywhere) + 2 * anywhere + trails.length);
        expect(
          [...sets].every((rules) => rules.every((rule, index) => index === 0 || rule > Number(rules[index - 1]))),
        ).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a policy in slices", () => {
  let plain: PlainEngine;
  let engine: PolicyEngine;
  beforeAll(async () => {
    [plain, engine] = await Promise.all([PlainEngine.open(), createPolicyEngine()]);
  });

  it("decides, to the last rule and the last error, what the whole of it decides", () => {
    const seen = new Map<string, number>();
    const share = new DecisionShare();
    fc.assert(
      fc.property(
        fc.array(PLACED_RULE, { minLength: 5, maxLength: 40 }),
        fc.array(PLACED_REQUEST, { minLength: 30, maxLength: 40 }),
        (texts, requests) => {
          const rules = Object.fromEntries(texts.map((text, index) => [`rule ${index}`, text]));
          const policy = handwritten(rules, undefined, PLACED_MANIFESTS);
          plain.activate(policy);
          // Rules that the validator would refuse are taken as if they had been activated before.
          engine.activate(policy, true);
          engine.project();
          for (const request of requests) {
            const expected = plain.decide(request);
            expect(engine.decide({ ...request, share })).toEqual(expected);
            const verdict = expected.allowed ? "allowed" : expected.code;
            seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
          }
        },
      ),
      { numRuns: 40 },
    );
    for (const verdict of ["allowed", "FEMTO_POLICY_NO_PERMIT", "FEMTO_POLICY_FORBIDDEN", "FEMTO_POLICY_ERROR"]) {
      expect(seen.get(verdict) ?? 0).toBeGreaterThan(20);
    }
  });
});
