import { beforeAll, describe, expect, it } from "vitest";
import { type Cedar, openCedar } from "../../src/engine/cedar-instance.ts";
import { recordFault } from "../../src/projection/fact-types.ts";
import { type ProjectedAction, projectPolicy } from "../../src/projection/projected-policy.ts";
import { sliceAt } from "../../src/projection/slices.ts";

const SCHEMA = `entity Agent; entity Path in [Path]; entity Tool;
type Session = { calls: Long, tainted?: Bool };
action "read" appliesTo { principal: [Agent], resource: [Path], context: { bytes: Long, session: Session, time: datetime } };
action "write" appliesTo { principal: [Agent], resource: [Path], context: { bytes: Long, session: Session, time: datetime } };
action "clock" appliesTo { principal: [Agent], resource: [Tool], context: {} };`;

const rule = (id: string, action: string, condition = "true") => ({
  id,
  text: `permit (principal, ${action}, resource) when { ${condition} }; // a comment`,
});

describe("a projected policy", () => {
  let cedar: Cedar;
  beforeAll(async () => {
    cedar = (await (await openCedar())()).start();
  });
  const project = (...rules: { readonly id: string; readonly text: string }[]) =>
    projectPolicy(cedar, "A", SCHEMA, rules);
  const action = (policy: ReturnType<typeof project>, name: string): ProjectedAction => {
    const found = policy.actions.get(name);
    if (found === undefined) throw new Error(`${name} is gone`);
    return found;
  };

  const asked = (policy: ReturnType<typeof project>, name: string, trail: readonly string[] = []): string[] => {
    const { rules } = sliceAt(action(policy, name).slices, trail);
    return rules.text.split("\n").map((_, index) => rules.ruleId(`policy${index}`));
  };

  it("asks each action the rules that can apply to it, and those in common once", () => {
    const policy = project(
      rule("one", 'action == Action::"read"'),
      rule("two", 'action in [Action::"read", Action::"write"]'),
      rule("three", "action"),
    );
    expect(asked(policy, "read")).toEqual(["one", "two", "three"]);
    expect(asked(policy, "write")).toEqual(["two", "three"]);
    expect(asked(policy, "clock")).toEqual(["three"]);
    expect(policy.sets.map(({ name }) => name)).toEqual(["A/0", "A/1", "A/2"]);
    const shared = project(rule("two", 'action in [Action::"read", Action::"write"]'));
    expect(action(shared, "read").slices).toBe(action(shared, "write").slices);
    expect(shared.sets).toHaveLength(2);
  });

  it("keeps of a record only the members that are read", () => {
    const policy = project(
      rule("tainted", 'action == Action::"read"', "context.session has tainted && context.session.tainted"),
      rule("late", 'action == Action::"write"', 'context.time > datetime("2026-01-01") && context.session.calls > 1'),
    );
    expect(action(policy, "read").read).toEqual(
      new Map([["session", { type: new Map([["tainted", { type: "Bool", required: false }]]), required: true }]]),
    );
    expect(action(policy, "write").read).toEqual(
      new Map<string, unknown>([
        ["session", { type: new Map([["calls", { type: "Long", required: true }]]), required: true }],
        ["time", { type: "datetime", required: true }],
      ]),
    );
    // The engine takes the schema that was cut down in the same way.
    expect(cedar.preparseSchema("A", policy.schema)).toEqual({ type: "success" });
  });

  it("still asks for all of them", () => {
    const { context } = action(project(rule("one", 'action == Action::"read"')), "read");
    const time = { __extn: { fn: "datetime", arg: "2026-01-01T00:00:00Z" } };
    const facts = { bytes: 1, session: { calls: 1 }, time };
    expect(recordFault(facts, context)).toBeNull();
    expect(recordFault({ ...facts, session: { calls: 1, tainted: true } }, context)).toBeNull();
    const wrong: [object, string][] = [
      [{ ...facts, session: { calls: 1, tainted: "no" } }, "the fact session is of another type"],
      [{ ...facts, session: { tainted: true } }, "the fact session is of another type"],
      [{ ...facts, session: { calls: 1, more: 1 } }, "the fact session is of another type"],
      [{ ...facts, session: null }, "the fact session is of another type"],
      [{ ...facts, time: "2026-01-01T00:00:00Z" }, "the fact time is of another type"],
      [{ ...facts, time: { __extn: { fn: "ip", arg: "1.1.1.1" } } }, "the fact time is of another type"],
      [{ ...facts, time: { __extn: { fn: "datetime", arg: 1 } } }, "the fact time is of another type"],
      [{ ...facts, time: { __extn: { fn: "datetime", arg: "x", more: 1 } } }, "the fact time is of another type"],
      [{ ...facts, time: { ...time, more: 1 } }, "the fact time is of another type"],
      [{ bytes: 1, session: { calls: 1 } }, "the fact time is missing"],
      [{ ...facts, more: 1 }, "there is a fact that the schema does not know"],
    ];
    for (const [value, fault] of wrong) expect(recordFault(value, context)).toBe(fault);
    for (const value of [null, undefined, "x", [facts], 1]) expect(recordFault(value, context)).not.toBeNull();
  });

  it.each([
    [
      "a type that nothing checks",
      SCHEMA.replace("bytes: Long", "bytes: ipaddr"),
      "of type ipaddr, which nothing checks",
    ],
    [
      "a set of anything but texts",
      SCHEMA.replace("bytes: Long", "bytes: Set<Long>"),
      "of type Set, which nothing checks",
    ],
    ["a namespace", `namespace N { ${SCHEMA} }`, "the schema has a namespace"],
    ["an action on two types", SCHEMA.replace("[Tool]", "[Tool, Path]"), "clock is not about one type of resource"],
  ])("refuses a schema with %s", (_, schema, message) => {
    expect(() => projectPolicy(cedar, "A", schema, [])).toThrow(message);
  });

  it("refuses a text that is not one rule", () => {
    const text = "permit (principal, action, resource);";
    for (const hostile of [`${text} ${text}`, "", "// nothing", `${text} permit (`, text.slice(0, -1)]) {
      expect(() => project({ id: "hostile", text: hostile })).toThrow(/^hostile: /);
    }
  });
});
