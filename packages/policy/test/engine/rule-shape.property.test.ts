/** Rules of one shape are all valid or all invalid, so validating one of each finds what validating all of them finds. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { LOOK_ALIKE } from "../../src/engine/activation.ts";
import { type Cedar, openCedar } from "../../src/engine/cedar-instance.ts";
import { ruleShape, telling } from "../../src/engine/rule-shape.ts";
import { compilePolicy, createPolicyEngine } from "../../src/index.ts";
import { policyActions, schemaText } from "../../src/schema.ts";
import { literal } from "../../src/tables/cedar-text.ts";
import { any, authorityOf, handwritten, MANIFESTS, word } from "../policy-fixture.ts";
import { RULE } from "../projection/random-rules.ts";

const SCHEMA = schemaText(policyActions(MANIFESTS));
let cedar: Cedar;
beforeAll(async () => {
  cedar = (await (await openCedar())()).start();
});

/** What the strict validator says of all of them, without the names that it was given; null for nothing. */
function findings(texts: readonly string[]): readonly string[] | null {
  const staticPolicies = Object.fromEntries(texts.map((text, index) => [`r${index}`, text]));
  const answer = cedar.validate({
    validationSettings: { mode: "strict" },
    schema: SCHEMA,
    policies: { staticPolicies },
  });
  if (answer.type !== "success") return ["not read"];
  const found = [...answer.validationErrors, ...answer.validationWarnings].filter(
    ({ error }) => !LOOK_ALIKE.test(error.message),
  );
  return found.length === 0 && answer.otherWarnings.length === 0 ? null : found.map(({ policyId }) => policyId);
}

// Texts that mean something elsewhere: facts, actions, types, wildcards, addresses, ends of texts and of rules.
const text = fc.oneof(
  fc.constantFrom("a", "b", "type", "word", "fs_read", "*", "*.b", "127.0.0.1", "1.0", "$0", "// ", "#", "\u0455"),
  fc.constantFrom(
    "",
    '"',
    "\\",
    '"};',
    "\n",
    "\0",
    "principal",
    "2026-01-01",
    'Path::"a"',
    "]",
    ")",
    "é",
    "\u{10ffff}",
  ),
  fc.string({ unit: "grapheme", maxLength: 3 }),
);
/** How a text may be written; the second ways are not those of this package. */
const written = fc.oneof(
  { weight: 40, arbitrary: text.map(literal) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('"\\u{61}"', '"\\u{0061}"', '"\\*"', '"\\n"', '"\\u{110000}"', '"\\q"', '"é"'),
  },
);
const texts = fc.oneof(
  { weight: 3, arbitrary: fc.uniqueArray(written, { minLength: 6, maxLength: 6 }) },
  { weight: 1, arbitrary: fc.array(written, { minLength: 6, maxLength: 6 }) },
);

/** Pieces in which `%` is a text: of rules that are fine, and of rules that are fine or not by what the text is. */
const SCOPES = [
  'permit (principal, action == Action::"fs_read", resource in Path::%)',
  'permit (principal == Agent::%, action in [Action::"fs_read", Action::"fs_list"], resource)',
  "forbid (principal, action == Action::%, resource)",
  'forbid (principal, action == Action::"process_exec", resource == Program::%)',
  'permit (principal, action == Action::"fs_read", resource == Program::%)',
  'permit (principal, action == Action::"fs_raed", resource in Path::%)',
  '@approval(%)\npermit (principal, action == Action::"fs_read", resource)',
  '@id(%)\npermit (principal, action == Action::"fs_read", resource)',
  'permit (principal, action == Action::"fs_read", resource in Path::?resource)',
];
const CLAUSES = [
  "when { context.type == % }",
  "when { context[%] == % }",
  "when { context has % }",
  "when { context has type && context.type like % }",
  "when { context.bytes == % }",
  "when { context.real_path == % && context has word && context.word == % }",
  "when { [%, %].contains(context.type) }",
  "when { [%].containsAll(context.flags) }",
  "when { context.flags.contains(%) && [[%]].contains([%]) }",
  "when { [Path::%, Path::%].contains(resource) }",
  "when { Path::% == Path::% }",
  "when { [%] == [%] || % == % }",
  "when { Path::% in Path::% || principal in [Agent::%, Agent::%] }",
  "when { ip(%).isLoopback() }",
  'when { decimal(%).lessThan(decimal("1.0")) }',
  "when { datetime(%) < datetime(%) || duration(%) == duration(%) }",
  "when { {a: %}[%] == % }",
  "when { {%: 1}.a == 1 }",
  "when { Path::%[%] == % || %[%] == % }",
  "when { resource.hasTag(%) }",
  "when { if context.type == % then true else context.bytes }",
  "when { Action::% == action && Action::% in action }",
  "unless { Path::% is Path in Path::% }",
  "when { context.type == % } // %",
  "when { context.type == $0 }",
  "when { context.type == % + % || -context.bytes < 1 }",
];
const piece = (pieces: readonly string[]) => fc.constantFrom(...pieces);
const template = fc.oneof(
  fc.tuple(piece(SCOPES), fc.array(piece(CLAUSES), { maxLength: 2 })).map((parts) => `${parts.flat().join("\n")};`),
  // Rules of the whole language, with their texts taken out.
  RULE.map((rule) => rule.replace(/"(?:[^"\\]|\\.)*"/g, "%")),
);

const filled = (form: string, texts: readonly string[]): string => {
  let at = 0;
  return form.replaceAll("%", () => texts[at++ % texts.length] ?? '""');
};

/** What the tables compile to, in short. */
const ENTRIES = [
  'permit (principal, action == Action::"fs_read", resource in Path::%);',
  'forbid (principal, action in [Action::"fs_read", Action::"fs_list"], resource in Path::%);',
  'permit (principal, action == Action::"process_exec", resource == Program::%) when { context.real_path == % && context has word && context.word == % && [%, %].containsAll(context.flags) };',
];

describe("the shape of a rule", () => {
  it("is shared by rules of which the validator says the same", () => {
    let [taken, refused, apart] = [0, 0, 0];
    fc.assert(
      fc.property(template, texts, texts, (form, one, two) => {
        const pair = [filled(form, one), filled(form, two)] as const;
        const [shape, other] = pair.map(ruleShape);
        if (shape === null || shape !== other) {
          apart += 1;
          return;
        }
        const [first, second] = pair.map((rule) => findings([rule]));
        if (first === null) taken += 1;
        else refused += 1;
        expect(second).toEqual(first);
      }),
      { numRuns: 2_000 },
    );
    // INVARIANT: rules of all three kinds were met, else this proved nothing.
    for (const count of [taken, refused, apart]) expect(count).toBeGreaterThan(40);
  });

  it("leads to the verdict that all rules together have", () => {
    let [taken, refused, spared] = [0, 0, 0];
    const rule = fc.oneof(
      { weight: 20, arbitrary: fc.tuple(piece(ENTRIES), texts).map(([form, with_]) => filled(form, with_)) },
      { weight: 1, arbitrary: RULE },
      { weight: 1, arbitrary: fc.tuple(template, texts).map(([form, with_]) => filled(form, with_)) },
    );
    fc.assert(
      fc.property(fc.array(rule, { minLength: 4, maxLength: 12 }), (all) => {
        const rules = all.map((text, index) => ({ id: `r${index}`, text }));
        const few = telling(rules, SCHEMA).map(({ text }) => text);
        const isWhole = findings(all) === null;
        if (isWhole) taken += 1;
        else refused += 1;
        spared += rules.length - few.length;
        expect(findings(few) === null).toBe(isWhole);
      }),
      { numRuns: 200 },
    );
    for (const count of [taken, refused, spared]) expect(count).toBeGreaterThan(20);
  });

  it.each([
    [
      "an action",
      'permit (principal, action == Action::"fs_read", resource);',
      'permit (principal, action == Action::"fs_list", resource);',
    ],
    [
      "equal texts",
      'forbid (principal, action, resource) when { Path::"a" == Path::"a" };',
      'forbid (principal, action, resource) when { Path::"a" == Path::"b" };',
    ],
    [
      "a number",
      'forbid (principal, action == Action::"fs_read", resource) when { context.bytes == 1 };',
      'forbid (principal, action == Action::"fs_read", resource) when { context.bytes == 2 };',
    ],
  ])("tells %s apart", (_name, one, other) => {
    expect(ruleShape(one)).not.toBeNull();
    expect(ruleShape(one)).not.toBe(ruleShape(other));
  });

  it("is that of one entry for all entries of a table, so that few rules are validated", () => {
    const numbers = Array.from({ length: 100 }, (_, index) => index);
    const read = numbers.map((number) => `/data/${number}/"\u{0455}\n`);
    const run = numbers.map((number) => word("/usr/bin/tool", `word${number}`, ["--one", "--two"]));
    const authority = authorityOf({ read, run, denyRead: read, askRead: read, denyRun: [any("/usr/bin/x"), ...run] });
    const { rules, schemaText: schema } = compilePolicy({ authority, manifests: MANIFESTS });
    expect(rules.length).toBeGreaterThan(500);
    expect(telling(rules, schema).length).toBeLessThan(20);
    // Where a schema lists identifiers, no identifier is as good as any other.
    expect(telling(rules, `${schema}entity Mode enum ["a"];`)).toHaveLength(rules.length);
  });

  it("is found as quickly as the text is read, whatever it is", () => {
    const many = 50_000;
    for (const part of ["[1],", "([(", "[", '["a"],', '"', "\\", '"\\', '["a", ', "]", "$0"]) {
      const rule = `permit (principal, action, resource) when { [${part.repeat(many)}] };`;
      expect(ruleShape(rule) === ruleShape(`${rule} `)).toBe(ruleShape(rule) === null);
    }
  });

  it("lets no rule in that is not valid, behind any number of those that are", async () => {
    const good = (index: number) => `permit (principal, action == Action::"fs_read", resource in Path::"/${index}");`;
    const bad = [
      'permit (principal, action == Action::"fs_raed", resource in Path::"/1");',
      'permit (principal, action == Action::"fs_read", resource in Path::"/\\u{110000}");',
      'permit (principal, action == Action::"fs_read", resource in Path::$0);',
      'permit (principal, action == Action::"fs_read", resource in Path::"/1") when { context["size"] == "1" };',
    ];
    const engine = await createPolicyEngine();
    for (const text of bad) {
      const texts = [...Array.from({ length: 20 }, (_, index) => good(index)), text];
      const policy = handwritten(Object.fromEntries(texts.map((one, index) => [`r${index}`, one])));
      expect(() => engine.activate(policy)).toThrowError(expect.objectContaining({ code: "FEMTO_POLICY_INVALID" }));
      expect(engine.revision).toBeNull();
    }
  });
});
