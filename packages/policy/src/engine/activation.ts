/**
 * Loads a compiled policy into an engine instance: validates it strictly, preparses it, and asks about each action
 * once.
 */
import type { CheckParseAnswer, PolicySet } from "@cedar-policy/cedar-wasm/web";
import { CONNECT_ACTION, type FactQuestion, FemtoError, type HostQuestion, mcpCapability } from "@femtoclaw/protocol";
import { type EnforceablePolicy, policyRevision } from "../compile.ts";
import { messages, verdictOf } from "../decisions/decision.ts";
import { NO_HISTORY } from "../decisions/history-context.ts";
import { authorizationCall, type RequestTarget } from "../decisions/request.ts";
import type { ResourceType } from "../schema.ts";
import type { Cedar } from "./cedar-instance.ts";
import { RuleSet, type RuleText } from "./rule-set.ts";
import { telling } from "./rule-shape.ts";

/** Preparsed sets can be replaced but never freed, so there are two names instead of one per revision. */
export type Slot = "A" | "B";

/** A policy in its slot. The rules are copied, so that the code that compiled them can no longer change them. */
export interface Candidate extends RequestTarget {
  readonly slot: Slot;
  readonly revision: string;
  readonly schema: string;
  readonly actions: EnforceablePolicy["actions"];
  readonly rules: readonly RuleText[];
  /** All rules in the form in which the engine has them. */
  readonly set: RuleSet;
  /** The rules that ask, each with the number of operators it asks. */
  readonly approvers: ReadonlyMap<string, number>;
}

export function candidateOf(policy: EnforceablePolicy, slot: Slot): Candidate {
  if (policyRevision(policy.engine, policy.schemaText, policy.rules) !== policy.revision) {
    throw invalid("the revision does not name these rules");
  }
  return {
    slot,
    revision: policy.revision,
    schema: policy.schemaText,
    actions: [...policy.actions],
    rules: policy.rules.map(({ id, text }) => ({ id, text })),
    set: new RuleSet(policy.rules),
    namedPaths: new Set(policy.namedPaths),
    approvers: new Map(policy.rules.flatMap(({ id, approvers }) => (approvers === undefined ? [] : [[id, approvers]]))),
  };
}

function policySet(rules: readonly RuleText[]): PolicySet {
  return { staticPolicies: Object.fromEntries(rules.map(({ id, text }) => [id, text])) };
}

/**
 * Whether the engine sees both as the same text. A revision does not cover the order of its rules, but the engine names
 * rules by their order.
 */
export function isSameText(one: Candidate, other: Candidate): boolean {
  const ids = ({ rules }: Candidate): string => JSON.stringify(rules.map(({ id }) => id));
  return one.schema === other.schema && one.set.text === other.set.text && ids(one) === ids(other);
}

/**
 * Checks that the candidate may be put in force: it is valid, each rule is exactly one rule, and each action gets a
 * real decision. Throws FEMTO_POLICY_INVALID on any finding; any other exception is a trap of the engine.
 *
 * INVARIANT: I3: a candidate counts as judged before only under the very same revision, which names engine, schema and
 * every rule. It still has to answer real decisions; a rule that errs in a later one denies, as every error does.
 */
export function judge(cedar: Cedar, candidate: Candidate): void {
  const { slot, schema, rules, actions } = candidate;
  const few = policySet(telling(rules, schema));
  validate(cedar, schema, few);
  // INVARIANT: if the engine takes each of these texts for exactly one rule, it does so with all texts of the same
  // shape.
  const name = `${slot}/telling`;
  prepared(cedar.preparsePolicySet(name, few));
  // One rule speaks for all of its shape: an error that none of these rules causes occurs in no decision.
  for (const action of actions) smoke(cedar, candidate, action, name);
}

/** Asks all rules about one action of each kind, including rules that were judged before. */
export function askKinds(cedar: Cedar, candidate: Candidate): void {
  for (const [first] of Map.groupBy(candidate.actions, ({ resource }) => resource).values()) {
    if (first !== undefined) smoke(cedar, candidate, first, candidate.slot);
  }
}

function validate(cedar: Cedar, schema: string, policies: PolicySet): void {
  const answer = cedar.validate({ validationSettings: { mode: "strict" }, schema, policies });
  if (answer.type !== "success") throw invalid(messages(answer.errors));
  const findings = [
    ...[...answer.validationErrors, ...answer.validationWarnings].map(({ error }) => error),
    ...answer.otherWarnings,
  ].filter(({ message }) => !LOOK_ALIKE.test(message));
  if (findings.length > 0) throw invalid(messages(findings));
}

/**
 * The engine warns of strings that a reader could mistake for others, which real file names often are. Compiled rules
 * are escaped to ASCII, where nothing looks like anything else. All other warnings are errors.
 */
export const LOOK_ALIKE =
  /(?:contains mixed scripts|contains BIDI control characters|falls outside of the General Security Profile for Identifiers)$/;

/** Gives schema and rules to the engine. Whether they may decide is not judged here. */
export function preparse(cedar: Cedar, { slot, schema, set }: Candidate): void {
  prepared(cedar.preparseSchema(slot, schema));
  prepared(cedar.preparsePolicySet(slot, { staticPolicies: set.text }));
}

function prepared(answer: CheckParseAnswer): void {
  if (answer.type !== "success") throw invalid(messages(answer.errors));
}

/**
 * Makes one real decision. Some faults show only at evaluation, and the first call also makes V8 compile the engine's
 * code.
 */
function smoke(
  cedar: Cedar,
  candidate: Candidate,
  { name, resource }: Candidate["actions"][number],
  preparsedPolicySetId: string,
): void {
  const question = name === CONNECT_ACTION ? CONNECTION : askedOf(QUESTIONS[resource], name);
  // If no rule asks, the engine never hears about a yes.
  for (const approved of candidate.approvers.size > 0 ? [false, true] : [false]) {
    const asked = { principal: "smoke", capability: name, question, history: NO_HISTORY, approved };
    const request = authorizationCall(asked, candidate);
    if (!request.ok) throw invalid(`${name}: ${request.fault}`);
    const { fault } = verdictOf(cedar.statefulIsAuthorized({ ...request.call, preparsedPolicySetId }), name);
    if (fault !== null) throw invalid(`${name}: ${fault}`);
  }
}

const REQUEST: HostQuestion = {
  kind: "host",
  scheme: "https",
  host: "smoke.example",
  port: 443,
  addresses: ["192.0.2.1"],
  network: "public",
  method: "GET",
  path: "/",
  headers: ["accept"],
  injects: [],
  bytes: 0,
  hop: 0,
};

const CONNECTION: HostQuestion = { ...REQUEST, scheme: "tunnel", program: "/smoke", real_path: "/smoke" };
/** The action of an MCP tool follows from the question. */
function askedOf(question: FactQuestion, action: string): FactQuestion {
  return question.kind === "mcp_tool" ? { ...question, server: action.slice(mcpCapability("").length) } : question;
}

const QUESTIONS: Readonly<Record<ResourceType, FactQuestion>> = {
  Path: { kind: "path", path: "/smoke", exists: true, type: "file", bytes: 1 },
  Program: {
    kind: "program",
    program: "/smoke",
    real_path: "/smoke",
    device: "0",
    inode: "0",
    sha256: "0".repeat(64),
    word: "smoke",
    arguments: 2,
    flags: ["--smoke"],
    environment: ["SMOKE"],
    cwd: "/",
  },
  Host: REQUEST,
  McpTool: {
    kind: "mcp_tool",
    server: "smoke",
    tool: "smoke",
    definition: "0".repeat(64),
    destructive: true,
    arguments: ["smoke"],
    values: ['smoke="smoke"'],
    opaque: [],
  },
  Tool: { kind: "tool" },
};

export function invalid(message: string): FemtoError {
  return new FemtoError("FEMTO_POLICY_INVALID", message);
}
