/** What the lists of docs/reference say in addition to the schemas that they are generated from. */
import { LIMITS } from "@femtoclaw/protocol";
import { DEFAULT_SEARCH_PATH } from "@femtoclaw/runtime";

export interface Note {
  readonly otherwise?: string;
  readonly meaning?: string;
}

/**
 * What the schemas cannot say, or say only in general: defaults that code fills in, and the meaning of a field in its
 * place.
 */
export const NOTES: Readonly<Record<string, Note>> = {
  workspace: { otherwise: '`"."`' },
  search_path: { otherwise: `\`${JSON.stringify(DEFAULT_SEARCH_PATH)}\`` },
  "capabilities.NAME": {
    meaning: "`true` or a table enables the capability. `false` disables it, and it cannot be enabled at run time.",
  },
  "limits.timeout_ms": { otherwise: String(LIMITS.timeoutMs) },
  "limits.output_bytes": { otherwise: String(LIMITS.outputBytes) },
  "limits.memory_bytes": { otherwise: String(LIMITS.childMemoryBytes) },
  "limits.processes": { otherwise: String(LIMITS.childProcesses) },
  "limits.cpu_ms": { otherwise: String(LIMITS.childCpuMs) },
  "limits.file_bytes": { otherwise: String(LIMITS.childFileBytes) },
  "limits.open_files": { otherwise: String(LIMITS.childOpenFiles) },
  "limits.temporary_bytes": { otherwise: String(LIMITS.childTemporaryBytes) },
  "limits.concurrency": { otherwise: String(LIMITS.concurrency) },
  "limits.queue": { otherwise: String(LIMITS.queue) },
  "audit.require": { otherwise: "`false`" },
  "deny.run.NAME": {
    meaning: 'Uses of one program that are forbidden. A text is a first argument; `"*"` means any arguments.',
  },
  "deny.run.NAME[].word": { meaning: "First argument. An option in its place is forbidden too." },
  "deny.run.NAME[].flags": { meaning: "If given, the use is forbidden only with one of these options." },
  "deny.run.NAME[].unsafe": { meaning: "Has no effect here." },
  "after_secret.run.NAME[].flags": { meaning: "If given, the use is forbidden only with one of these options." },
  "after_secret.run.NAME[].unsafe": { meaning: "Has no effect here." },
  "agent.NAME": { meaning: "The tables of one agent." },
  "agent.NAME.allow": {
    meaning: "Of what is allowed to everybody, what this agent keeps. The keys of [allow](#allow).",
  },
  "agent.NAME.ask": { meaning: "Entries in addition to those for everybody. The keys of [ask](#ask)." },
  "agent.NAME.deny": { meaning: "Entries in addition to those for everybody. The keys of [deny](#deny)." },
  "shadow.agent.NAME": { meaning: "The tables of one agent, as under [agent](#agent)." },
  "launch.NAME": { meaning: "One agent." },
  "sandbox.connect.NAME": { meaning: "Hosts of one program." },
  "mcp.servers.NAME.headers.NAME": { meaning: "Value of one header." },
  "record.type": { meaning: "Decides what the body holds." },
  "record.session": { meaning: "Session that the record belongs to." },
  "record.execution": { meaning: "Execution that the record belongs to." },
  "record.actor.principal": { meaning: "For whom; policy decides on this name. `uid:N` for an operator." },
  "record.body": { meaning: "As the type says; see below." },
  "boot.started.previous_end": { meaning: "How the last boot ended; `none` for the first one." },
  "execution.refused.request.payload": {
    meaning: "Never here: the commitment `/request/payload` is over these bytes.",
  },
  "execution.refused.request.head": { meaning: `At most ${LIMITS.refusedHeadChars} characters, made printable.` },
  "execution.intent.capability": { meaning: "Version of the capability." },
  "execution.intent.args": { meaning: "The arguments without secrets; null where they are a commitment." },
  "execution.intent.received_us": { meaning: "When the call arrived, on the clock of `mono_us`." },
  "execution.outcome.intent": { meaning: "Sequence number of the intent." },
  "execution.outcome.result": { meaning: "The result without secrets; null where it is a commitment." },
  "execution.interrupted.intent": { meaning: "Sequence number of the intent." },
  "execution.interrupted.boot": { meaning: "The boot that wrote the intent." },
  "snapshot.taken.covers": { meaning: "The last record that the snapshot includes." },
};

/** What conditions can read in addition to the facts of a call. */
export const BESIDE_FACTS: Readonly<Record<string, string>> = {
  session:
    "What the session did before this call, and what its principal may have read: `calls`, `bytes`, `failures`, `refusals` and `seconds` are `Long`, `has_read_secret` and `has_seen_untrusted` are `Bool`.",
  time: "Time of the decision in whole seconds, as the record of the call has it.",
  approved: "Whether as many operators as were asked have said yes to this very call.",
};
