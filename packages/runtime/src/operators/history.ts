/** Executions as people look at them, read from the journal, newest first. */
import type { JournalReader } from "@femtoclaw/journal";
import {
  type ExecutionView,
  FemtoError,
  LIMITS,
  parseJson,
  printable,
  type RecordType,
  type Reply,
  type Resolution,
  type TypedRecord,
} from "@femtoclaw/protocol";
import { replyError, toldError, verdictOf } from "../gate/verdict.ts";

/** Records of an execution that change nothing about how far it has come. */
const PASSING: ReadonlySet<RecordType> = new Set(["execution.hop", "upstream.answered", "values.erased"]);

/** Which executions to list. */
export interface HistoryQuery {
  /** Maximum number of executions. */
  readonly limit: number;
  /** Only executions with this status, such as `completed` or `denied`, and only those of this session. */
  readonly status?: string;
  readonly session?: string;
}

/** The newest executions that match, newest first. There are fewer than the limit if their results are large. */
export async function listExecutions(reader: JournalReader, query: HistoryQuery): Promise<ExecutionView[]> {
  const views: ExecutionView[] = [];
  const ended = new Set<string>();
  const resolutions = new Map<string, Resolution>();
  let chars = 0;
  const prunedBefore = await reader.prunedBefore();
  for await (const record of reader.readBackwards(prunedBefore, reader.size)) {
    if (views.length >= query.limit) break;
    if (record.execution === null || ended.has(record.execution)) continue;
    if (PASSING.has(record.type)) continue;
    if (record.type === "execution.resolved") {
      // A resolution comes after its execution has ended. The execution is listed where it ended, or here if that
      // record was pruned.
      resolutions.set(record.execution, resolutionOf(record));
      if (record.body.interrupted >= prunedBefore) continue;
    }
    ended.add(record.execution);
    if (query.session !== undefined && record.session !== query.session) continue;
    const view = await viewOf(reader, record, resolutions.get(record.execution));
    resolutions.delete(record.execution);
    if (view === null || (query.status !== undefined && view.status !== query.status)) continue;
    chars += JSON.stringify(view).length;
    if (chars > LIMITS.listedChars && views.length > 0) break;
    views.push(view);
  }
  return views;
}

/** Identifiers contain more than digits. */
const RECORD_NUMBER = /^[0-9]{1,16}$/;

export const isRecordNumber = (ref: string): boolean => RECORD_NUMBER.test(ref);

/**
 * The identifier of the execution that `ref` names. An identifier is returned as it is, known or not. Throws
 * FEMTO_EXECUTION_NOT_FOUND for the number of a record that is not there or belongs to no execution.
 */
export async function executionNamed(
  reader: Pick<JournalReader, "size" | "read" | "prunedBefore">,
  ref: string,
): Promise<string> {
  if (!isRecordNumber(ref)) return ref;
  const seq = Number(ref);
  if (seq >= reader.size) throw missing(`there is no record ${seq}; the journal has ${reader.size}`);
  if (seq < (await reader.prunedBefore())) throw missing(`record ${seq} was pruned`);
  for await (const { execution, type } of reader.read(seq, seq + 1)) {
    if (execution !== null) return execution;
    throw missing(`record ${seq} (${type}) belongs to no execution`);
  }
  throw missing(`record ${seq} is not there`);
}

const missing = (reason: string): FemtoError => new FemtoError("FEMTO_EXECUTION_NOT_FOUND", reason);

/** One execution with all its records, including those of erasures; null if the journal does not know it. */
export async function showExecution(
  reader: JournalReader,
  execution: string,
): Promise<{ readonly view: ExecutionView; readonly records: readonly TypedRecord[] } | null> {
  const records: TypedRecord[] = [];
  for (const seq of await reader.locate(execution)) {
    for await (const record of reader.read(seq, seq + 1)) records.push(record);
  }
  const resolved = records.find((record) => record.type === "execution.resolved");
  const last = records.findLast(({ type }) => type !== "execution.resolved" && !PASSING.has(type)) ?? resolved;
  const resolution = resolved === undefined ? undefined : resolutionOf(resolved);
  const view = last === undefined ? null : await viewOf(reader, last, resolution);
  return view === null ? null : { view, records };
}

/**
 * The reply of an execution that has ended, as it was given to its principal. INVARIANT: I8: results of one principal
 * are never told to another, who may bear fewer marks and have fewer rights. Throws FEMTO_EXECUTION_NOT_FOUND.
 */
export async function endedReply(reader: JournalReader, execution: string, principal: string): Promise<Reply> {
  const shown = await showExecution(reader, execution);
  if (shown === null || !isOf(shown.records, principal)) throw await notFound(reader, execution);
  const { execution_id, status, decision, result, error, policy, record } = shown.view;
  return {
    execution_id,
    status,
    decision,
    record,
    ...(result === undefined ? {} : { result }),
    ...(error === undefined ? {} : { error }),
    ...(policy === undefined ? {} : { policy }),
  };
}

/** Whether the first record that names a proposer names this principal. */
function isOf(records: readonly TypedRecord[], principal: string): boolean {
  const proposed = records.find(({ actor }) => actor !== null);
  return proposed?.actor?.principal === principal;
}

/** The error FEMTO_EXECUTION_NOT_FOUND. It also says if pruned history may have known the execution. */
export async function notFound(reader: JournalReader, execution: string): Promise<FemtoError> {
  const before = await reader.prunedBefore();
  const pruned = before === 0 ? "" : `; what it knew from before record ${before} was pruned`;
  const reason = `the journal knows no execution \`${printable(execution, 64)}\`${pruned}`;
  return new FemtoError("FEMTO_EXECUTION_NOT_FOUND", reason);
}

function resolutionOf({ actor, body, at, seq }: TypedRecord & { type: "execution.resolved" }): Resolution {
  const { resolution, reason } = body;
  return { resolution, reason, by: actor?.principal ?? "", at, seq };
}

async function viewOf(
  reader: JournalReader,
  stored: TypedRecord,
  resolution: Resolution | undefined,
): Promise<ExecutionView | null> {
  const { record, erased } = await reader.withValues(stored);
  const view = await viewOfWhole(reader, record, resolution);
  return view === null || erased.length === 0 ? view : { ...view, erased };
}

async function viewOfWhole(
  reader: JournalReader,
  record: TypedRecord,
  resolution: Resolution | undefined,
): Promise<ExecutionView | null> {
  // No start waits for what only people ask about.
  const { subjectOf } = await import("@femtoclaw/protocol/execution-subject");
  const about = (asked: TypedRecord | undefined): Base => {
    const subject = asked === undefined ? null : subjectOf(asked, parseJson);
    return { execution_id: record.execution ?? "", session: record.session, record: { seq: record.seq }, subject };
  };
  switch (record.type) {
    case "message.recorded":
      return {
        ...about(record),
        ...verdictOf("message"),
        tool: null,
        label: null,
        requested_at: record.at,
        duration_ms: null,
      };
    case "execution.refused": {
      const { tool, event, error, revision, rules, label } = record.body;
      const { status } = event === "cancelled" ? verdictOf("halted") : verdictOf(event);
      const verdict = { status, decision: record.body.decision };
      const policy = revision === null ? {} : { policy: { revision, rules } };
      return {
        ...about(record),
        ...verdict,
        ...policy,
        error: toldError(error, record.seq),
        tool,
        label,
        requested_at: record.at,
        duration_ms: null,
      };
    }
    case "approval.asked":
      return { ...about(record), ...ofQuestion(record) };
    case "approval.answered": {
      const question = await recordAt(reader, record.body.question);
      return question?.type === "approval.asked" ? { ...about(question), ...ofQuestion(question) } : null;
    }
    case "execution.intent":
      return { ...about(record), ...ofIntent(record), status: "pending", duration_ms: null };
    case "execution.outcome":
    case "execution.interrupted": {
      const { intent: seq } = record.body;
      const told = resolution === undefined ? {} : { resolution };
      if (seq < (await reader.prunedBefore()))
        return { ...ended(record, null, about(undefined)), pruned_intent: seq, ...told };
      const intent = await recordAt(reader, seq);
      return intent?.type === "execution.intent" ? { ...ended(record, intent, about(intent)), ...told } : null;
    }
    case "execution.inherited": {
      const reason = `the log before this one knows no outcome; record ${record.body.record} there left it open`;
      return leftOpen(record, reason, about(undefined), resolution);
    }
    case "execution.resolved": {
      const reason = `what record ${record.body.interrupted} told of it was pruned`;
      return leftOpen(record, reason, about(undefined), resolution);
    }
    default:
      return null;
  }
}

type Base = Pick<ExecutionView, "execution_id" | "session" | "record" | "subject">;

/** An execution whose intent is not there to tell more. */
function leftOpen(
  { at, body: { tool } }: TypedRecord & { type: "execution.inherited" | "execution.resolved" },
  reason: string,
  base: Base,
  resolution: Resolution | undefined,
): ExecutionView {
  const error = replyError({ code: "FEMTO_EXECUTION_INTERRUPTED", reason }, at, tool);
  const known = { tool, label: null, requested_at: at, duration_ms: null } as const;
  const told = resolution === undefined ? {} : { resolution };
  return { ...base, ...known, status: "interrupted", decision: "AUTHORIZED", error, ...told };
}

function ended(
  record: TypedRecord & { type: "execution.outcome" | "execution.interrupted" },
  intent: (TypedRecord & { type: "execution.intent" }) | null,
  base: Base,
): ExecutionView {
  const asked =
    intent === null
      ? ({ tool: null, label: null, decision: "AUTHORIZED", requested_at: record.at } as const)
      : ofIntent(intent);
  if (record.type === "execution.interrupted") {
    const reason = `the host ended while it ran; record ${record.body.intent} is its intent`;
    const error = replyError({ code: "FEMTO_EXECUTION_INTERRUPTED", reason }, record.at, record.body.tool);
    return { ...base, ...asked, tool: record.body.tool, status: "interrupted", error, duration_ms: null };
  }
  const { event, result = null, error, duration_us } = record.body;
  return {
    ...base,
    ...asked,
    status: verdictOf(event).status,
    ...(result === null ? {} : { result }),
    ...(error === undefined ? {} : { error }),
    duration_ms: duration_us / 1000,
  };
}

/** An answer changes nothing about what is known of the call until something has followed from it. */
function ofQuestion({ seq, at, body }: TypedRecord & { type: "approval.asked" }) {
  const { tool, label, revision, rules, expires_at } = body;
  const approval = { id: String(seq), expires_at };
  const known = { tool, label, policy: { revision, rules }, requested_at: at, duration_ms: null };
  return { ...known, status: "pending", decision: null, approval } as const;
}

function ofIntent(intent: TypedRecord & { type: "execution.intent" }) {
  const { tool, label, revision, rules } = intent.body;
  return { tool, label, decision: "AUTHORIZED", policy: { revision, rules }, requested_at: intent.at } as const;
}

async function recordAt(reader: JournalReader, seq: number): Promise<TypedRecord | undefined> {
  for await (const record of reader.read(seq, seq + 1)) return record;
  return undefined;
}
