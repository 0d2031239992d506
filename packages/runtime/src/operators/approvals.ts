/**
 * Questions to operators, as operators see and answer them. Only somebody with access to the operator's socket gets
 * here.
 */
import assert from "node:assert/strict";
import type { Clock, JournalReader } from "@femtoclaw/journal";
import { type CompiledPolicy, NO_HISTORY } from "@femtoclaw/policy/live";
import {
  type Answered,
  type ApprovalCard,
  type ExecutionId,
  FemtoError,
  printable,
  requireCount,
  requireText,
  type TypedRecord,
  type WatchedQuestions,
} from "@femtoclaw/protocol";
import type { ApprovalSettings } from "../configuration/resolved-configuration.ts";
import type { Gate } from "../gate/gate.ts";
import { type Answer, isSelfApprovable, operatorName, takenAnswer } from "../gate/questions/answers.ts";
import type { WaitingCall } from "../gate/questions/waiting-call.ts";
import { type GrowthWait, takenWait } from "../log-growth.ts";
import type { Memory } from "../subsystems/memory.ts";
import type { Policy } from "../subsystems/policy.ts";

/** LIMIT: questions in one answer. A card has some kilobytes, and may be as large as the call that it shows. */
const LISTED_QUESTIONS = 256;

interface ApprovalsParts {
  readonly gate: Gate;
  readonly journal: JournalReader;
  readonly settings: ApprovalSettings;
  /** Name of the log. */
  readonly log: string;
  policy(): CompiledPolicy;
}

/** Questions to operators. An answer counts only for the call that was asked about. */
export class Approvals {
  readonly #parts: ApprovalsParts;

  constructor(parts: ApprovalsParts) {
    this.#parts = parts;
  }

  /** Open questions, oldest first: at most `limit`, beginning at record `from`. */
  async list(from = 0, limit = LISTED_QUESTIONS): Promise<ApprovalCard[]> {
    requireCount("from", from);
    requireCount("limit", limit);
    const views: ApprovalCard[] = [];
    const open = this.#parts.gate.questions.open.from(from, limit);
    for await (const [call, asked] of withRecords(this.#parts.journal, open)) views.push(this.#view(call, asked));
    return views;
  }

  /**
   * Lists the open questions if anything changed since the state `from`; otherwise waits for a change first. Throws
   * FEMTO_OVERLOADED, and FEMTO_DRAINING if the host stops.
   */
  async watch(from: number, wait: GrowthWait): Promise<WatchedQuestions> {
    const { questions } = this.#parts.gate;
    requireCount("from", from);
    await questions.open.changedAfter(from, takenWait(wait));
    const { changes: next, all } = questions.open;
    if (next === from) return { next, open: null };
    return { next, open: all.map(({ seq, granted }) => ({ id: String(seq), granted: granted.length })) };
  }

  /** Throws FEMTO_APPROVAL_NOT_FOUND if the question is not open. */
  async show(id: string): Promise<ApprovalCard> {
    requireText("id", id);
    const call = this.#parts.gate.questions.named(id);
    if (call !== undefined) return this.#view(call, await questionRecord(this.#parts.journal, call.seq));
    throw new FemtoError("FEMTO_APPROVAL_NOT_FOUND", `question ${printable(id, 32)} is not open`);
  }

  /**
   * Resolves once the answer is durable; the call then goes on by itself. Throws FEMTO_APPROVAL_NOT_FOUND if the
   * question is no longer open, FEMTO_APPROVAL_MISMATCH if the answer is to something else, FEMTO_APPROVAL_UNSIGNED if
   * only a signed answer counts, and a `TypeError` if the answer is malformed.
   */
  async answer(answer: Answer): Promise<Answered> {
    return await this.#parts.gate.questions.answer(takenAnswer(answer));
  }

  /**
   * The same for an answer that an operator signed, as a note. Throws FEMTO_APPROVAL_SIGNATURE if the note does not
   * count.
   */
  async answerSigned(note: string): Promise<Answered> {
    requireText("note", note);
    return await this.#parts.gate.questions.answerSigned(note);
  }

  #view(call: WaitingCall, { record }: QuestionRecord): ApprovalCard {
    const { log, settings } = this.#parts;
    const { tool, capability, label, args, facts, files, rules, approvers, expires_at, digest } = record.body;
    const rule = rules.find((id) => !id.endsWith("/granted")) ?? rules[0] ?? "";
    const known = this.#parts.policy().rules.find(({ id }) => id === rule);
    return {
      id: String(call.seq),
      execution_id: call.execution,
      log,
      principal: record.actor?.principal ?? "",
      tool,
      capability,
      rule,
      rules,
      reason: known?.reason ?? "the rule is in force no more",
      source: known?.source ?? null,
      session: call.session,
      agent: record.actor?.agent ?? null,
      channel: record.actor?.channel ?? null,
      label,
      args,
      facts,
      files,
      approvers,
      granted: call.granted.map(operatorName),
      operators: [...settings.operators],
      operator_key: settings.operatorKey,
      asked_at: record.at,
      expires_at,
      digest,
      self_approvable: isSelfApprovable(approvers, settings),
    };
  }
}

export interface QuestionRecord {
  readonly record: TypedRecord & { readonly type: "approval.asked" };
  /** Places of values that were erased from the record. */
  readonly erased: readonly string[];
}

/** The record of a question, with the values that it commits to. */
export async function questionRecord(journal: JournalReader, seq: number): Promise<QuestionRecord> {
  for await (const stored of journal.read(seq, seq + 1)) {
    const { record, erased } = await journal.withValues(stored);
    assert(record.type === "approval.asked", "a question's sequence number is that of its record");
    return { record, erased };
  }
  throw new FemtoError("FEMTO_JOURNAL_CORRUPT", `the question in record ${seq} is not there`);
}

/**
 * LIMIT: records of questions that are read at once. Each is a round trip to the disk, and all are held in memory
 * together.
 */
const READ_AT_ONCE = 64;

/** Yields each question with its record, in order. */
async function* withRecords<Question extends { readonly seq: number }>(
  journal: JournalReader,
  questions: readonly Question[],
): AsyncGenerator<readonly [Question, QuestionRecord], void, void> {
  for (let at = 0; at < questions.length; at += READ_AT_ONCE) {
    const some = questions.slice(at, at + READ_AT_ONCE);
    yield* await Promise.all(some.map(async (one) => [one, await questionRecord(journal, one.seq)] as const));
  }
}

/** Microseconds since 1970 at which a record was written. */
async function timeOf(journal: JournalReader, seq: number): Promise<number> {
  for await (const { at } of journal.read(seq, seq + 1)) return Date.parse(at) * 1_000;
  throw new FemtoError("FEMTO_JOURNAL_CORRUPT", `record ${seq} is not there`);
}

/**
 * Takes up the questions that the last boot left. Each one waits on, has expired, or was answered without anything
 * having followed yet.
 */
export async function takeUpQuestions(
  { projection: { questions }, journal, begun }: Pick<Memory, "projection" | "journal" | "begun">,
  gate: Gate,
  clock: Clock,
): Promise<void> {
  if (questions.size === 0) return;
  // INVARIANT: a clock that was set back gives no time again that had passed when the last boot wrote its last record.
  const nowUs = Math.max(clock.nowUs(), await timeOf(journal, begun - 1));
  const waiting = Array.from(questions, ([execution, question]) => ({ ...question, execution }));
  for await (const [{ execution, ...question }, { record }] of withRecords(journal, waiting)) {
    const { at, body } = record;
    const expiresUs = Date.parse(body.expires_at) * 1_000;
    const leftUs = Math.min(expiresUs - nowUs, body.lifetime_ms * 1_000);
    const call: WaitingCall = {
      seq: question.seq,
      execution: execution as ExecutionId,
      session: question.session ?? "",
      tool: body.tool,
      revision: body.revision,
      digest: body.digest,
      approvers: question.approvers,
      granted: question.granted,
      expiresUs,
      secretArgs: null,
      secretBytes: 0,
      deadlineUs: clock.monotonicUs() + leftUs,
    };
    // INVARIANT: if the clock shows a time before the question, it was set back and cannot tell how long the question
    // has waited.
    const isOver = leftUs <= 0 || clock.nowUs() < Date.parse(at) * 1_000;
    if (question.at.state === "memoryCommitting") gate.resume(call, "refused", "an operator said no to it");
    else if (question.at.state === "authorizationEvaluating")
      gate.resume(isOver ? { ...call, deadlineUs: 0 } : call, "granted", "");
    else if (isOver) gate.resume(call, "expired", `no operator answered by ${body.expires_at}`);
    else gate.questions.add(call);
  }
}

/**
 * Withdraws questions about calls that the new policy denies. Calls about which some rule still asks, or that would be
 * permitted, wait on.
 */
export async function reviewQuestions(
  gate: Gate,
  policy: Pick<Policy, "decide">,
  journal: JournalReader,
): Promise<void> {
  for await (const [call, { record }] of withRecords(journal, [...gate.questions.open.all])) {
    const { actor, body } = record;
    if (actor === null || body.facts === null) continue;
    const { questions, history = NO_HISTORY } = body.facts;
    const asked = { principal: actor.principal, capability: body.tool, questions, history, approved: false };
    const decision = policy.decide(asked);
    if (decision.allowed || decision.code === "FEMTO_APPROVAL_REQUIRED") continue;
    gate.questions.withdraw(call, `the policy changed while it waited: ${decision.reason}`);
  }
}
