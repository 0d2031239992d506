/** Random rules in the whole of the language that the vocabulary of facts leaves, and random questions for them. */
import type { FactQuestion } from "@femtoclaw/protocol";
import fc from "fast-check";
import type { DecisionRequest } from "../../src/decisions/request.ts";
import { NO_HISTORY } from "../../src/index.ts";
import { pathFacts, programFacts } from "../policy-fixture.ts";

const PATHS = ["/", "/a", "/a/b", "/a/b/c", "/ab", "/-", "/a/b c"];
const PROGRAMS = ["/usr/bin/one", "/usr/bin/two", "/-"];
const PRINCIPALS = ["s", "a", "", "-", "--", 'q"'];

const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`;
const oneOf = (...texts: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...texts);
const agent = fc.constantFrom(...PRINCIPALS).map((id) => `Agent::${quoted(id)}`);
const path = fc.constantFrom(...PATHS).map((id) => `Path::${quoted(id)}`);
const program = fc.constantFrom(...PROGRAMS).map((id) => `Program::${quoted(id)}`);
const list = (element: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(element, { minLength: 1, maxLength: 3 }).map((elements) => `[${elements.join(", ")}]`);
const small = fc.integer({ min: 0, max: 4 }).map(String);

/** Truths that hold their entity in every way the language has: compared, in sets, in records, chosen. */
const about = (name: "principal" | "resource", entity: fc.Arbitrary<string>): fc.Arbitrary<string>[] => [
  fc.tuple(oneOf("==", "!=", "in"), entity).map(([operator, other]) => `${name} ${operator} ${other}`),
  fc.tuple(oneOf("==", "!="), entity).map(([operator, other]) => `${other} ${operator} ${name}`),
  list(entity).map((others) => `${name} in ${others}`),
  list(entity).map((others) => `${others}.contains(${name})`),
  list(entity).map((others) => `[${name}].containsAny(${others})`),
  entity.map((other) => `{ member: ${name} }.member == ${other}`),
  entity.map((other) => `${other} in ${name}`),
  entity.map((other) => `(if context.approved then ${name} else ${other}) == ${other}`),
  entity.map((other) => `(if context.approved then ${other} else ${name}) in ${other}`),
];

const ANY = [
  oneOf("context.approved", "true", "(if context.approved then context else context).approved"),
  oneOf(
    "{ it: context }.it.approved",
    'action == Action::"fs_read"',
    'action in [Action::"fs_read", Action::"fs_list"]',
  ),
  ...about("principal", agent),
];

const ON_PATHS = [
  ...ANY,
  ...about("resource", path),
  path.map((other) => `resource is Path in ${other}`),
  oneOf(
    "context.exists",
    '["file", "missing"].contains(context.type)',
    'context.type like "f*"',
    'context["type"] != "file"',
  ),
  fc.tuple(oneOf("==", "<", "<=", ">", ">="), small).map(([operator, bytes]) => `context.bytes ${operator} ${bytes}`),
  // This one is an error for two bytes and more, and an error of any rule denies.
  oneOf("context.bytes * 4611686018427387904 > 10", "-context.bytes + 1 < 0", "context.bytes - 3 == 0"),
  oneOf('context == { exists: true, type: "file", bytes: 0, approved: false }', "context has bytes"),
];

const ON_PROGRAMS = [
  ...ANY,
  ...about("resource", program),
  oneOf(
    "context has word",
    '(context has word && context.word == "status")',
    '(context has word && context["word"] like "*\\**")',
  ),
  oneOf('(if context has word then context.word else "none") == "none"', "context.arguments > 1"),
  oneOf('["-a", "-b"].containsAll(context.flags)', 'context.flags.contains("-a")', "context.flags.isEmpty()"),
  oneOf(
    'context.flags == ["-a"]',
    'context.environment.containsAny(["LANG", "TZ"])',
    "context.device == context.inode",
  ),
  oneOf('context.cwd like "/ws*"', 'context.real_path != "/usr/bin/one"', "context.sha256 == context.real_path"),
];

function condition(truths: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc.letrec<{ readonly truth: string }>((tie) => ({
    truth: fc.oneof(
      { maxDepth: 3 },
      { weight: 4, arbitrary: fc.oneof(...truths) },
      { weight: 1, arbitrary: tie("truth").map((truth) => `!(${truth})`) },
      { weight: 2, arbitrary: fc.tuple(tie("truth"), tie("truth")).map(([one, two]) => `(${one} && ${two})`) },
      { weight: 2, arbitrary: fc.tuple(tie("truth"), tie("truth")).map(([one, two]) => `(${one} || ${two})`) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(tie("truth"), tie("truth"), tie("truth"))
          .map(([one, two, three]) => `(if ${one} then ${two} else ${three})`),
      },
    ),
  })).truth;
}

const scope = (name: string, type: string, entity: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant(name) },
    fc.tuple(oneOf("==", "in"), entity).map(([operator, other]) => `${name} ${operator} ${other}`),
    fc.constant(`${name} is ${type}`),
    entity.map((other) => `${name} is ${type} in ${other}`),
  );

function ruleOf(
  action: fc.Arbitrary<string>,
  resource: fc.Arbitrary<string>,
  truths: readonly fc.Arbitrary<string>[],
): fc.Arbitrary<string> {
  const clause = fc.tuple(oneOf("when", "unless"), condition(truths)).map(([kind, truth]) => `${kind} { ${truth} }`);
  return fc
    .tuple(
      oneOf("permit", "permit", "forbid"),
      scope("principal", "Agent", agent),
      action,
      resource,
      fc.array(clause, { maxLength: 2 }),
      oneOf("", " // a comment"),
    )
    .map(
      ([effect, who, what, which, clauses, end]) => `${effect} (${who}, ${what}, ${which}) ${clauses.join(" ")};${end}`,
    );
}

const onPaths = oneOf(
  'action == Action::"fs_read"',
  'action in Action::"fs_list"',
  'action in [Action::"fs_read", Action::"fs_write"]',
  'action in [Action::"fs_read", Action::"fs_list", Action::"fs_write"]',
);

export const RULE: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: ruleOf(onPaths, scope("resource", "Path", path), ON_PATHS) },
  {
    weight: 2,
    arbitrary: ruleOf(oneOf('action == Action::"process_exec"'), scope("resource", "Program", program), ON_PROGRAMS),
  },
  { weight: 1, arbitrary: ruleOf(oneOf("action"), oneOf("resource"), ANY) },
);

const pathQuestion: fc.Arbitrary<FactQuestion> = fc
  .record({
    at: fc.constantFrom(...PATHS, "/a/b/c/d", "/a/x", "/other"),
    exists: fc.boolean(),
    type: fc.constantFrom("file" as const, "missing" as const),
    bytes: fc.integer({ min: 0, max: 4 }),
  })
  .map(({ at, ...facts }) => pathFacts(at, facts));

const programQuestion: fc.Arbitrary<FactQuestion> = fc
  .record({
    at: fc.constantFrom(...PROGRAMS, "/usr/bin/three"),
    argv: fc.array(oneOf("status", "-a", "-b", "st*tus", "none"), { maxLength: 3 }),
    real_path: fc.constantFrom(...PROGRAMS),
    environment: fc.uniqueArray(oneOf("LANG", "TZ", "X")),
    cwd: fc.constantFrom("/ws", "/ws/a", "/other"),
    inode: fc.constantFrom("1", "2"),
  })
  .map(({ at, argv, ...facts }) => programFacts(at, argv, facts));

export const REQUEST: fc.Arbitrary<DecisionRequest> = fc
  .tuple(
    fc.constantFrom(...PRINCIPALS),
    fc.oneof(
      fc.tuple(fc.constantFrom("fs_read", "fs_list", "fs_write"), pathQuestion),
      fc.tuple(fc.constant("process_exec"), programQuestion),
      fc.tuple(fc.constant("clock_now"), fc.constant<FactQuestion>({ kind: "tool" })),
      // A question about another kind of resource is no question for this action.
      fc.tuple(fc.constantFrom("fs_read", "fs_raed"), programQuestion),
    ),
    fc.boolean(),
  )
  .map(([principal, [capability, question], approved]) => ({
    principal,
    capability,
    question,
    history: NO_HISTORY,
    approved,
  }));
