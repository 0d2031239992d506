/**
 * The names used by telemetry. This is the one place that knows the conventions of others: those for generative AI are
 * still in development, so when they change, only this file changes. What they have no name for is called
 * `femtoclaw.*`. The metrics, in metrics/catalogue.ts, use these attributes.
 */

export const SERVICE = "femtoclaw";

/** The conventions from which names without our prefix are taken. */
export const SCHEMA_URL = "https://opentelemetry.io/schemas/gen-ai/1.42.0";

export const ATTRIBUTES = {
  operation: "gen_ai.operation.name",
  tool: "gen_ai.tool.name",
  call: "gen_ai.tool.call.id",
  conversation: "gen_ai.conversation.id",
  error: "error.type",
  decision: "femtoclaw.decision",
  status: "femtoclaw.status",
  ruleKind: "femtoclaw.rule.kind",
  answer: "femtoclaw.approval.answer",
  channel: "femtoclaw.channel",
  haltedBy: "femtoclaw.halted.by",
  subsystem: "femtoclaw.subsystem",
  signal: "femtoclaw.signal",
  recordType: "femtoclaw.record.type",
  seq: "femtoclaw.record.seq",
  boot: "femtoclaw.boot.id",
  version: "femtoclaw.version",
  versionBefore: "femtoclaw.version.before",
  previousEnd: "femtoclaw.boot.previous_end",
  from: "femtoclaw.lifecycle.from",
  to: "femtoclaw.lifecycle.to",
  event: "femtoclaw.lifecycle.event",
  revision: "femtoclaw.policy.revision",
} as const;

export const EXECUTE_TOOL = "execute_tool";

export const toolSpanName = (tool: string): string => `${EXECUTE_TOOL} ${tool}`;
