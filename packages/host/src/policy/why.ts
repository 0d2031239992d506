/** A past decision, made again under the policy of that time and explained to a person who may change the policy. */
import { dirname } from "node:path";
import { type Explanation, PolicyReader } from "@femtoclaw/policy";
import {
  errorText,
  type FactQuestion,
  FemtoError,
  type PolicyActivatedBody,
  type RecordedDecision,
  type ShadowVerdict,
  type ToldRecord,
} from "@femtoclaw/protocol";
import {
  AS_RECORDED,
  askerOf,
  type Judgement,
  ON_TRIAL,
  type RecordedCall,
  RecordedJudge,
  RecordedPolicies,
  RecordedTrialJudge,
  recordedCall,
  toolOf,
  trialBody,
} from "@femtoclaw/runtime/redecide";
import type { CommandContext } from "../commands/command-context.ts";
import { grantLine } from "../configuration/grant-text.ts";
import { isExamined, PresentPolicy } from "./present-policy.ts";

export interface ExplainedQuestion {
  readonly question: FactQuestion;
  readonly explanation: Explanation;
}

/** What was found out about one decision. All of it is JSON. */
export interface Why {
  readonly seq: number;
  readonly execution_id: string | null;
  readonly at: string;
  readonly principal: string | null;
  readonly tool: string | null;
  /** Arguments of a permitted call, or the beginning of the message of a refused one. */
  readonly request: unknown;
  readonly event: string;
  readonly decision: "allowed" | "asks" | "denied" | "not-decided";
  readonly code: string | null;
  readonly revision: string | null;
  readonly rules: readonly WhyRule[];
  /** What the agent was told; null if the call was permitted. */
  readonly told: { readonly reason: string; readonly fix: string } | null;
  readonly questions: readonly ExplainedQuestion[];
  /** `same` if the recorded policy again decides as recorded; otherwise what it decides, or why it cannot be asked. */
  readonly again: string | null;
  /** What the present configuration says about the call; null if there is no configuration or nothing to decide. */
  readonly now: Judgement | null;
  readonly remedy: WhyRemedy | null;
  /** What the rules on trial said about it, without deciding anything; null if there were none. */
  readonly shadow: WhyShadow | null;
}

export interface WhyShadow {
  readonly revision: string;
  readonly verdict: ShadowVerdict["verdict"];
  readonly code: string | null;
  readonly rules: readonly WhyRule[];
  /** Whether the call would have ended differently; null if that is unknown. */
  readonly differs: boolean | null;
  /** Like `again` above, for the rules on trial. */
  readonly again: string;
}

export interface WhyRule {
  readonly id: string;
  readonly source: string | null;
  readonly reason: string | null;
  readonly fix: string | null;
  readonly text: string | null;
}

export interface WhyRemedy {
  readonly grants: readonly { readonly line: string; readonly note: string | null; readonly dangerous: boolean }[];
  readonly obstacles: readonly string[];
}

export async function explainDecision(
  context: CommandContext,
  { record, policy, trial = null }: RecordedDecision,
): Promise<Why> {
  const call = recordedCall(record);
  const present = await presentPolicy(context);
  const recorded = await recordedSide(call, policy, present?.compiled.schemaText ?? "");
  const nearest = recorded.questions.flatMap(({ explanation }) => explanation.nearest?.rule ?? []);
  return {
    seq: record.seq,
    execution_id: record.execution,
    at: record.at,
    principal: record.actor?.principal ?? null,
    tool: toolOf(record),
    revision: record.body.revision,
    ...endOf(record),
    decision: call === null || call.verdict.kind === "undecidable" ? "not-decided" : call.verdict.kind,
    rules: [...new Set([...record.body.rules, ...recorded.forbidding, ...nearest])].map((id) => ruleOf(id, policy)),
    questions: recorded.questions,
    again: recorded.again,
    ...(await presentSide(call, present)),
    shadow: await shadowSide(record, trial, present?.compiled.schemaText ?? ""),
  };
}

async function shadowSide(
  record: ToldRecord,
  trial: PolicyActivatedBody | null,
  currentSchema: string,
): Promise<WhyShadow | null> {
  const shadow = "shadow" in record.body ? record.body.shadow : undefined;
  if (shadow === undefined) return null;
  const { revision, verdict, code, rules } = shadow;
  const call = recordedCall(record);
  const said = { revision, verdict, code };
  const onTrial = trial === null ? null : trialBody(trial);
  const named = rules.map((id) => ruleOf(id, onTrial));
  if (call === null) return { ...said, rules: named, differs: null, again: "the call did not end by a decision" };
  const judge = await RecordedTrialJudge.open(currentSchema);
  if (trial !== null) judge.met(trial);
  const isKnown = verdict !== "undecided" && call.verdict.kind !== "undecidable";
  return {
    ...said,
    rules: named,
    differs: isKnown ? verdict !== call.verdict.kind : null,
    again: againText(await ON_TRIAL.judge(call), await judge.judge(call)),
  };
}

function endOf(record: ToldRecord): Pick<Why, "request" | "event" | "code" | "told"> {
  switch (record.type) {
    case "execution.intent":
      return { request: record.body.args, event: "permitted", code: null, told: null };
    case "approval.asked":
      return { request: record.body.args, event: "asked", code: "FEMTO_APPROVAL_REQUIRED", told: null };
    case "execution.refused": {
      const { request, event, error } = record.body;
      return { request: request.head, event, code: error.code, told: { reason: error.reason, fix: error.fix } };
    }
    case "execution.hop": {
      const { location, allowed, reason } = record.body;
      return { request: { location }, event: allowed ? "permitted" : (reason ?? "denied"), code: null, told: null };
    }
  }
}

/** The configuration may have changed or be gone by now. The past decision is explained all the same. */
async function presentPolicy(context: CommandContext): Promise<PresentPolicy | null> {
  try {
    return await PresentPolicy.of(context.load());
  } catch (error) {
    if (error instanceof FemtoError) context.output.talk(`the present configuration cannot be asked: ${error.message}`);
    else throw error;
    return null;
  }
}

interface RecordedSide {
  readonly questions: readonly ExplainedQuestion[];
  readonly forbidding: readonly string[];
  readonly again: string | null;
}

async function recordedSide(
  call: RecordedCall | null,
  policy: PolicyActivatedBody | null,
  currentSchema: string,
): Promise<RecordedSide> {
  if (call === null) return { questions: [], forbidding: [], again: null };
  const judge = await RecordedJudge.open(currentSchema);
  if (policy !== null) judge.met(policy);
  const again = againText(await AS_RECORDED.judge(call), await judge.judge(call));
  if (call.facts === null || policy === null) return { questions: [], forbidding: [], again };
  const reader = await PolicyReader.open();
  const policies = new RecordedPolicies(reader, currentSchema);
  policies.add(policy);
  const found = await policies.find(policy.revision);
  if ("obstacle" in found) return { questions: [], forbidding: [], again };
  try {
    const { facts, verdict } = call;
    // What a yes would have permitted is no reason why a call was denied.
    const approved = verdict.kind !== "asks";
    const questions: ExplainedQuestion[] = [];
    for (const question of facts.questions) {
      const explanation = await reader.explain(found.policy, { ...askerOf(call), question, approved });
      questions.push({ question, explanation });
    }
    return { questions, forbidding: questions.flatMap(({ explanation }) => explanation.forbidding), again };
  } catch (error) {
    return { questions: [], forbidding: [], again: errorText(error) };
  }
}

function againText(recorded: Judgement, again: Judgement): string {
  if (again.obstacle !== null) return again.obstacle;
  const isSame = JSON.stringify([recorded.kind, recorded.rules]) === JSON.stringify([again.kind, again.rules]);
  return isSame ? "same" : `${again.kind} by ${again.rules.join(", ") || "no rule"}`;
}

function ruleOf(id: string, policy: PolicyActivatedBody | null): WhyRule {
  const found = policy?.rules?.find((rule) => rule.id === id);
  const { source = null, reason = null, fix = null, text = null } = found ?? {};
  return { id, source, reason, fix, text };
}

async function presentSide(
  call: RecordedCall | null,
  present: PresentPolicy | null,
): Promise<Pick<Why, "now" | "remedy">> {
  if (call === null || present === null) return { now: null, remedy: null };
  const now = await (await present.judge()).judge(call);
  if (now.kind !== "denied" || !isExamined(call)) return { now, remedy: null };
  const { grants, obstacles } = await present.remedy(call);
  const { path, resolved } = present.loaded;
  const place = { directory: dirname(path), searchPath: resolved.authority.searchPath };
  return {
    now,
    remedy: {
      grants: grants.map((grant) => ({ line: grantLine(grant, place), note: grant.note, dangerous: grant.dangerous })),
      obstacles,
    },
  };
}
