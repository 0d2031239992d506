/** A call according to its record: what was decided on, and what was decided. Pure. */
import { type DecisionRequest, NO_HISTORY } from "@femtoclaw/policy";
import {
  CONNECT_ACTION,
  type DecidedRecord,
  type Facts,
  type Mark,
  mcpCapability,
  type ShadowVerdict,
  type ToldRecord,
  type TypedRecord,
} from "@femtoclaw/protocol";

/** What a policy says about a call. `undecidable` means that there is no answer; nothing is guessed. */
export interface Judgement {
  readonly kind: "allowed" | "asks" | "denied" | "undecidable";
  /** The error code of a denial or a question; null otherwise. */
  readonly code: string | null;
  /** Identifiers of the rules that decided. */
  readonly rules: readonly string[];
  /** Why the call cannot be decided; null otherwise. */
  readonly obstacle: string | null;
}

/** One call: who proposed it, what it was decided on, and what came out. */
export interface RecordedCall {
  /** Number of the decision's record. */
  readonly seq: number;
  readonly at: string;
  readonly execution: string;
  readonly session: string | null;
  readonly principal: string;
  readonly tool: string;
  /** Null if these facts cannot be decided on again. */
  readonly facts: Facts | null;
  /** The revision of the policy that decided; null if none did. */
  readonly revision: string | null;
  /** Whether operators had said yes to what policy asked about the call. */
  readonly approved: boolean;
  /** What was decided then. */
  readonly verdict: Judgement;
  /** The marks that the call put on its principal. */
  readonly marks: readonly Mark[];
  /** What the rules on trial said about the call; null if there were none. */
  readonly shadow: ShadowVerdict | null;
  /** Why there are no facts; null if there are. */
  readonly obstacle: string | null;
}

/** Whether the record says what was decided about a call, or why nothing was. */
export function isDecided(record: TypedRecord): record is DecidedRecord {
  return (["execution.intent", "execution.refused", "approval.asked"] as string[]).includes(record.type);
}

/**
 * The action that was decided on. The action of a connection is none that can be called, and only `net_fetch` is
 * redirected.
 */
export function toolOf({ type, body }: ToldRecord): string | null {
  if (type !== "execution.hop") return body.tool;
  const isConnection = body.facts?.questions.some(({ kind, ...facts }) => kind === "host" && "program" in facts);
  return isConnection === true ? CONNECT_ACTION : "net_fetch";
}

/**
 * Null if policy did not decide: the call ended before that, or by an answer of operators, or by the runtime itself.
 */
export function recordedCall(record: ToldRecord): RecordedCall | null {
  const { seq, at, execution, session, actor, body } = record;
  const verdict = verdictOf(record);
  const tool = toolOf(record);
  if (verdict === null || tool === null || execution === null || actor === null) return null;
  const obstacle = obstacleOf(record);
  return {
    seq,
    at,
    execution,
    session,
    principal: actor.principal,
    tool,
    revision: body.revision,
    facts: obstacle === null ? body.facts : null,
    verdict,
    obstacle,
    shadow: "shadow" in body ? (body.shadow ?? null) : null,
    marks: record.type === "execution.intent" ? (record.body.marks ?? []) : [],
    approved: record.type === "execution.intent" && record.body.approval !== undefined,
  };
}

function verdictOf(record: ToldRecord): Judgement | null {
  const { rules } = record.body;
  switch (record.type) {
    case "execution.intent":
      return { kind: "allowed", code: null, rules, obstacle: null };
    case "approval.asked":
      return notAllowed("FEMTO_APPROVAL_REQUIRED", rules);
    case "execution.refused": {
      const { event, error } = record.body;
      if (error.code === "FEMTO_POLICY_ERROR" && rules.length === 0)
        return undecidable("the decision engine failed then");
      return event === "denied" && POLICY_DENIALS.test(error.code) ? notAllowed(error.code, rules) : null;
    }
    case "execution.hop": {
      const { allowed, revision } = record.body;
      if (revision === null) return null;
      if (allowed) return { kind: "allowed", code: null, rules, obstacle: null };
      return notAllowed(rules.length === 0 ? "FEMTO_POLICY_NO_PERMIT" : "FEMTO_POLICY_FORBIDDEN", rules);
    }
  }
}

/** A call can also be denied because its question could not be asked, or was not answered in time. */
const POLICY_DENIALS = /^FEMTO_(?:POLICY|BUDGET)_/;

/** If a denial names no rule and is not for lack of a permit, the engine could not decide. Rules that err do deny. */
export function isPolicyWord(code: string, rules: readonly string[]): boolean {
  return rules.length > 0 || code === "FEMTO_POLICY_NO_PERMIT";
}

/** Who asked for what, in the form in which policy is asked, without the questions of the facts. */
export function askerOf({ principal, tool, facts }: RecordedCall): Omit<DecisionRequest, "question"> {
  // Records of older versions hold no history. That does not matter if no rule looks at it.
  return { principal, capability: tool, history: facts?.history ?? NO_HISTORY };
}

/** The name that is enabled and that rules name: for a tool of an MCP server, that of the server. */
export function capabilityOf({ tool, facts }: Pick<RecordedCall, "tool" | "facts">): string {
  const [question] = facts?.questions ?? [];
  return question?.kind === "mcp_tool" ? mcpCapability(question.server) : tool;
}

export function undecidable(obstacle: string): Judgement {
  return { kind: "undecidable", code: null, rules: [], obstacle };
}

/** A question is no denial: the call would be permitted if operators said yes. */
export function notAllowed(code: string, rules: readonly string[]): Judgement {
  return { kind: code === "FEMTO_APPROVAL_REQUIRED" ? "asks" : "denied", code, rules, obstacle: null };
}

function obstacleOf({ body, commitments, redactions }: ToldRecord): string | null {
  if (redactions?.some(({ path }) => path === "/facts" || path.startsWith("/facts/")) === true) {
    return "a secret was taken out of its facts";
  }
  if (body.facts !== null) return null;
  const isBeside = commitments?.some(({ path }) => path === "/facts") === true;
  return isBeside ? "its facts stood beside the record and are not there any more" : "the record has no facts";
}
