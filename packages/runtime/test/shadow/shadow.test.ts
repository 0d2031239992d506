/** One verdict of rules on trial: what it holds, and that nothing which goes wrong in it is anything but undecided. */
import { type CompiledPolicy, compilePolicy, type Decision, DecisionShare, NO_HISTORY } from "@femtoclaw/policy";
import { expect, it } from "vitest";
import { Shadow, shownRules } from "../../src/subsystems/shadow.ts";
import { Home } from "../runtime-fixture.ts";

const home = new Home();
const compiled: CompiledPolicy = compilePolicy({ authority: home.configuration().authority, manifests: [] });
home.remove();

const REQUEST: Parameters<Shadow["verdict"]>[0] = {
  principal: "default",
  capability: "fs_read",
  questions: [{ kind: "tool" }],
  history: NO_HISTORY,
  approved: false,
  share: new DecisionShare(),
};

type Asked = Parameters<ConstructorParameters<typeof Shadow>[0]["engine"]["decideAll"]>[0];

function shadowOf(decideAll: (asked: Asked) => unknown, clock = { monotonicUs: () => 0 }): Shadow {
  return new Shadow({ compiled, engine: { decideAll: decideAll as (asked: Asked) => Decision }, clock });
}

const denied = (code: string, rules: readonly string[]) => ({ allowed: false, code, rules, reason: "no" });

it.each([
  [
    { allowed: true, rules: ["a"] },
    { verdict: "allowed", code: null, rules: ["a"] },
  ],
  [denied("FEMTO_POLICY_NO_PERMIT", []), { verdict: "denied", code: "FEMTO_POLICY_NO_PERMIT", rules: [] }],
  [denied("FEMTO_BUDGET_EXCEEDED", ["b"]), { verdict: "denied", code: "FEMTO_BUDGET_EXCEEDED", rules: ["b"] }],
  [denied("FEMTO_APPROVAL_REQUIRED", ["q"]), { verdict: "asks", code: "FEMTO_APPROVAL_REQUIRED", rules: ["q"] }],
  [denied("FEMTO_POLICY_ERROR", ["e"]), { verdict: "undecided", code: "FEMTO_POLICY_ERROR", rules: ["e"] }],
  [denied("FEMTO_POLICY_ENGINE_FAILED", []), { verdict: "undecided", code: "FEMTO_POLICY_ENGINE_FAILED", rules: [] }],
])("of the answer %j", (answer, verdict) => {
  expect(shadowOf(() => answer).verdict(REQUEST)).toEqual({ revision: compiled.revision, ...verdict });
});

it.each([
  ["throws", () => JSON.parse("{")],
  ["answers nothing", () => undefined],
  ["answers null", () => null],
  ["answers later", async () => ({ allowed: true, rules: [] })],
  ["answers without rules", () => ({ allowed: true })],
])("is undecided where the engine %s", (_, answer) => {
  const shadow = shadowOf(answer);
  expect(shadow.verdict(REQUEST)).toMatchObject({ verdict: "undecided", code: "FEMTO_POLICY_ENGINE_FAILED" });
  expect(shadow.undecided).toBe(1);
});

it("tells with the yes what operators said yes to, and asks with none of its own", () => {
  const asked: (boolean | undefined)[] = [];
  const answer = ({ approved }: Asked): unknown => {
    asked.push(approved);
    return approved === true ? { allowed: true, rules: ["p"] } : denied("FEMTO_APPROVAL_REQUIRED", ["q"]);
  };
  expect(shadowOf(answer).verdict(REQUEST).verdict).toBe("asks");
  expect(shadowOf(answer).verdict({ ...REQUEST, approved: true })).toMatchObject({
    verdict: "allowed",
    rules: ["p", "q"],
  });
  expect(asked).toEqual([false, false, true]);
});

it("remembers beside the session's own share, never in it", () => {
  const shares = new Set<DecisionShare | undefined>();
  const shadow = shadowOf(({ share }) => {
    shares.add(share);
    return { allowed: true, rules: ["a"] };
  });
  for (const share of [REQUEST.share, REQUEST.share, new DecisionShare()]) shadow.verdict({ ...REQUEST, share });
  expect(shares.size).toBe(2);
  expect(shares.has(REQUEST.share)).toBe(false);
});

it("rests after a call that took too long, a hundred times as long", () => {
  let nowUs = 1_000_000;
  let takesUs = 250_000;
  let asked = 0;
  const shadow = shadowOf(
    () => {
      asked += 1;
      nowUs += takesUs;
      return { allowed: true, rules: ["a"] };
    },
    { monotonicUs: () => nowUs },
  );
  expect(shadow.verdict(REQUEST).verdict).toBe("allowed");
  expect(shadow.verdict(REQUEST).verdict).toBe("allowed");
  takesUs = 250_001;
  expect(shadow.verdict(REQUEST).verdict).toBe("allowed");
  takesUs = 1;
  for (let n = 0; n < 100; n += 1) {
    expect(shadow.verdict(REQUEST)).toMatchObject({ verdict: "undecided", code: "FEMTO_OVERLOADED" });
  }
  expect(asked).toBe(3);
  nowUs += 25_000_099;
  expect(shadow.verdict(REQUEST).verdict).toBe("undecided");
  nowUs += 1;
  expect(shadow.verdict(REQUEST).verdict).toBe("allowed");
  expect(shadow.undecided).toBe(101);
});

it("names no more rules than a record has room for", () => {
  const ids = Array.from({ length: 100 }, (_, n) => `r${n}`);
  expect(shownRules(ids)).toEqual(ids.slice(0, 32));
  expect(shownRules(["a".repeat(4_096)])).toHaveLength(1);
  expect(shownRules(["a".repeat(4_096), "b"])).toHaveLength(1);
  expect(shownRules(["a".repeat(4_097), "b"])).toEqual([]);
});
