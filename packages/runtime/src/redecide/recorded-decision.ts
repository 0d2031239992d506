/** Finds what was decided about one call, and the policy that was in force then. */
import type { JournalReader } from "@femtoclaw/journal";
import {
  type DecidedRecord,
  FemtoError,
  type PolicyActivatedBody,
  printable,
  type RecordedDecision,
  type ToldRecord,
  type TypedRecord,
} from "@femtoclaw/protocol";
import { isRecordNumber } from "../operators/history.ts";
import { isDecided, recordedCall } from "./recorded-call.ts";
import { wholeRecord } from "./whole-record.ts";

/** The part of a log in which one decision is looked for. */
export type DecisionLog = Pick<
  JournalReader,
  "size" | "read" | "readBackwards" | "locate" | "withValues" | "prunedBefore"
>;

/**
 * The decision about an execution. `ref` is the number of one of its records, or its identifier. Throws
 * FEMTO_EXECUTION_NOT_FOUND.
 */
export async function recordedDecision(log: DecisionLog, ref: string): Promise<RecordedDecision> {
  const stored = isRecordNumber(ref) ? await bySequence(log, Number(ref)) : await byExecution(log, ref);
  const record = await wholeRecord(log, stored);
  if (!isTold(record)) throw nothingDecided(ref, stored.type);
  const { revision } = record.body;
  const shadow = "shadow" in record.body ? record.body.shadow : undefined;
  const { seq } = record;
  const policy = revision === null ? null : await activationBefore(log, seq, (body) => body.revision === revision);
  if (shadow === undefined) return { record, policy };
  // Rules on trial come and go while a policy stays in force.
  return { record, policy, trial: await activationBefore(log, seq, (body) => body.shadow === shadow.revision) };
}

const isTold = (record: TypedRecord): record is ToldRecord => isDecided(record) || record.type === "execution.hop";

async function bySequence(log: DecisionLog, seq: number): Promise<TypedRecord> {
  if (seq >= log.size) {
    throw new FemtoError("FEMTO_EXECUTION_NOT_FOUND", `there is no record ${seq}; the journal has ${log.size}`);
  }
  for await (const record of log.read(seq, seq + 1)) {
    if (isTold(record)) return record;
    // A reply names the record of its outcome; the decision stands in the intent before it.
    const isLater = record.type === "execution.outcome" || record.type === "execution.interrupted";
    if (!isLater) throw nothingDecided(String(seq), record.type);
    for await (const intent of log.read(record.body.intent, record.body.intent + 1)) return intent;
  }
  throw new FemtoError("FEMTO_EXECUTION_NOT_FOUND", `record ${seq} is not there`);
}

/** The last decision of policy: a call that waited for operators was decided more than once. */
async function byExecution(log: DecisionLog, execution: string): Promise<TypedRecord> {
  const decided: DecidedRecord[] = [];
  for (const seq of await log.locate(execution)) {
    if (seq < (await log.prunedBefore())) continue;
    for await (const record of log.read(seq, seq + 1)) if (isDecided(record)) decided.push(record);
  }
  const last = decided.findLast((record) => recordedCall(record) !== null) ?? decided.at(-1);
  if (last !== undefined) return last;
  const shown = printable(execution, 64);
  throw new FemtoError("FEMTO_EXECUTION_NOT_FOUND", `the journal holds no decision about an execution \`${shown}\``);
}

/** The newest activation with rules on trial; null if there never were any. */
export async function newestTrial(log: ActivationLog): Promise<PolicyActivatedBody | null> {
  return await activationBefore(log, log.size, (body) => body.shadow !== undefined);
}

type ActivationLog = Pick<DecisionLog, "size" | "readBackwards" | "withValues" | "prunedBefore">;

/** The newest such activation before the record. It can lie far back, because a policy changes rarely. */
async function activationBefore(
  log: ActivationLog,
  seq: number,
  isWanted: (body: PolicyActivatedBody) => boolean,
): Promise<PolicyActivatedBody | null> {
  for await (const stored of log.readBackwards(await log.prunedBefore(), seq)) {
    if (stored.type !== "policy.activated" || !isWanted(stored.body)) continue;
    const record = await wholeRecord(log, stored);
    return record.type === "policy.activated" ? record.body : null;
  }
  return null;
}

function nothingDecided(ref: string, type: string): FemtoError {
  const reason = `record ${printable(ref, 64)} (${type}) tells of no decision about a call`;
  return new FemtoError("FEMTO_EXECUTION_NOT_FOUND", reason);
}
