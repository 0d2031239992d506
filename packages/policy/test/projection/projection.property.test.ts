import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { FactQuestion } from "@femtoclaw/protocol";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { historyContext } from "../../src/decisions/history-context.ts";
import type { DecisionRequest } from "../../src/decisions/request.ts";
import { createPolicyEngine, DecisionShare, NO_HISTORY, type PolicyEngine } from "../../src/index.ts";
import { policyActions, schemaText } from "../../src/schema.ts";
import { PlainEngine } from "../engine/plain-engine.ts";
import { handwritten, MANIFESTS, programFacts } from "../policy-fixture.ts";
import { REQUEST, RULE } from "./random-rules.ts";

/** Stands for a fact that is taken away. */
const DROPPED = Symbol("dropped");
const SCHEMA = schemaText(policyActions(MANIFESTS));

async function decidedApart(rules: Record<string, string>, requests: readonly DecisionRequest[]): Promise<unknown[]> {
  const child = spawn(process.execPath, [fileURLToPath(new URL("decide-apart.ts", import.meta.url))], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(JSON.stringify({ rules, requests }));
  return JSON.parse(await text(child.stdout)) as unknown[];
}

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
          other.project();
          const expected = requests.map((request) => plain.decide(request));
          for (const decision of expected) {
            const verdict = decision.allowed ? "allowed" : decision.code;
            seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
          }
          const otherShare = new DecisionShare();
          const backwards = requests.toReversed().map((request) => other.decide({ ...request, share: otherShare }));
          expect(requests.map((request) => engine.decide({ ...request, share }))).toEqual(expected);
          engine.project();
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

  it("decide in another process, and in another order, to the last identifier what they decide here", async () => {
    const [texts = []] = fc.sample(fc.array(RULE, { minLength: 30, maxLength: 30 }), { numRuns: 1, seed: 7 });
    const requests = fc.sample(REQUEST, { numRuns: 300, seed: 7 });
    const rules = texts
      .filter((text) => plain.accepts(SCHEMA, text))
      .map((text, index) => [`rule ${index}`, text] as const);
    plain.activate(handwritten(Object.fromEntries(rules)));
    const here = requests.map((request) => plain.decide(request));
    expect(new Set(here.map(({ rules }) => rules.join())).size).toBeGreaterThan(10);
    const [there, backwards] = await Promise.all([
      decidedApart(Object.fromEntries(rules), requests),
      decidedApart(Object.fromEntries(rules.toReversed()), requests.toReversed()),
    ]);
    expect(there).toEqual(here);
    expect(backwards.toReversed()).toEqual(here);
  });

  it("let nothing pass that the engine would not take for facts", async () => {
    const value = fc.oneof(
      fc.constantFrom<unknown>(
        true,
        "x",
        "",
        0,
        1.5,
        -1,
        2 ** 53,
        Number.NaN,
        null,
        undefined,
        [],
        ["x"],
        [1],
        [["x"]],
        {},
      ),
      fc.constantFrom<unknown>(
        { __entity: { type: "Path", id: "/" } },
        { __extn: { fn: "ip", arg: "::1" } },
        [null],
        1n,
      ),
    );
    const change = fc.record({
      name: fc.constantFrom(...Object.keys(programFacts("/p", ["x"])), "approved", "owner", "__proto__", "constructor"),
      value: fc.oneof(value, fc.constant(DROPPED)),
    });
    const open = handwritten({ open: "permit (principal, action, resource);" });
    plain.activate(open);
    engine.activate(open);
    engine.project();
    const share = new DecisionShare();
    const past = historyContext(NO_HISTORY);
    if (!past.ok) throw new Error(past.fault);
    const seen = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(fc.array(change, { maxLength: 2 }), (changes) => {
        const question: Record<string, unknown> = { ...programFacts("/usr/bin/one", ["x"]) };
        for (const { name, value } of changes) {
          if (value === DROPPED) delete question[name];
          else Object.defineProperty(question, name, { value, enumerable: true, configurable: true, writable: true });
        }
        const request = {
          principal: "s",
          history: NO_HISTORY,
          capability: "process_exec",
          question: question as unknown as FactQuestion,
        };
        const { allowed } = engine.decide({ ...request, share });
        const { kind: _, program: __, ...facts } = question;
        const context = { ...facts, ...past.attributes };
        if (allowed) expect(plain.permits("process_exec", { type: "Program", id: "/usr/bin/one" }, context)).toBe(true);
        seen[allowed ? "taken" : "refused"] += 1;
      }),
      { numRuns: 2_000 },
    );
    expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(100);
  });
});
