/** Loading a compiled policy into an instance: validate strictly, preparse, and ask each action once. */
import type { CheckParseAnswer, PolicySet } from "@cedar-policy/cedar-wasm/web";
import { CONNECT_ACTION, type FactQuestion, FemtoError, type HostQuestion, mcpCapability } from "@femtoclaw/protocol";
import type { Cedar } from "./cedar-instance.ts";
import { type EnforceablePolicy, policyRevision } from "./compile.ts";
import { messages, verdictOf } from "./decision.ts";
import { NO_HISTORY } from "./history-context.ts";
import { authorizationCall, type RequestTarget } from "./request.ts";
import { RuleSet, type RuleText } from "./rule-set.ts";
import { telling } from "./rule-shape.ts";
import type { ResourceType } from "./schema.ts";

/** Preparsed sets can be replaced but never freed, so there are two names and not one per revision. */
export type Slot = "A" | "B";

/** A policy in its slot. The rules are copied, so that whoever compiled them cannot change them any more. */
export interface Candidate extends RequestTarget {
  readonly slot: Slot;
  readonly revision: string;
  readonly schema: string;
  readonly actions: EnforceablePolicy["actions"];
  readonly rules: readonly RuleText[];
  /** All of them as the engine has them. */
  readonly set: RuleSet;
  /** Rules that ask, and how many operators each. */
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

/** Whether both are one text to the engine: a revision does not name the order of its rules, by which the engine calls them. */
export function isSameText(one: Candidate, other: Candidate): boolean {
  const ids = ({ rules }: Candidate): string => JSON.stringify(rules.map(({ id }) => id));
  return one.schema === other.schema && one.set.text === other.set.text && ids(one) === ids(other);
}

/**
 * Whether the candidate may be put in force: valid, each rule one whole rule, and a real decision for each action. Throws
 * FEMTO_POLICY_INVALID on any finding; anything else that it throws is a trap of the engine.
 *
 * INVARIANT: I3: a candidate counts as judged before only under the very same revision, which names engine, schema and
 * every rule. It still has to answer real decisions; a rule that errs at a later one denies, as every error does.
 */
export function judge(cedar: Cedar, candidate: Candidate): void {
  const { slot, schema, rules, actions } = candidate;
  const few = policySet(telling(rules, schema));
  validate(cedar, schema, few);
  // INVARIANT: the engine takes each of these texts for exactly one rule, so it does that with all texts of the same shape.
  const name = `${slot}/telling`;
  prepared(cedar.preparsePolicySet(name, few));
  // One rule speaks for all of its shape: what goes wrong with none of these goes wrong at no decision.
  for (const action of actions) smoke(cedar, candidate, action, name);
}

/** All rules are asked about one action of each kind, also those that were judged before. */
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
 * The engine warns of strings that a reader could mistake for others, which real file names often are.
 * Compiled rules are escaped to ASCII, where nothing looks like anything else; all other warnings are errors.
 */
export const LOOK_ALIKE =
  /(?:contains mixed scripts|contains BIDI control characters|falls outside of the General Security Profile for Identifiers)$/;

/** Gives the engine schema and rules. Whether they may decide is not judged here. */
export function preparse(cedar: Cedar, { slot, schema, set }: Candidate): void {
  prepared(cedar.preparseSchema(slot, schema));
  prepared(cedar.preparsePolicySet(slot, { staticPolicies: set.text }));
}

function prepared(answer: CheckParseAnswer): void {
  if (answer.type !== "success") throw invalid(messages(answer.errors));
}

/** One real decision: some faults show at evaluation only, and the first call also compiles the engine's code. */
function smoke(
  cedar: Cedar,
  candidate: Candidate,
  { name, resource }: Candidate["actions"][number],
  preparsedPolicySetId: string,
): void {
  const question = name === CONNECT_ACTION ? CONNECTION : askedOf(QUESTIONS[resource], name);
  // Where no rule asks, nobody's yes is ever told to the engine.
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
/** The action of a tool of an MCP server follows from the question. */
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
