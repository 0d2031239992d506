/**
 * Turns a fact question into a call of the engine. Values that no honest fact holds can trap or slow down the engine,
 * so they are refused here first. What the schema can refuse is left to the schema.
 */

import type { StatefulAuthorizationCall } from "@cedar-policy/cedar-wasm/web";
import { type FactQuestion, type HistoryFacts, mcpCapability, mcpToolName } from "@femtoclaw/protocol";
import type { ResourceType } from "../schema.ts";
import { ancestorsOrSelf, pathFault } from "../tables/canonical-path.ts";
import type { DecisionShare } from "./decision-share.ts";
import { historyContext } from "./history-context.ts";

/** One question about one call. */
export interface DecisionRequest {
  /** The session or agent that asks. */
  readonly principal: string;
  /** Exact name of the capability. */
  readonly capability: string;
  /** What the call would use, as trusted code found it. */
  readonly question: FactQuestion;
  /** What happened in the session before. */
  readonly history: HistoryFacts;
  /** Whether as many operators as were asked have said yes to this very call; absent if nobody was asked. */
  readonly approved?: boolean;
  /** Caches decisions for the session: a question that recurs is answered faster, and not differently. */
  readonly share?: DecisionShare;
}

/** Which preparsed set and schema answer, and which paths the rules name. */
export interface RequestTarget {
  readonly slot: string;
  readonly namedPaths: ReadonlySet<string>;
}

type RequestResult =
  | { readonly ok: true; readonly call: StatefulAuthorizationCall }
  | { readonly ok: false; readonly fault: string };

/** A request within all limits. Whether its facts match the schema has not been checked. */
export interface CheckedRequest {
  readonly principal: string;
  /** The capability as it was asked for, which is what the decision's reason names. */
  readonly capability: string;
  /** See `actionOf`. */
  readonly action: string;
  readonly resource: { readonly type: ResourceType; readonly id: string };
  /** The facts, and what the asker knows about the call besides them. */
  readonly context: Readonly<Record<string, unknown>>;
}

type CheckResult =
  | { readonly ok: true; readonly request: CheckedRequest }
  | { readonly ok: false; readonly fault: string };

/** LIMIT: characters of one fact; the kernel takes no longer argument (MAX_ARG_STRLEN). */
const FACT_CHARS = 131_072;
/** LIMIT: elements of one fact; large sets cost the engine time, and no command has as many options. */
const FACT_ELEMENTS = 4_096;

export function checkRequest(asking: DecisionRequest): CheckResult {
  const { principal, capability, question, history, approved = false } = asking;
  const asked = resourceOf(question, capability);
  if (asked === null) return { ok: false, fault: "the question is of no known kind" };
  const { facts, ...resource } = asked;
  const past = historyContext(history);
  if (!past.ok) return past;
  const { session, time } = past.attributes;
  const circumstances = { session, time, approved };
  const fault =
    textFault(principal) ??
    textFault(capability) ??
    resourceFault(resource) ??
    posingFault(facts, circumstances) ??
    contextFault(facts);
  if (fault !== null) return { ok: false, fault };
  const context = { ...facts, ...circumstances };
  return { ok: true, request: { principal, capability, action: actionOf(asking), resource, context } };
}

/** The action that rules name: the capability, or the server for a tool of an MCP server. */
export function actionOf({ capability, question }: Pick<DecisionRequest, "capability" | "question">): string {
  return question.kind === "mcp_tool" ? mcpCapability(question.server) : capability;
}

/** The question with all facts, as a policy that is not projected is asked. */
export function authorizationCall(request: DecisionRequest, target: RequestTarget): RequestResult {
  const checked = checkRequest(request);
  if (!checked.ok) return checked;
  const { principal, action, resource, context } = checked.request;
  const uid = { type: resource.type, id: resource.id };
  return {
    ok: true,
    call: {
      principal: { type: "Agent", id: principal },
      action: { type: "Action", id: action },
      resource: uid,
      // The facts pass through unchanged: the schema refuses an attribute too many or too few.
      context: context as StatefulAuthorizationCall["context"],
      entities: resource.type === "Path" ? [{ uid, attrs: {}, parents: namedAncestors(resource.id, target) }] : [],
      preparsedPolicySetId: target.slot,
      preparsedSchemaName: target.slot,
      validateRequest: true,
    },
  };
}

interface Resource {
  readonly type: ResourceType;
  readonly id: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Null for what the types rule out: the last gate does not rely on how its callers were checked. */
function resourceOf(question: FactQuestion | null | undefined, capability: string): Resource | null {
  switch (question?.kind) {
    case "path": {
      const { kind: _, path, ...facts } = question;
      return { type: "Path", id: path, facts };
    }
    case "program": {
      const { kind: _, program, ...facts } = question;
      return { type: "Program", id: program, facts };
    }
    case "host": {
      const { kind: _, ...facts } = question;
      return { type: "Host", id: `${question.host}:${question.port}`, facts };
    }
    case "mcp_tool": {
      const { kind: _, ...facts } = question;
      return { type: "McpTool", id: mcpToolName(question.server, question.tool), facts };
    }
    case "tool": {
      const { kind: _, ...facts } = question;
      return { type: "Tool", id: capability, facts };
    }
    default:
      return null;
  }
}

/**
 * Direct edges to the ancestors that a rule names. The answers are the same as with the whole chain, whose cost grows
 * with the square of its length.
 */
function namedAncestors(path: string, { namedPaths }: RequestTarget): { type: string; id: string }[] {
  return ancestorsOrSelf(path)
    .filter((ancestor) => ancestor !== path && namedPaths.has(ancestor))
    .map((id) => ({ type: "Path", id }));
}

function resourceFault({ type, id }: CheckedRequest["resource"]): string | null {
  return textFault(id) ?? (type === "Path" || type === "Program" ? pathFault(id) : null);
}

/**
 * INVARIANT: I8: circumstances, such as that an operator agreed, come only from the caller that asks for the decision,
 * never from a fact.
 */
function posingFault(facts: Resource["facts"], circumstances: object): string | null {
  for (const name in circumstances)
    if (Object.hasOwn(facts, name)) return `a fact poses as \`${name}\`, which no fact is`;
  return null;
}

function contextFault(facts: Resource["facts"]): string | null {
  for (const name in facts) {
    const value = facts[name];
    const fault = Array.isArray(value) ? listFault(value) : valueFault(value);
    if (fault !== null) return fault;
  }
  return null;
}

function listFault(list: readonly unknown[]): string | null {
  if (list.length > FACT_ELEMENTS) return `a fact has more than ${FACT_ELEMENTS} elements`;
  for (const element of list) {
    const fault = textFault(element);
    if (fault !== null) return fault;
  }
  return null;
}

/** INVARIANT: no fact is an object, so none can pose as an entity or an extension value of the engine. */
function valueFault(value: unknown): string | null {
  if (typeof value === "boolean" || Number.isSafeInteger(value)) return null;
  return textFault(value);
}

function textFault(value: unknown): string | null {
  if (typeof value !== "string") return "a fact is neither text, safe integer, truth value nor list of texts";
  if (value.length > FACT_CHARS) return `a fact is longer than ${FACT_CHARS} characters`;
  return value.isWellFormed() ? null : "a fact is not well-formed Unicode";
}
