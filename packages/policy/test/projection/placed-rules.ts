/**
 * Random rules that have a place, seem to have one, or would have one but for what stands before it; and questions at, below
 * and beside these places. Not all of these rules are valid: what is asked of them has to be the same all the same.
 */
import type { CapabilityManifest, FactQuestion, McpToolQuestion } from "@femtoclaw/protocol";
import { CONNECT_ACTION } from "@femtoclaw/protocol";
import fc from "fast-check";
import type { DecisionRequest } from "../../src/decisions/request.ts";
import { NO_HISTORY } from "../../src/index.ts";
import { FS_READ, FS_WRITE, hostFacts, PROCESS_EXEC, pathFacts, programFacts } from "../policy-fixture.ts";

const manifest = (name: string, declared: CapabilityManifest["arguments"]): CapabilityManifest => ({
  ...FS_READ,
  name,
  arguments: declared,
});
/** With these a policy knows every type of resource that has places. */
export const PLACED_MANIFESTS: readonly CapabilityManifest[] = [
  FS_READ,
  FS_WRITE,
  PROCESS_EXEC,
  manifest("net_fetch", [{ pointer: "/url", kind: "host" }]),
  manifest("mcp_git", [{ pointer: "", kind: "mcp_tool", server: "git" }]),
];

const PATHS = ["/", "/a", "/a/b", "/a/b/c", "/a-", "/a-/b", "/ab", "/b", "/b/c", "/a/", "a"];
const PROGRAMS = ["/p", "/q", '/p","w', ""];
const WORDS = ["w", "v", "", 'w","v'];
const HOSTS = ["a.test", "b.test", "b.a.test"];
const TOOLS = ["git__log", "git__push", "git__"];

const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`;
const text = (texts: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...texts).map(quoted);
const oneOf = (...texts: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...texts);

const overflow = oneOf("context.session.calls * 4611686018427387904 > 10");
const anything = [
  overflow,
  oneOf("context.approved", "!context.approved", "context.session.has_read_secret", "true", "false"),
  oneOf('principal == Agent::"s"', 'principal != Agent::"s"'),
];
const word = [
  { weight: 4, arbitrary: text(WORDS).map((one) => `context has word && context.word == ${one}`) },
  { weight: 2, arbitrary: text(WORDS).map((one) => `(context has word && context.word == ${one})`) },
  // Errs where there is no word.
  { weight: 1, arbitrary: text(WORDS).map((one) => `context.word == ${one}`) },
  { weight: 1, arbitrary: text(WORDS).map((one) => `!(context has word) || context.word == ${one}`) },
  { weight: 2, arbitrary: text(PROGRAMS).map((one) => `context.real_path == ${one}`) },
];
const host = [
  { weight: 4, arbitrary: text(HOSTS).map((one) => `context.host == ${one}`) },
  { weight: 1, arbitrary: text(HOSTS).map((one) => `${one} == context.host`) },
  { weight: 1, arbitrary: text(HOSTS).map((one) => `context.host == ${one} || context.port == 80`) },
  { weight: 1, arbitrary: oneOf('context.host like "*.test"', 'context.host != "a.test"', "context.port == 443") },
  { weight: 1, arbitrary: text(PROGRAMS).map((one) => `context has program && context.program == ${one}`) },
];

type Weighted = readonly { readonly weight: number; readonly arbitrary: fc.Arbitrary<string> }[];

/** Terms in a row, from the left or from the right, in one clause or two. */
function clauses(own: Weighted): fc.Arbitrary<string> {
  const other = anything.map((arbitrary) => ({ weight: 1, arbitrary }));
  const terms = fc.array(fc.oneof(...own, ...other), { minLength: 1, maxLength: 3 });
  const joined = fc
    .tuple(terms, fc.boolean())
    .map(([all, fromRight]) =>
      fromRight
        ? all.reduceRight((right, left) => `(${left}) && (${right})`)
        : all.map((one) => `(${one})`).join(" && "),
    );
  const plain = terms.map((all) => all.filter((one) => !one.includes("||")).join(" && ") || "true");
  const clause = fc
    .tuple(oneOf("when", "when", "unless"), fc.oneof(joined, plain))
    .map(([kind, condition]) => `${kind} { ${condition} }`);
  return fc.array(clause, { maxLength: 2 }).map((all) => all.join(" "));
}

function rule(actions: readonly string[], type: string, ids: readonly string[], own: Weighted): fc.Arbitrary<string> {
  const entity = text(ids).map((id) => `${type}::${id}`);
  const resource = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(oneOf("==", "in", "in"), entity).map(([how, one]) => `resource ${how} ${one}`) },
    { weight: 1, arbitrary: entity.map((one) => `resource is ${type} in ${one}`) },
    { weight: 1, arbitrary: oneOf("resource", `resource is ${type}`) },
  );
  const action = oneOf(
    ...actions.map((name) => `action == Action::${quoted(name)}`),
    `action in [${actions.map((name) => `Action::${quoted(name)}`).join(", ")}]`,
    // A rule about any action reads no fact of one: on all others it would err.
    ...(own.length === 0 ? ["action"] : []),
  );
  const who = oneOf("principal", "principal", 'principal == Agent::"s"');
  return fc
    .tuple(oneOf("permit", "permit", "forbid"), who, action, resource, clauses(own))
    .map(
      ([effect, principal, what, which, conditions]) => `${effect} (${principal}, ${what}, ${which}) ${conditions};`,
    );
}

export const PLACED_RULE: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: rule(["fs_read", "fs_write"], "Path", PATHS, []) },
  { weight: 3, arbitrary: rule(["process_exec"], "Program", PROGRAMS, word) },
  { weight: 2, arbitrary: rule(["net_fetch", CONNECT_ACTION], "Host", ["a.test:443"], host) },
  { weight: 1, arbitrary: rule(["mcp_git"], "McpTool", TOOLS, []) },
);

const pathQuestion = fc
  .constantFrom("/", "/a", "/a/b", "/a/b/c", "/a/b/c/d", "/a-/b", "/ab", "/b/x", "/c")
  .map((at) => pathFacts(at));
const programQuestion = fc
  .tuple(
    fc.constantFrom("/p", "/q", '/p","w', "/r"),
    fc.constantFrom("w", "v", 'w","v', "-w", null),
    fc.constantFrom("/p", "/q"),
  )
  .map(([program, first, real_path]) => programFacts(program, first === null ? [] : [first], { real_path }));
const hostQuestion = fc.tuple(fc.constantFrom(...HOSTS, "c.test"), fc.constantFrom(80, 443));
const toolQuestion = (tool: string): McpToolQuestion => ({
  kind: "mcp_tool",
  server: "git",
  tool,
  definition: "a".repeat(64),
  destructive: false,
  arguments: [],
  values: [],
  opaque: [],
});

type Asked = readonly [capability: string, question: FactQuestion];
const asked: fc.Arbitrary<Asked> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom("fs_read", "fs_write"), pathQuestion) },
  { weight: 3, arbitrary: programQuestion.map((question): Asked => ["process_exec", question]) },
  { weight: 1, arbitrary: hostQuestion.map(([at, port]): Asked => ["net_fetch", hostFacts(at, port)]) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(hostQuestion, fc.constantFrom("/p", "/q"))
      .map(
        ([[at, port], program]): Asked => [
          CONNECT_ACTION,
          { ...hostFacts(at, port), scheme: "tunnel", program, real_path: program },
        ],
      ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("log", "push", "other").map((tool): Asked => [`git__${tool}`, toolQuestion(tool)]),
  },
);

export const PLACED_REQUEST: fc.Arbitrary<DecisionRequest> = fc
  .record({ principal: fc.constantFrom("s", "t"), asked, calls: fc.constantFrom(0, 0, 3), approved: fc.boolean() })
  .map(({ principal, asked: [capability, question], calls, approved }) => ({
    principal,
    capability,
    question,
    approved,
    history: { ...NO_HISTORY, calls },
  }));
