/** Loading a compiled policy into an instance: validate strictly, project, preparse, and ask each action once. */
import type { DetailedError, StaticPolicySet } from "@cedar-policy/cedar-wasm/web";
import type { FactQuestion } from "@femtoclaw/protocol";
import type { Cedar } from "./cedar-instance.ts";
import { type CompiledPolicy, policyRevision } from "./compile.ts";
import { messages } from "./decision.ts";
import { evaluate, prepare } from "./evaluation.ts";
import { invalid } from "./policy-invalid.ts";
import { type ProjectedPolicy, projectPolicy } from "./projection/projected-policy.ts";
import { RuleSet, type RuleText } from "./rule-set.ts";
import type { PolicyAction, ResourceType } from "./schema.ts";

/** Preparsed sets can be replaced but never freed, so their names begin with one of two and not with the revision. */
export type Slot = "A" | "B";

/** A policy in its slot. The rules are copied, so that whoever compiled them cannot change them any more. */
export interface Candidate {
  readonly slot: Slot;
  readonly revision: string;
  readonly schema: string;
  readonly actions: readonly PolicyAction[];
  readonly rules: readonly RuleText[];
  /** Rules that ask, and how many operators each. */
  readonly approvers: ReadonlyMap<string, number>;
}

/** A candidate that was checked, ready to decide. */
export interface LoadedPolicy extends Candidate {
  readonly projected: ProjectedPolicy;
}

export function candidateOf(policy: CompiledPolicy, slot: Slot): Candidate {
  if (policyRevision(policy.engine, policy.schemaText, policy.rules) !== policy.revision) {
    throw invalid("the revision does not name these rules");
  }
  return {
    slot,
    revision: policy.revision,
    schema: policy.schemaText,
    actions: [...policy.actions],
    rules: policy.rules.map(({ id, text }) => ({ id, text })),
    approvers: new Map(policy.rules.flatMap(({ id, approvers }) => (approvers === undefined ? [] : [[id, approvers]]))),
  };
}

/** Throws FEMTO_POLICY_INVALID on any finding; anything else that it throws is a trap of the engine. */
export function loadCandidate(cedar: Cedar, candidate: Candidate): LoadedPolicy {
  const { slot, schema, rules } = candidate;
  const projected = projectPolicy(cedar, slot, schema, rules);
  if (validate(cedar, schema, new RuleSet(rules).text).length > 0) {
    // Asked again with the rules one by one, the engine names them in what it finds.
    const named = Object.fromEntries(rules.map(({ id, text }) => [id, text]));
    throw invalid(messages(validate(cedar, schema, named)));
  }
  const loaded = { ...candidate, projected };
  preparse(cedar, loaded);
  for (const action of candidate.actions) smoke(cedar, loaded, action);
  return loaded;
}

/** What the engine finds wrong with the rules; its warnings are errors here, except one. */
function validate(cedar: Cedar, schema: string, staticPolicies: StaticPolicySet): DetailedError[] {
  const answer = cedar.validate({ validationSettings: { mode: "strict" }, schema, policies: { staticPolicies } });
  if (answer.type !== "success") return answer.errors;
  const found = [...answer.validationErrors, ...answer.validationWarnings].map(({ error }) => error);
  return [...found, ...answer.otherWarnings].filter(({ message }) => !LOOK_ALIKE.test(message));
}

/**
 * The engine warns of strings that a reader could mistake for others, which real file names often are.
 * Compiled rules are escaped to ASCII, where nothing looks like anything else; all other warnings are errors.
 */
const LOOK_ALIKE =
  /(?:contains mixed scripts|contains BIDI control characters|falls outside of the General Security Profile for Identifiers)$/;

export function preparse(cedar: Cedar, { projected }: LoadedPolicy): void {
  const answers = [
    cedar.preparseSchema(projected.schemaName, projected.schema),
    ...projected.sets.map(({ name, rules }) => cedar.preparsePolicySet(name, { staticPolicies: rules.text })),
  ];
  for (const answer of answers) if (answer.type !== "success") throw invalid(messages(answer.errors));
}

/** One real decision: some faults show at evaluation only, and the first call also compiles the engine's code. */
function smoke(cedar: Cedar, { projected }: LoadedPolicy, { name, resource }: PolicyAction): void {
  for (const approved of [false, true]) {
    const asked = { principal: "smoke", capability: name, question: QUESTIONS[resource], approved };
    const prepared = prepare(asked, projected);
    const { fault } = prepared.ok ? evaluate(cedar, prepared) : prepared;
    if (fault !== null) throw invalid(`${name}: ${fault}`);
  }
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
  Tool: { kind: "tool" },
};
