import type { PolicyJson } from "@cedar-policy/cedar-wasm/web";
import { beforeAll, describe, expect, it } from "vitest";
import { type Cedar, openCedar } from "../../src/engine/cedar-instance.ts";
import { type AttributeReads, Reads, ruleActions } from "../../src/projection/reads.ts";

const attributes = ({ whole, members }: AttributeReads): unknown =>
  whole ? "*" : Object.fromEntries([...members].map(([name, member]) => [name, attributes(member)]));

const told = (reads: Reads): unknown => ({
  context: attributes(reads.context),
  whole: [...reads.whole].sort(),
  named: Object.fromEntries([...reads.named].map(([type, ids]) => [type, [...ids].sort()])),
});

const NOTHING = { context: {}, whole: [], named: {} };
const EVERYTHING = { context: "*", whole: ["principal", "resource"] };

describe("what a rule reads", () => {
  let cedar: Cedar;
  beforeAll(async () => {
    cedar = (await (await openCedar())()).start();
  });
  const parsed = (text: string): PolicyJson => {
    const answer = cedar.policyToJson(text);
    if (answer.type !== "success") throw new Error(JSON.stringify(answer.errors));
    return answer.json;
  };
  const when = (condition: string): unknown =>
    told(new Reads().add(parsed(`permit (principal, action, resource) when { ${condition} };`)));

  it.each([
    ["permit (principal, action, resource);", NOTHING],
    [
      'permit (principal == Agent::"a", action, resource in Path::"/x");',
      { ...NOTHING, named: { Agent: ["a"], Path: ["/x"] } },
    ],
    ['permit (principal in Agent::"a", action, resource is Path);', { ...NOTHING, named: { Agent: ["a"] } }],
    ['permit (principal, action, resource is Path in Path::"/x");', { ...NOTHING, named: { Path: ["/x"] } }],
  ])("of the scope of %s", (text, expected) => {
    expect(told(new Reads().add(parsed(text)))).toEqual(expected);
  });

  it.each([
    ["context.a == 1", { a: "*" }],
    ['context["a b"] == 1', { "a b": "*" }],
    ["context has a", { a: "*" }],
    ["context has a.b.c", { a: { b: { c: "*" } } }],
    ["context.a.b > 1 && context.a.c", { a: { b: "*", c: "*" } }],
    ["context.a has b && context.a.b.contains(1)", { a: { b: "*" } }],
    ["context.a.b && context.a == context.c", { a: "*", c: "*" }],
    ["if context.a then context.b else context.c", { a: "*", b: "*", c: "*" }],
    ["context == {a: 1}", "*"],
    ["(if context.a then context else {a: 1}).a == 1", "*"],
    ["{it: context}.it.a", "*"],
    ["[context].contains({a: 1})", "*"],
    ['ip(context.a).isInRange(ip("10.0.0.0/8"))', { a: "*" }],
    ['context.a.durationSince(datetime("2024-01-01")) > duration("8h")', { a: "*" }],
    ['context.a like "*x*" && -context.b < 3 * context.c && context.d.isEmpty()', { a: "*", b: "*", c: "*", d: "*" }],
    ["context.a || true", { a: "*" }],
  ])("of the context in %s", (condition, context) => {
    expect(when(condition)).toMatchObject({ context, whole: [] });
  });

  it.each([
    ['resource == Path::"/x" || Path::"/y" != resource', { Path: ["/x", "/y"] }],
    ['resource in Path::"/x" && resource in [Path::"/y", Path::"/z"]', { Path: ["/x", "/y", "/z"] }],
    ['resource is Path in Path::"/x" && resource is Path', { Path: ["/x"] }],
    ['principal in [Agent::"a"] && action == Action::"b"', { Agent: ["a"], Action: ["b"] }],
  ])("relates to the named entities alone in %s", (condition, named) => {
    expect(when(condition)).toEqual({ context: {}, whole: [], named });
  });

  it.each([
    ["resource == principal", ["principal", "resource"]],
    ['[Path::"/x"].contains(resource)', ["resource"]],
    ["resource in context.folders", ["resource"]],
    ['Path::"/x" in resource', ["resource"]],
    ['resource in (if context.a then Path::"/x" else Path::"/y")', ["resource"]],
    ['{it: resource}.it == Path::"/x"', ["resource"]],
    ["resource.owner == principal.name", ["principal", "resource"]],
    ["resource has owner", ["resource"]],
    ['principal.hasTag("x") && principal.getTag("x") == 1', ["principal"]],
    ['resource is Path in [Path::"/x", resource]', ["resource"]],
  ])("is the entity itself in %s", (condition, whole) => {
    expect(when(condition)).toMatchObject({ whole });
  });

  it("is everything where a part of the rule is not known", () => {
    const rule = parsed('permit (principal, action, resource in Path::"/x") when { context.a == 1 && true };');
    const [clause] = rule.conditions;
    if (clause === undefined) throw new Error("the rule has a condition");
    const body = (changed: unknown) => ({ ...rule, conditions: [{ kind: "when", body: changed }] });
    const hostile: unknown[] = [
      body({ wat: { left: { Var: "context" } } }),
      body({ Var: "host" }),
      body({ Slot: "?principal" }),
      body({ Value: { __extn: { fn: "ip", arg: "1.1.1.1" } } }),
      body({ Value: [{ __entity: { type: "Path", id: "/y" } }] }),
      body({ Value: { __entity: { type: "Path", id: 1 } } }),
      body({ "&&": { left: { Value: true }, right: { Value: true }, third: { Var: "context" } } }),
      body({ "==": { left: { Value: 1 }, right: { Value: 1 } }, "!=": { left: { Value: 1 }, right: { Value: 1 } } }),
      body({ ".": { left: { Var: "context" }, attr: 1 } }),
      body({ Set: { Var: "context" } }),
      body({ ip: { Var: "context" } }),
      body({}),
      body(null),
      body(undefined),
      body("context"),
      body([{ Var: "context" }]),
      { ...rule, conditions: clause },
      { ...rule, limit: 1 },
      { ...rule, principal: { op: "like", pattern: "*" } },
      { ...rule, principal: null },
      { ...rule, resource: { op: "==", slot: "?resource" } },
      { ...rule, resource: { op: "is", entity_type: "Path", in: null } },
      { ...rule, resource: { op: "in", entity: { type: "Path" } } },
      { ...rule, resource: { op: "All", but: 1 } },
    ];
    for (const unknown of hostile) {
      expect(told(new Reads().add(unknown as PolicyJson)), JSON.stringify(unknown)).toMatchObject(EVERYTHING);
    }
  });

  it("is found in a chain of ten thousand operands", () => {
    let body: unknown = { Value: true };
    for (let index = 0; index < 10_000; index += 1) {
      const right = { ".": { left: { Var: "context" }, attr: `a${index % 3}` } };
      body = { "&&": { left: body, right } };
    }
    const rule = { ...parsed("permit (principal, action, resource);"), conditions: [{ kind: "when", body }] };
    expect(told(new Reads().add(rule as PolicyJson))).toEqual({ ...NOTHING, context: { a0: "*", a1: "*", a2: "*" } });
  });

  it.each([
    ['action == Action::"a"', ["a"], ["a"]],
    ['action in Action::"a"', ["a"], null],
    ['action in [Action::"a", Action::"b"]', ["a", "b"], null],
    ["action", null, null],
    ['action == Other::Action::"a"', null, null],
  ])("and applies, with the scope %s, to %j, and to %j where actions have groups", (scope, alone, grouped) => {
    const rule = parsed(`permit (principal, ${scope}, resource);`);
    expect(ruleActions(rule, false)).toEqual(alone === null ? null : new Set(alone));
    expect(ruleActions(rule, true)).toEqual(grouped === null ? null : new Set(grouped));
  });
});
