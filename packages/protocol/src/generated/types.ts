// Generated from schemas/ by `npm run generate`. Do not edit.
/**
 * This interface was referenced by `Facts`'s JSON-Schema
 * via the `definition` "question".
 */
export type FactQuestion = PathQuestion | ProgramQuestion | HostQuestion | McpToolQuestion | ToolQuestion;
/**
 * This interface was referenced by `Facts`'s JSON-Schema
 * via the `definition` "mark".
 */
export type Mark = "read_secret" | "seen_untrusted";
/**
 * This interface was referenced by `Configuration`'s JSON-Schema
 * via the `definition` "capabilitySwitch".
 */
export type CapabilitySwitch = boolean | CapabilityOptions;
/**
 * This interface was referenced by `Configuration`'s JSON-Schema
 * via the `definition` "runRule".
 */
export type RunRule = string | RunWord | RunAny;
/**
 * This interface was referenced by `Configuration`'s JSON-Schema
 * via the `definition` "toolRule".
 */
export type ToolRule = "*" | ToolWith;
/**
 * This interface was referenced by `CapabilityManifest`'s JSON-Schema
 * via the `definition` "argument".
 */
export type DeclaredArgument =
  DeclaredPath | DeclaredProgram | DeclaredTerminal | DeclaredHost | DeclaredMcpTool | DeclaredSize;
/**
 * What inference may send: a message to be recorded, or one tool call to be decided. Exactly one of the two.
 */
export type ProtocolMessage = TextMessage | ToolCallMessage;
/**
 * One record of the journal. Its bytes are written once, in this key order, and never changed.
 */
export type JournalRecord = {
  /**
   * Record format.
   */
  v: 1;
  /**
   * Gapless from 0.
   */
  seq: number;
  /**
   * Wall clock, RFC 3339 with microseconds, UTC. For people; never for order.
   */
  at: string;
  /**
   * Monotonic microseconds since the boot began.
   */
  mono_us: number;
  /**
   * Identifier of the boot that wrote the record.
   */
  boot: string;
  type:
    | "log.created"
    | "key.rotated"
    | "boot.started"
    | "lifecycle.changed"
    | "registry.loaded"
    | "capability.enabled"
    | "capability.disabled"
    | "policy.activated"
    | "observability.started"
    | "observability.changed"
    | "supervision.crashed"
    | "supervision.restarted"
    | "session.opened"
    | "session.closed"
    | "message.recorded"
    | "execution.refused"
    | "execution.intent"
    | "execution.outcome"
    | "execution.interrupted"
    | "overload.refused"
    | "snapshot.taken"
    | "execution.resolved"
    | "epoch.opened"
    | "execution.inherited"
    | "memory.changed"
    | "session.halted"
    | "values.erased"
    | "log.pruned"
    | "approval.asked"
    | "approval.answered"
    | "policy.rejected"
    | "terminal.opened"
    | "terminal.recorded"
    | "terminal.closed"
    | "execution.hop"
    | "secret.added"
    | "secret.removed"
    | "deployment.changed"
    | "upstream.started"
    | "upstream.stopped"
    | "upstream.pinned"
    | "upstream.unpinned"
    | "upstream.quarantined"
    | "subscription.ended"
    | "upstream.answered";
  /**
   * Who acted; null for the runtime itself.
   */
  actor: null | RecordActor;
  session: null | string;
  execution: null | string;
  machine: MachineIdentity;
  body: {
    [k: string]: unknown;
  };
  /**
   * Values that do not stand in the record but beside it, as salted commitments. Absent where there are none.
   *
   * @minItems 1
   */
  commitments?: [Commitment, ...Commitment[]];
  /**
   * Where secrets stood before the record was written; they are kept nowhere. Absent where there are none.
   *
   * @minItems 1
   */
  redactions?: [Redaction, ...Redaction[]];
};
/**
 * This interface was referenced by `Reply`'s JSON-Schema
 * via the `definition` "decision".
 */
export type DecisionCode =
  | null
  | (
      | "AUTHORIZED"
      | "DENIED_CAPABILITY_NOT_FOUND"
      | "DENIED_CAPABILITY_DISABLED"
      | "DENIED_ARGUMENT_INVALID"
      | "DENIED_POLICY_VIOLATION"
    );
/**
 * This interface was referenced by `Reply`'s JSON-Schema
 * via the `definition` "errorType".
 */
export type ErrorType =
  | "ProtocolError"
  | "AuthorizationError"
  | "CapabilityError"
  | "MemoryError"
  | "ConfigurationError"
  | "RuntimeError"
  | "SystemError";
/**
 * This interface was referenced by `Reply`'s JSON-Schema
 * via the `definition` "status".
 */
export type ExecutionStatus = "completed" | "denied" | "error" | "pending" | "interrupted";

export interface Schemas {
  approval: ApprovalCard;
  config: Configuration;
  facts: Facts;
  manifest: CapabilityManifest;
  message: ProtocolMessage;
  record: JournalRecord;
  release: ReleaseManifest;
  reply: Reply;
  snapshot: Snapshot;
}
/**
 * A question to operators with everything that would run: what `femtoclaw approvals show ID --json` prints, and what is carried to where an answer is signed.
 */
export interface ApprovalCard {
  /**
   * Sequence number of the question.
   */
  id: string;
  execution_id: string;
  /**
   * Name of the log that the question stands in.
   */
  log: string;
  /**
   * For whom the session proposes.
   */
  principal: string;
  tool: string;
  /**
   * Version of the capability.
   */
  capability: string;
  /**
   * The rule that asks.
   */
  rule: string;
  /**
   * All rules that ask, sorted.
   */
  rules: string[];
  /**
   * What the rule says.
   */
  reason: string;
  /**
   * Where an operator wrote the rule.
   */
  source: null | string;
  session: string;
  /**
   * What the proposer calls itself, which proves nothing.
   */
  agent: null | string;
  /**
   * Through which door it came.
   */
  channel: null | string;
  label: null | string;
  /**
   * Null where they were erased.
   */
  args: null | {
    [k: string]: unknown;
  };
  /**
   * Null where they were erased.
   */
  facts: null | Facts;
  /**
   * Files that the call names, and what they held when it was asked.
   *
   * @maxItems 64
   */
  files: ApprovedFile[];
  /**
   * How many different operators have to say yes.
   */
  approvers: number;
  /**
   * Operators who have said yes so far.
   */
  granted: string[];
  /**
   * Public keys of the operators whose signatures count.
   *
   * @maxItems 32
   */
  operators: string[];
  /**
   * Whether every answer has to be signed by one of them.
   */
  operator_key: boolean;
  asked_at: string;
  expires_at: string;
  /**
   * What an answer has to name.
   */
  digest: string;
  /**
   * Whether the agent could answer through the operator's socket, if it runs as the operator's user: no key is demanded.
   */
  self_approvable: boolean;
}
/**
 * What trusted code found out about the arguments of one call. Policy decides on this and on nothing else; one question for each resource that the call touches, and all of them must be permitted.
 */
export interface Facts {
  /**
   * @minItems 1
   * @maxItems 64
   */
  questions: [FactQuestion, ...FactQuestion[]];
  history?: HistoryFacts;
}
/**
 * This interface was referenced by `Facts`'s JSON-Schema
 * via the `definition` "pathQuestion".
 */
export interface PathQuestion {
  kind: "path";
  /**
   * Canonical absolute path, read back from the open descriptor.
   */
  path: string;
  /**
   * Whether something stands there.
   */
  exists: boolean;
  /**
   * What stands there.
   */
  type: "file" | "directory" | "missing";
  /**
   * Bytes that the call would write; 0 for reads.
   */
  bytes: number;
  /**
   * True where the call is about everything below the folder, too; absent where it is not.
   */
  recursive?: boolean;
}
/**
 * This interface was referenced by `Facts`'s JSON-Schema
 * via the `definition` "programQuestion".
 */
export interface ProgramQuestion {
  kind: "program";
  /**
   * Path under which the search path holds the program.
   */
  program: string;
  /**
   * The file that this path leads to and that is executed.
   */
  real_path: string;
  /**
   * Device of that file, in decimal digits.
   */
  device: string;
  /**
   * Inode of that file, in decimal digits.
   */
  inode: string;
  /**
   * Digest of that file's content.
   */
  sha256: string;
  /**
   * The first argument, when it does not begin with a dash.
   */
  word?: string;
  /**
   * Number of arguments.
   */
  arguments: number;
  /**
   * Sorted, distinct arguments that begin with a dash; `--name=value` also as `--name`, a bundle `-xyz` also letter by letter.
   */
  flags: string[];
  /**
   * Sorted names of variables that the call sets.
   */
  environment: string[];
  /**
   * Canonical folder in which the program would start.
   */
  cwd: string;
}
/**
 * This interface was referenced by `Facts`'s JSON-Schema
 * via the `definition` "hostQuestion".
 */
export interface HostQuestion {
  kind: "host";
  /**
   * `http` or `https`; `tunnel` for what a program connects to, of which nothing is read.
   */
  scheme: "http" | "https" | "tunnel";
  /**
   * Canonical name or address in lower-case ASCII; an IPv6 address stands in brackets.
   */
  host: string;
  /**
   * The port, also where the URL does not name it.
   */
  port: number;
  /**
   * Addresses that the name had when it was looked up, once; no other is dialled. Empty for a name that was not looked up.
   */
  addresses: string[];
  /**
   * Where these addresses lie: `public`, `private`, `loopback`, `link_local`, `metadata`, `multicast` or `reserved`; of several the least public. `unresolved` for a name that no entry of `fetch` allows, which is not even looked up.
   */
  network: "public" | "private" | "loopback" | "link_local" | "metadata" | "multicast" | "reserved" | "unresolved";
  /**
   * The HTTP method.
   */
  method: string;
  /**
   * Path of the URL, without its query.
   */
  path: string;
  /**
   * Sorted names of the headers that the call sets, in lower case.
   */
  headers: string[];
  /**
   * Sorted names of stored secrets that are put into headers on the way out.
   */
  injects: string[];
  /**
   * Bytes of the request's body.
   */
  bytes: number;
  /**
   * 0 for the URL of the call, N for its Nth redirect; of a program, N for its Nth host.
   */
  hop: number;
  /**
   * The program of the call, where a program connects: path under which the search path holds it.
   */
  program?: string;
  /**
   * The file that this path leads to, where a program connects.
   */
  real_path?: string;
}
/**
 * This interface was referenced by `Facts`'s JSON-Schema
 * via the `definition` "mcpToolQuestion".
 */
export interface McpToolQuestion {
  kind: "mcp_tool";
  /**
   * Name of the MCP server in the configuration.
   */
  server: string;
  /**
   * Name of the tool, as the server calls it.
   */
  tool: string;
  /**
   * Digest of what the server says of the tool: name, description, schemas and annotations.
   */
  definition: string;
  /**
   * Whether the server itself calls the tool destructive. That it does not says nothing.
   */
  destructive: boolean;
  /**
   * Sorted names of the arguments at the top.
   */
  arguments: string[];
  /**
   * Sorted texts `name=value`, the value as JSON, of those that are a truth value, a safe integer, or a text of at most 256 characters.
   */
  values: string[];
  /**
   * Sorted names of the arguments whose values do not stand under `values`.
   */
  opaque: string[];
}
/**
 * This interface was referenced by `Facts`'s JSON-Schema
 * via the `definition` "toolQuestion".
 */
export interface ToolQuestion {
  kind: "tool";
}
/**
 * What the records before this call say of its session and of its principal. Absent in records of versions that knew no history.
 *
 * This interface was referenced by `Facts`'s JSON-Schema
 * via the `definition` "history".
 */
export interface HistoryFacts {
  /**
   * Time of the decision in whole seconds, UTC. Policies read it as `context.time`.
   */
  at: string;
  /**
   * Permitted calls of the session before this one.
   */
  calls: number;
  /**
   * Bytes that the session's permitted calls sent and got back; of those that still run, the most that they may get back.
   */
  bytes: number;
  /**
   * Permitted calls of the session that did not end well.
   */
  failures: number;
  /**
   * Refused calls of the session that have a record.
   */
  refusals: number;
  /**
   * Whole seconds since the session's first record.
   */
  seconds: number;
  /**
   * Whether a call of the principal that may read what lies under `[sensitive].secret` was permitted before, in whatever session.
   */
  has_read_secret: boolean;
  /**
   * The same of `[sensitive].untrusted`.
   */
  has_seen_untrusted: boolean;
}
/**
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "approvedFile".
 */
export interface ApprovedFile {
  path: string;
  bytes: number;
  /**
   * Null where no call may read the file without being asked about, as of a secret no record holds a digest, and where it is larger than what is read for a question. Its size and time of change are bound then.
   */
  sha256: null | string;
  /**
   * Where `sha256` is null: when the file was changed last, in nanoseconds since 1970.
   */
  changed?: string;
}
/**
 * femtoclaw.toml. Unknown keys are errors. Only what is named here is allowed.
 */
export interface Configuration {
  /**
   * Folder at which relative paths of calls start; itself relative to this file.
   */
  workspace?: string;
  /**
   * Absolute folders in which programs are looked up, in this order. The variable PATH is never used.
   *
   * @maxItems 256
   */
  search_path?: string[];
  /**
   * A capability that is not named here is disabled. `false` also prevents enabling it at run time.
   */
  capabilities?: {
    [k: string]: CapabilitySwitch;
  };
  allow?: AllowTable;
  ask?: AskTable;
  deny?: DenyTable;
  sensitive?: SensitiveTable;
  after_secret?: AfterTable;
  after_untrusted?: AfterTable;
  budgets?: BudgetsTable;
  shadow?: ShadowTable;
  /**
   * What one agent may not do, or only after a question. The host identifies the agent by its socket, `agent-NAME.sock`. Nothing here permits anything.
   */
  agent?: {
    [k: string]: AgentTable;
  };
  /**
   * Agents that `femtoclaw run -- NAME` launches in the sandbox. Each runs with any arguments. By itself it can change nothing, and connect only to the hosts that `[sandbox].connect` names for its program.
   */
  launch?: {
    [k: string]: LaunchTable;
  };
  sandbox?: SandboxTable;
  limits?: LimitsTable;
  terminals?: TerminalsTable;
  approvals?: ApprovalsTable;
  memory?: MemoryTable;
  host?: HostTable;
  chat?: ChatTable;
  mcp?: McpTable;
  observability?: ObservabilityTable;
  audit?: AuditTable;
}
export interface CapabilityOptions {
  /**
   * Overrides [limits].timeout_ms for this capability.
   */
  timeout_ms?: number;
  /**
   * Overrides [limits].output_bytes for this capability.
   */
  output_bytes?: number;
  /**
   * Overrides [limits].memory_bytes for this capability.
   */
  memory_bytes?: number;
  /**
   * Overrides [limits].processes for this capability.
   */
  processes?: number;
  /**
   * Overrides [limits].cpu_ms for this capability.
   */
  cpu_ms?: number;
  /**
   * Overrides [limits].file_bytes for this capability.
   */
  file_bytes?: number;
  /**
   * Overrides [limits].open_files for this capability.
   */
  open_files?: number;
  /**
   * Overrides [limits].temporary_bytes for this capability.
   */
  temporary_bytes?: number;
  /**
   * Folder of its package, if the capability is not built in. It runs in the sandbox, one process for each call.
   */
  package?: string;
  /**
   * Who accepts the files of the package if nothing of it was ever pinned: the first call that uses it, or an operator. Default: operator.
   */
  pins?: "first_use" | "operator";
}
/**
 * What is permitted.
 *
 * This interface was referenced by `Configuration`'s JSON-Schema
 * via the `definition` "allowTable".
 */
export interface AllowTable {
  /**
   * Files and folders for `fs_read`, `fs_list`, `fs_stat` and `fs_search`. Programs can read them.
   *
   * @maxItems 256
   */
  read?: string[];
  /**
   * Files and folders for `fs_write`, `fs_edit`, `fs_mkdir`, `fs_move` (both ends) and `fs_delete`. Programs can read and write them.
   *
   * @maxItems 256
   */
  write?: string[];
  run?: RunTable;
  /**
   * Hosts for `net_fetch`: `example.com` is https on port 443, `example.com:8080` that port with http or https, `*.example.com` every name below it, `*` every host. A host without a public address needs an entry with exactly its name or address, and its port.
   *
   * @maxItems 256
   */
  fetch?: string[];
  tools?: ToolsTable;
}
/**
 * For each program, by name or absolute path: its uses.
 *
 * This interface was referenced by `Configuration`'s JSON-Schema
 * via the `definition` "runTable".
 */
export interface RunTable {
  /**
   * Uses of one program. A text is a first argument, without any options; `"*"` means any arguments.
   *
   * @minItems 1
   * @maxItems 64
   */
  [k: string]: [RunRule, ...RunRule[]];
}
export interface RunWord {
  /**
   * First argument.
   */
  word: string;
  /**
   * Options that the call may have in addition to the word.
   *
   * @maxItems 64
   */
  flags?: string[];
}
export interface RunAny {
  /**
   * Any arguments, like `"*"`.
   */
  any: true;
  /**
   * Required for programs that can execute other code.
   */
  unsafe?: true;
}
/**
 * For each tool of an MCP server, as `NAME__TOOL`, or `NAME__*` for all tools of the server: its uses.
 *
 * This interface was referenced by `Configuration`'s JSON-Schema
 * via the `definition` "toolsTable".
 */
export interface ToolsTable {
  /**
   * Uses of one tool. `"*"` means any arguments.
   *
   * @minItems 1
   * @maxItems 64
   */
  [k: string]: [ToolRule, ...ToolRule[]];
}
export interface ToolWith {
  /**
   * Top-level arguments, each with a list of values. The call must have all of these arguments, each with one of its values.
   */
  with: {
    /**
     * Values of one argument.
     *
     * @minItems 1
     * @maxItems 64
     */
    [k: string]: [string | number | boolean, ...(string | number | boolean)[]];
  };
}
/**
 * What is permitted only after an operator has said yes to exactly this call.
 *
 * This interface was referenced by `Configuration`'s JSON-Schema
 * via the `definition` "askTable".
 */
export interface AskTable {
  /**
   * Files and folders for `fs_read`, `fs_list`, `fs_stat` and `fs_search`. Programs do not see them.
   *
   * @maxItems 256
   */
  read?: string[];
  /**
   * Files and folders for `fs_write`, `fs_edit`, `fs_mkdir`, `fs_move` (both ends) and `fs_delete`. Programs cannot write to them.
   *
   * @maxItems 256
   */
  write?: string[];
  run?: RunTable;
  /**
   * How many different operators must say yes. If more than one, they must sign. Default: 1.
   */
  operators?: number;
  /**
   * Hosts for `net_fetch`, as under `allow`. An entry without a port asks about every port.
   *
   * @maxItems 256
   */
  fetch?: string[];
  tools?: ToolsTable;
}
/**
 * What is forbidden, whatever else permits it.
 *
 * This interface was referenced by `Configuration`'s JSON-Schema
 * via the `definition` "denyTable".
 */
export interface DenyTable {
  /**
   * Files and folders that no call on files reads, lists or changes. Programs do not see them.
   *
   * @maxItems 256
   */
  read?: string[];
  /**
   * Files and folders that no call on files changes. Programs cannot write to them.
   *
   * @maxItems 256
   */
  write?: string[];
  run?: RunTable;
  /**
   * Hosts for `net_fetch` and for connections of programs. An entry without a port forbids every port.
   *
   * @maxItems 256
   */
  fetch?: string[];
  tools?: ToolsTable;
}
/**
 * Places that mark a principal that may have read them, permanently.
 */
export interface SensitiveTable {
  /**
   * Files and folders with secrets. Programs do not see them. A permitted call on one sets `session.has_read_secret` for its principal.
   *
   * @maxItems 256
   */
  secret?: string[];
  /**
   * Files and folders with content that strangers wrote. A permitted call on one, or a permitted program that can see one, sets `session.has_seen_untrusted` for its principal.
   *
   * @maxItems 256
   */
  untrusted?: string[];
}
/**
 * What is forbidden after a principal may have read a secret (`after_secret`) or untrusted content (`after_untrusted`), whatever else permits it.
 *
 * This interface was referenced by `Configuration`'s JSON-Schema
 * via the `definition` "afterTable".
 */
export interface AfterTable {
  run?: RunTable;
  /**
   * Hosts for `net_fetch` and for connections of programs. `*` means every host, an entry without a port every port.
   *
   * @maxItems 256
   */
  fetch?: string[];
  tools?: ToolsTable;
}
/**
 * What one session may use before it is halted.
 *
 * This interface was referenced by `Configuration`'s JSON-Schema
 * via the `definition` "budgetsTable".
 */
export interface BudgetsTable {
  /**
   * Number of permitted calls.
   */
  calls?: number;
  /**
   * Bytes that its permitted calls send and get back. A running call counts with the most that it may get back.
   */
  bytes?: number;
  /**
   * Seconds since its first call. No call begins later.
   */
  seconds?: number;
}
/**
 * Rules on trial, together with the files in `policy/shadow`. They also decide each call that is decided, and its record says how. They permit, ask and forbid nothing. A key here replaces the same key of the tables in force; everything else is as in force.
 */
export interface ShadowTable {
  allow?: AllowTable;
  ask?: AskTable;
  deny?: DenyTable;
  after_secret?: AfterTable;
  after_untrusted?: AfterTable;
  budgets?: BudgetsTable;
  /**
   * The same for one agent that `[agent.NAME]` names too: on trial, a key here replaces the same key of its tables.
   */
  agent?: {
    [k: string]: AgentTable;
  };
}
/**
 * This interface was referenced by `Configuration`'s JSON-Schema
 * via the `definition` "agentTable".
 */
export interface AgentTable {
  allow?: AllowTable;
  ask?: AskTable;
  deny?: DenyTable;
}
/**
 * This interface was referenced by `Configuration`'s JSON-Schema
 * via the `definition` "launchTable".
 */
export interface LaunchTable {
  /**
   * Name of its program, or absolute path of one in `search_path`. Default: NAME.
   */
  program?: string;
  /**
   * Name of the agent whose tables apply to its calls; `[agent.NAME]` must exist. Default: none, so it has the rights of everybody.
   */
  agent?: string;
  /**
   * Names of variables that it gets from the shell in which it is launched, for example the key of its model.
   *
   * @maxItems 64
   */
  env?: string[];
  /**
   * Agent for which a configuration is written at each launch: FemtoClaw as its only MCP server, its own tools off, settings of the project hidden. Default: the program's name if it is one of these, otherwise `other`, for which none is written.
   */
  kind?: "claude" | "codex" | "opencode" | "pi" | "other";
  /**
   * Model that it is told to use. Default: the agent's own choice.
   */
  model?: string;
  /**
   * Address of its model's server. Its host must be among those that `[sandbox].connect` names for the program. Default: the provider's.
   */
  base_url?: string;
}
export interface SandboxTable {
  /**
   * Further files and folders that programs can read.
   *
   * @maxItems 256
   */
  read?: string[];
  /**
   * Names of variables that programs get from the host, and that a call may set.
   *
   * @maxItems 64
   */
  env?: string[];
  /**
   * For each program, by name or absolute path: the hosts that it and what it starts may connect to, spelt as under `allow.fetch`. This applies when `process_exec` runs the program, and when it is launched as an agent. A host without a public address needs an entry with exactly its name or address, and its port.
   */
  connect?: {
    /**
     * @maxItems 256
     */
    [k: string]: string[];
  };
}
export interface LimitsTable {
  /**
   * Milliseconds that one execution may take.
   */
  timeout_ms?: number;
  /**
   * Bytes of output that are kept of one execution.
   */
  output_bytes?: number;
  /**
   * Executions that can be in the runtime's own stages at the same time.
   */
  concurrency?: number;
  /**
   * Calls that can wait for admission. Further ones are refused.
   */
  queue?: number;
  /**
   * Memory of one program with all its processes, in a control group. Without one, each process may reserve four times as much.
   */
  memory_bytes?: number;
  /**
   * Processes and threads that one program can have at the same time.
   */
  processes?: number;
  /**
   * Processor time of each process of a program; whole seconds count.
   */
  cpu_ms?: number;
  /**
   * Bytes of each file that a program writes.
   */
  file_bytes?: number;
  /**
   * Descriptors that each process of a program can have open.
   */
  open_files?: number;
  /**
   * Bytes that a program can keep in its `/tmp`.
   */
  temporary_bytes?: number;
}
export interface TerminalsTable {
  /**
   * Whether input to terminals is recorded, including passwords. Default: false.
   */
  record_input?: boolean;
  /**
   * Milliseconds after which a terminal ends if its session does not use it. Default: ten minutes.
   */
  idle_ms?: number;
  /**
   * Milliseconds after which a terminal ends in any case. Default: eight hours.
   */
  total_ms?: number;
}
export interface ApprovalsTable {
  /**
   * Milliseconds after which a question without an answer counts as a no. Default: one hour.
   */
  expires_ms?: number;
  /**
   * Questions of one session that can be open at the same time. Default: 8.
   */
  per_session?: number;
  /**
   * Questions of all sessions together that can be open at the same time. Default: 256.
   */
  at_once?: number;
  /**
   * Public keys of operators, each as `femtoclaw keys operator` prints it (name+id+key).
   *
   * @maxItems 32
   */
  operators?: string[];
  /**
   * Whether one of the operators must sign each answer. Default: false.
   */
  operator_key?: boolean;
  webhook?: WebhookTable;
}
/**
 * A server that gets a message when a question is asked, answered or has expired. It cannot answer.
 *
 * This interface was referenced by `Configuration`'s JSON-Schema
 * via the `definition` "webhookTable".
 */
export interface WebhookTable {
  /**
   * Address to which messages are posted. It must be https, or http to this machine.
   */
  url: string;
  /**
   * File with the secret that signs the messages, of at least 24 characters, which only you can read. Set this or `key_env`.
   */
  key_file?: string;
  /**
   * Variable of the host with the secret that signs the messages.
   */
  key_env?: string;
}
export interface MemoryTable {
  /**
   * State directory. Default: a folder for each project in the user's state folder.
   */
  path?: string;
}
export interface HostTable {
  /**
   * Folder of the sockets. Default: a folder for each state directory in the user's runtime folder.
   */
  runtime_dir?: string;
  /**
   * Whether `femtoclaw mcp` and `femtoclaw chat` start a host if none runs. Default: false.
   */
  autostart?: boolean;
}
/**
 * The model that `femtoclaw chat` talks to, and what one turn may use.
 */
export interface ChatTable {
  /**
   * The protocol of the model's server.
   */
  provider: "openai-compatible" | "anthropic";
  /**
   * Name of the model, as its provider calls it.
   */
  model: string;
  /**
   * Address of the model's server, for example http://127.0.0.1:11434/v1. With a key it must be https, or http to this machine. An OpenAI-compatible provider needs one. Default: that of Anthropic.
   */
  base_url?: string;
  /**
   * File with the provider's key, which only you can read and no call can reach. Set this, `key_env`, or neither.
   */
  key_file?: string;
  /**
   * Variable with the provider's key.
   */
  key_env?: string;
  /**
   * Tokens of one answer. Default: the provider's.
   */
  answer_tokens?: number;
  /**
   * Characters of the conversation that are sent to the model. Older turns are left out. Default: 120000.
   */
  context_chars?: number;
  /**
   * Milliseconds that a call waits for an operator before it is withdrawn. Default: ten minutes.
   */
  wait_ms?: number;
  /**
   * Calls of one turn. Default: 50.
   */
  turn_calls?: number;
  /**
   * Tokens of one turn, sent and received. When they are used up, the model is not asked again. Default: a million.
   */
  turn_tokens?: number;
  /**
   * Milliseconds of one turn. Default: a quarter of an hour.
   */
  turn_ms?: number;
}
export interface McpTable {
  /**
   * Third-party MCP servers. The host offers their tools as `NAME__TOOL`. Under `[capabilities]`, the server is called `mcp_NAME`.
   */
  servers?: {
    [k: string]: McpServerTable;
  };
}
/**
 * A third-party MCP server: a `command` that runs in the sandbox, or a `url`.
 *
 * This interface was referenced by `Configuration`'s JSON-Schema
 * via the `definition` "mcpServerTable".
 */
export interface McpServerTable {
  /**
   * A program in `search_path`, and its arguments. It speaks MCP on stdin and stdout, sees what programs see, and has no network.
   *
   * @minItems 1
   * @maxItems 64
   */
  command?: [string, ...string[]];
  /**
   * For a `command`: names of variables that it gets from the host in addition to those of `[sandbox].env`.
   *
   * @maxItems 32
   */
  env?: string[];
  /**
   * Address of a server that speaks MCP over HTTP. It must be https, or http to this machine.
   */
  url?: string;
  /**
   * For a `url`: headers of each request. `secret://NAME` means a secret that is stored for that host.
   */
  headers?: {
    [k: string]: string;
  };
  /**
   * Who accepts what the server offers if nothing of it is pinned yet: `first_use` accepts what it offers first, `operator` waits for `femtoclaw mcp pins accept`. Default: first_use.
   */
  pins?: "first_use" | "operator";
  /**
   * The tools of the server that are offered. Default: all.
   *
   * @maxItems 256
   */
  tools?: string[];
  /**
   * What the server may ask the client that calls it: `elicitation` to fill in a form, `sampling` to let the client's model write, `roots` to name its folders. The answers are recorded, and are only data for the server. Default: nothing.
   *
   * @maxItems 3
   */
  may_ask?:
    | []
    | ["elicitation" | "sampling" | "roots"]
    | ["elicitation" | "sampling" | "roots", "elicitation" | "sampling" | "roots"]
    | [
        "elicitation" | "sampling" | "roots",
        "elicitation" | "sampling" | "roots",
        "elicitation" | "sampling" | "roots"
      ];
}
export interface ObservabilityTable {
  /**
   * Endpoint for OTLP over HTTP, for example http://127.0.0.1:4318. Default: none.
   */
  otlp?: string;
  /**
   * What is sent to `otlp`. Default: all three.
   *
   * @minItems 1
   * @maxItems 3
   */
  signals?:
    | ["traces" | "logs" | "metrics"]
    | ["traces" | "logs" | "metrics", "traces" | "logs" | "metrics"]
    | ["traces" | "logs" | "metrics", "traces" | "logs" | "metrics", "traces" | "logs" | "metrics"];
  /**
   * Address at which the host serves metrics under /metrics, for example 127.0.0.1:9464. Default: none.
   */
  prometheus?: string;
  /**
   * Address at which the host serves /livez and /readyz; it can be that of `prometheus`. Default: none.
   */
  health?: string;
  /**
   * Names that other machines may use for these addresses, as in the header Host. Without this list, the addresses must be loopback addresses.
   *
   * @minItems 1
   * @maxItems 16
   */
  hosts?:
    | [string]
    | [string, string]
    | [string, string, string]
    | [string, string, string, string]
    | [string, string, string, string, string]
    | [string, string, string, string, string, string]
    | [string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string, string, string, string]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ];
}
export interface AuditTable {
  /**
   * Whether calls are refused while a witness has not confirmed the newest checkpoint in time.
   */
  require?: boolean;
  /**
   * Witnesses, which keep checkpoints of the journal elsewhere. Each is a table `[[audit.witness]]`.
   *
   * @maxItems 32
   */
  witness?: WitnessTable[];
}
/**
 * This interface was referenced by `Configuration`'s JSON-Schema
 * via the `definition` "witnessTable".
 */
export interface WitnessTable {
  /**
   * Kind of witness.
   */
  kind: "file" | "command" | "http";
  /**
   * Name of the witness in records and messages.
   */
  name: string;
  /**
   * For a `file`: the file to which checkpoints are appended, outside the state directory.
   */
  path?: string;
  /**
   * For a `command`: absolute path of the program, and its arguments. It gets the request on stdin.
   *
   * @minItems 1
   * @maxItems 64
   */
  command?: [string, ...string[]];
  /**
   * For `http`: address of the witness. `/add-checkpoint` is added to it.
   */
  url?: string;
  /**
   * For `http`: public key of the witness.
   */
  vkey?: string;
}
/**
 * What a capability declares about itself. The runtime trusts nothing else about it.
 */
export interface CapabilityManifest {
  /**
   * Underscores only: the interfaces of language models refuse dots.
   */
  name: string;
  version: string;
  description: string;
  /**
   * JSON Schema 2020-12 of the arguments; an object schema that is closed.
   */
  input: {
    [k: string]: unknown;
  };
  /**
   * JSON Schema 2020-12 of the result.
   */
  output: {
    [k: string]: unknown;
  };
  /**
   * Which arguments name a resource. Trusted code takes facts from them, policy decides on the facts.
   *
   * @maxItems 16
   */
  arguments:
    | []
    | [DeclaredArgument]
    | [DeclaredArgument, DeclaredArgument]
    | [DeclaredArgument, DeclaredArgument, DeclaredArgument]
    | [DeclaredArgument, DeclaredArgument, DeclaredArgument, DeclaredArgument]
    | [DeclaredArgument, DeclaredArgument, DeclaredArgument, DeclaredArgument, DeclaredArgument]
    | [DeclaredArgument, DeclaredArgument, DeclaredArgument, DeclaredArgument, DeclaredArgument, DeclaredArgument]
    | [
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument
      ]
    | [
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument
      ]
    | [
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument
      ]
    | [
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument
      ]
    | [
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument
      ]
    | [
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument
      ]
    | [
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument
      ]
    | [
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument
      ]
    | [
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument
      ]
    | [
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument,
        DeclaredArgument
      ];
  effect: "none" | "read" | "write" | "execute" | "network";
  /**
   * Whether running it twice has the effect of running it once.
   */
  idempotent: boolean;
  limits: {
    timeout_ms: number;
    output_bytes: number;
  };
}
export interface DeclaredPath {
  pointer: string;
  kind: "path";
  /**
   * `create` may name a file that does not exist yet.
   */
  access: "read" | "list" | "create";
  /**
   * Whether the call is about everything below a folder, too: always, or where the truth value at this pointer says so.
   */
  recursive?: true | string;
  /**
   * Pointer to a truth value: folders on the way that are missing are created, and asked about, too.
   */
  parents?: string;
}
export interface DeclaredProgram {
  pointer: string;
  kind: "program";
  /**
   * Pointer to the array of its arguments.
   */
  argv: string;
  cwd?: string;
  env?: string;
  /**
   * Pointer to a list of stages that may stand in its place: each with a program and arguments of its own at these pointers, all with this folder and these variables.
   */
  stages?: string;
}
export interface DeclaredTerminal {
  pointer: string;
  /**
   * Identifier of an open terminal of the same session; its facts are those of the program on it.
   */
  kind: "terminal";
}
export interface DeclaredHost {
  /**
   * Pointer to the URL.
   */
  pointer: string;
  kind: "host";
  /**
   * Pointer to the HTTP method; GET where it is absent.
   */
  method?: string;
  /**
   * Pointer to the table of headers.
   */
  headers?: string;
}
export interface DeclaredMcpTool {
  /**
   * All arguments of the call are the tool's.
   */
  pointer: "";
  kind: "mcp_tool";
  /**
   * The MCP server whose tool is called.
   */
  server: string;
  /**
   * The tool; absent where the server as a whole is meant.
   */
  tool?: string;
  /**
   * Digest of the definition that is in force.
   */
  definition?: string;
  /**
   * Whether the server itself calls the tool destructive.
   */
  destructive?: boolean;
}
export interface DeclaredSize {
  pointer: string;
  kind: "size";
}
export interface TextMessage {
  message: {
    content: string;
  };
}
export interface ToolCallMessage {
  tool_call: ToolCall;
}
export interface ToolCall {
  /**
   * Exact, case-sensitive name of a registered capability.
   */
  tool: string;
  /**
   * Arguments, checked against the capability's own schema.
   */
  args: {
    [k: string]: unknown;
  };
}
/**
 * Who decided to act, for whom, and under which grant. The runtime writes it; of what a client says of itself only `agent` is taken, and proves nothing.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "actor".
 */
export interface RecordActor {
  /**
   * For whom; policy decides on this name.
   */
  principal: string;
  /**
   * What the client calls itself.
   */
  agent: null | string;
  /**
   * Door of the runtime through which it came.
   */
  channel: "library" | "agent" | "operator";
  /**
   * The grant under which an agent acts for the principal; null for an operator, who acts for himself.
   */
  delegation: null | Delegation;
}
/**
 * A grant that the runtime issued; nobody issues one to himself.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "delegation".
 */
export interface Delegation {
  uid: string;
  /**
   * The grant that this one was made from.
   */
  parent: null | string;
  issuer: "runtime";
}
/**
 * The state machine that folds this record, as the writer had it. A replay uses this one or says that it cannot.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "machine".
 */
export interface MachineIdentity {
  id: "lifecycle" | "memory" | "registry" | "policy" | "observability" | "execution";
  version: string;
  /**
   * Digest of its definition with guards and actions.
   */
  sha256: string;
}
/**
 * HMAC-SHA-256 of a value under a random salt of its own. Salt and value are kept beside the record until they are erased, which leaves the record as it is.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "commitment".
 */
export interface Commitment {
  /**
   * JSON pointer into `body`; null stands there.
   */
  path: string;
  /**
   * What the value's bytes are: a string's UTF-8, a JSON text, or raw bytes.
   */
  form: "text" | "json" | "bytes";
  bytes: number;
  hmac: string;
  /**
   * Whether the value was kept beside the salt, or only the salt.
   */
  kept: boolean;
}
/**
 * One place from which a secret was taken.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "redaction".
 */
export interface Redaction {
  /**
   * JSON pointer into `body`.
   */
  path: string;
  /**
   * `x-secret`, `environment`, `headers`, or the name of a pattern.
   */
  rule: string;
}
/**
 * The first record of every journal: the name of the log and the key that vouches for it.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "logCreatedBody".
 */
export interface LogCreatedBody {
  /**
   * Name of the log, made from its first public key.
   */
  origin: string;
  /**
   * Public key in the form that C2SP signed notes give it: origin+id+key.
   */
  vkey: string;
  /**
   * Record format at that time.
   */
  format: number;
  /**
   * Version of the FemtoClaw that created the log.
   */
  version: string;
  parent: null | LogParent;
}
/**
 * The log that this one goes on from, as it was when this one began.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "logParent".
 */
export interface LogParent {
  origin: string;
  /**
   * Key in force at that size.
   */
  vkey: string;
  /**
   * Records of that log that this one goes on from.
   */
  size: number;
  /**
   * Root of the Merkle tree over them.
   */
  root: string;
  /**
   * Why this log began: a fork; a state directory that is not the one that it was; a journal older than what was known of it; a directory of which nothing was known; or a backup that was restored.
   */
  reason: "fork" | "copy" | "rollback" | "unidentified" | "restore";
}
/**
 * Another key vouches for the log from here on. The next checkpoint is signed by both; the retired key signs no other above this record.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "keyRotatedBody".
 */
export interface KeyRotatedBody {
  vkey: string;
  retired_vkey: string;
}
/**
 * A host opened the journal. Everything after it, up to the next of its kind, belongs to this boot.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "bootStartedBody".
 */
export interface BootStartedBody {
  version: string;
  node: string;
  platform: string;
  pid: number;
  uid: number;
  previous_boot: null | string;
  previous_end: "none" | "clean" | "crash";
  integrity: "verified" | "unverified";
  /**
   * Why the program that runs is verified, or is not.
   */
  integrity_reason?: string;
  deployment?: Deployment;
  installation?: Installation;
  configuration: ConfigurationDigest;
  approvals?: ApprovalAuthority;
}
/**
 * What was deployed, by digests that depend on no place: two that are equal behave alike.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "deployment".
 */
export interface Deployment {
  /**
   * Over all of the others.
   */
  digest: string;
  /**
   * The standalone executable; null where the sources run.
   */
  binary: null | string;
  /**
   * The file as it was read; of a configuration made in code what it resolves to.
   */
  configuration: string;
  /**
   * The policy folder beside the configuration.
   */
  policy: string;
  schemas: string;
  machines: string;
  /**
   * The manifests of all registered capabilities.
   */
  capabilities: string;
}
/**
 * The installation that the program belongs to, as its receipt says; absent where it was not installed.
 */
export interface Installation {
  scope: "system" | "user";
  version: string;
  /**
   * The executable that was installed.
   */
  binary: string;
  /**
   * When this executable was put in force.
   */
  installed_at: string;
  /**
   * Digest of the receipt, which lists every file that was installed.
   */
  receipt: string;
}
/**
 * The configuration in force and whether it differs from the last boot's.
 */
export interface ConfigurationDigest {
  path: null | string;
  sha256: string;
  changed: boolean;
}
/**
 * Whose answers count in this boot. A yes of somebody else to a question that is still open counts no more.
 */
export interface ApprovalAuthority {
  /**
   * Public keys of the operators: name+id+key.
   *
   * @maxItems 32
   */
  operators: string[];
  /**
   * Whether every answer has to be signed by one of them.
   */
  operator_key: boolean;
}
/**
 * The runtime moved from one phase of its life to another.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "lifecycleChangedBody".
 */
export interface LifecycleChangedBody {
  event: string;
  from:
    | "verifyingIntegrity"
    | "loadingConfiguration"
    | "openingMemory"
    | "loadingRegistry"
    | "loadingPolicy"
    | "startingObservability"
    | "idle"
    | "executing"
    | "draining"
    | "shuttingDown"
    | "terminated"
    | "error";
  to:
    | "verifyingIntegrity"
    | "loadingConfiguration"
    | "openingMemory"
    | "loadingRegistry"
    | "loadingPolicy"
    | "startingObservability"
    | "idle"
    | "executing"
    | "draining"
    | "shuttingDown"
    | "terminated"
    | "error";
  fault?: RecordedFault;
}
/**
 * Why the runtime left its course.
 */
export interface RecordedFault {
  code: string;
  reason: string;
}
/**
 * Capabilities that this boot knows; whether each is enabled, and who said so.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "registryLoadedBody".
 */
export interface RegistryLoadedBody {
  capabilities: RegisteredCapability[];
}
/**
 * One registered capability.
 */
export interface RegisteredCapability {
  name: string;
  version: string;
  sha256: string;
  enabled: boolean;
  source: "default" | "configuration" | "operator";
  locked: boolean;
  isolation: "sandbox" | "host" | "in-process";
  /**
   * Who wrote it: FemtoClaw, the program that embeds it, the author of a package, or an MCP server of others.
   */
  origin?: "built-in" | "embedder" | "package" | "mcp";
  /**
   * It runs in the process of the host, because whoever embeds that trusts it. Absent where it does not.
   */
  trusted?: true;
}
/**
 * An operator enabled a capability.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "capabilityEnabledBody".
 */
export interface CapabilityEnabledBody {
  name: string;
}
/**
 * An operator disabled a capability.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "capabilityDisabledBody".
 */
export interface CapabilityDisabledBody {
  name: string;
}
/**
 * One compiled rule and where it came from.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "policyRule".
 */
export interface PolicyRule {
  id: string;
  text: string;
  source: null | string;
  /**
   * What the rule does, in plain words.
   */
  reason?: string;
  /**
   * What an operator can change about it.
   */
  fix?: string;
}
/**
 * What the rules on trial say of the call, on the facts of this record. It has no part in what was decided.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "shadowVerdict".
 */
export interface ShadowVerdict {
  /**
   * Revision of the rules on trial; the activation before has their text.
   */
  revision: string;
  verdict: "allowed" | "asks" | "denied" | "undecided";
  /**
   * Error code that a proposer would have heard, or under which nothing could be decided; null where it is allowed.
   */
  code: null | string;
  /**
   * Sorted identifiers of the rules that say so, the first ones.
   *
   * @maxItems 32
   */
  rules: string[];
}
/**
 * A policy revision came into force.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "policyActivatedBody".
 */
export interface PolicyActivatedBody {
  revision: string;
  engine: string;
  schema_sha256: string;
  /**
   * The Cedar schema by which the rules are read; null where it is a commitment.
   */
  schema?: null | string;
  /**
   * Null where they are a commitment.
   */
  rules: null | PolicyRule[];
  /**
   * Revision of the rules on trial beside it, of the same engine and schema; absent where there are none.
   */
  shadow?: string;
  /**
   * The whole set on trial; null where it is a commitment.
   */
  shadow_rules?: null | PolicyRule[];
  /**
   * Digest of the configuration that it was compiled from, where that was loaded anew while the host ran; else the boot's record has it.
   */
  configuration?: string;
}
/**
 * A candidate for the policy was not taken. What was in force stays in force.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "policyRejectedBody".
 */
export interface PolicyRejectedBody {
  /**
   * Null where it did not come as far as having one.
   */
  revision: null | string;
  code: string;
  reason: string;
}
/**
 * Export of telemetry began.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "observabilityStartedBody".
 */
export interface ObservabilityStartedBody {
  exporter: "none" | "otlp";
  cursor: number;
  state: "exporting" | "degraded";
  reason?: string;
}
/**
 * Export of telemetry degraded or recovered.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "observabilityChangedBody".
 */
export interface ObservabilityChangedBody {
  state: "exporting" | "degraded";
  cursor: number;
  reason?: string;
}
/**
 * A subsystem failed; the root decided what follows.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "supervisionCrashedBody".
 */
export interface SupervisionCrashedBody {
  subsystem: "memory" | "registry" | "policy" | "observability";
  code: string;
  reason: string;
  at_ms: number;
  decision: "restart" | "give-up";
}
/**
 * A subsystem runs again, from its last snapshot.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "supervisionRestartedBody".
 */
export interface SupervisionRestartedBody {
  subsystem: "memory" | "registry" | "policy" | "observability";
}
/**
 * The runtime minted a session for a connection or an embedder. Who that is stands in `actor`.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "sessionOpenedBody".
 */
export interface SessionOpenedBody {
  /**
   * By which rules the history facts of the session are folded from its records. Absent in sessions of versions that knew none.
   */
  history?: 1;
}
/**
 * The session's connection ended.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "sessionClosedBody".
 */
export interface SessionClosedBody {
  executions: number;
}
/**
 * A protocol message in message form: recorded, never executed.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "messageRecordedBody".
 */
export interface MessageRecordedBody {
  /**
   * Null where it is a commitment.
   */
  content: null | string;
}
/**
 * A call that was not permitted to run, with the reason. Of what was refused a commitment and a capped head are kept.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "executionRefusedBody".
 */
export interface ExecutionRefusedBody {
  tool: null | string;
  request: RefusedRequest;
  label: null | string;
  trace?: TraceContext;
  event:
    | "invalid"
    | "unknown"
    | "disabled"
    | "argumentsInvalid"
    | "factsFailed"
    | "denied"
    | "halted"
    | "cancelled"
    | "refused"
    | "expired";
  decision: DecisionCode;
  facts: null | Facts;
  /**
   * SHA-256 of the JSON text [principal, tool, facts], as they are recorded; null where no facts were taken.
   */
  input_sha256: null | string;
  revision: null | string;
  rules: string[];
  error: ReplyError;
  shadow?: ShadowVerdict;
  /**
   * Sequence number of the question that this ends; absent where nobody was asked.
   */
  approval?: number;
}
/**
 * What was refused; the record's commitment `/request/payload` is over its bytes.
 */
export interface RefusedRequest {
  bytes: number;
  head: string;
  payload: null;
}
/**
 * Where in somebody else's trace a proposal stands, as W3C Trace Context says it. Absent where nothing was said of it.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "traceContext".
 */
export interface TraceContext {
  traceparent?: string;
  tracestate?: string;
  /**
   * What was there and not of its form, so that it was left out.
   *
   * @minItems 1
   * @maxItems 1
   */
  ignored?: ["traceparent" | "tracestate"];
}
/**
 * This interface was referenced by `Reply`'s JSON-Schema
 * via the `definition` "error".
 */
export interface ReplyError {
  error_type: ErrorType;
  code: string;
  reason: string;
  fix: string;
  capability?: string;
  /**
   * RFC 3339, UTC.
   */
  timestamp: string;
}
/**
 * A permitted call, made durable before its effect begins.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "executionIntentBody".
 */
export interface ExecutionIntentBody {
  tool: string;
  capability: string;
  /**
   * Null where they are a commitment.
   */
  args: null | {
    [k: string]: unknown;
  };
  label: null | string;
  trace?: TraceContext;
  /**
   * Null where they are a commitment.
   */
  facts: null | Facts;
  /**
   * SHA-256 of the JSON text [principal, tool, facts], as they are recorded.
   */
  input_sha256: string;
  revision: string;
  rules: string[];
  received_us: number;
  /**
   * Bytes of the call's message, as the session's history counts them.
   */
  bytes?: number;
  /**
   * The most that the call may get back; counted until its outcome says how much it was.
   */
  reserved_bytes?: number;
  /**
   * The capability runs in the process of the host, with all rights of that. Absent where it does not.
   */
  trusted?: true;
  /**
   * Digest of the names and digests of all files of the package that runs. Absent where none does.
   */
  code_sha256?: string;
  /**
   * What is true of the principal from this record on, for ever. Absent where the call changes nothing about that.
   */
  marks?: Mark[];
  /**
   * What stood at each path that the call may change; null where it is a commitment. Absent for calls that change no file, and for those of versions that kept nothing.
   */
  kept?: null | [KeptPath, ...KeptPath[]];
  shadow?: ShadowVerdict;
  /**
   * Sequence number of the question that operators said yes to; absent where nobody was asked.
   */
  approval?: number;
}
/**
 * What stood at a path before a call changed it.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "keptPath".
 */
export interface KeptPath {
  path: string;
  type: "file" | "directory" | "missing";
  /**
   * Size of the file.
   */
  bytes?: number;
  /**
   * What the file held; null where it is a commitment. Absent where it was not kept.
   */
  content?: null | string;
  /**
   * How the content stands for bytes.
   */
  encoding?: "utf8" | "base64";
  /**
   * Why the content was not kept, so that the call cannot be undone.
   */
  lost?: "large" | "secret" | "linked" | "unreadable";
}
/**
 * What became of a permitted call, made durable before anyone hears the answer.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "executionOutcomeBody".
 */
export interface ExecutionOutcomeBody {
  left?: LeftBehind;
  intent: number;
  event: "succeeded" | "failed" | "timedOut" | "cancelled" | "contained" | "halted";
  duration_us: number;
  sandbox: null | string;
  /**
   * Null where it is a commitment.
   */
  result?: null | {
    [k: string]: unknown;
  };
  error?: ReplyError;
  /**
   * Whether the effect had begun when this happened.
   */
  began: boolean;
  /**
   * Bytes of the result as JSON, as the session's history counts them.
   */
  bytes?: number;
  /**
   * The capability ran in the process of the host. Absent where it did not.
   */
  trusted?: true;
  /**
   * What programs of the call did at each host that they wanted to connect to. Absent where there was none.
   *
   * @maxItems 64
   */
  connections?: HostTraffic[];
  relayed?: Relayed;
}
/**
 * What the call left where it changed something, by which an undo knows it again. Absent where it cannot be undone.
 */
export interface LeftBehind {
  /**
   * Digest of the file's content.
   */
  sha256?: string;
  /**
   * Inode, size and time of change in nanoseconds, as `fs_stat` gives them.
   */
  version?: string;
}
export interface HostTraffic {
  /**
   * Host and port, as the program named them, printable and cut.
   */
  host: string;
  /**
   * Connections that reached it.
   */
  connections: number;
  /**
   * Connections that were refused, by policy or because nothing took them.
   */
  refused: number;
  /**
   * Bytes that were sent there.
   */
  bytes_out: number;
  /**
   * Bytes that came from there.
   */
  bytes_in: number;
}
/**
 * What the proposer was told of an MCP server beside its answer. Absent where that was nothing.
 */
export interface Relayed {
  /**
   * Times that it was told how far the server is.
   */
  progress: number;
  /**
   * Lines of the server's log that it was told.
   */
  messages: number;
  /**
   * What its session was not told, because it was more than a session is told.
   */
  dropped: number;
  /**
   * The first of these lines, printable and cut.
   *
   * @maxItems 16
   */
  said:
    | []
    | [
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        }
      ]
    | [
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        }
      ]
    | [
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        }
      ]
    | [
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        }
      ]
    | [
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        }
      ]
    | [
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        }
      ]
    | [
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        }
      ]
    | [
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        }
      ]
    | [
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        }
      ]
    | [
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        }
      ]
    | [
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        }
      ]
    | [
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        }
      ]
    | [
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        }
      ]
    | [
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        }
      ]
    | [
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        }
      ]
    | [
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        },
        {
          level: "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";
          logger?: string;
          text: string;
        }
      ];
}
/**
 * A permitted call whose outcome a crash made unknown. It is never run again by itself.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "executionInterruptedBody".
 */
export interface ExecutionInterruptedBody {
  intent: number;
  tool: string;
  boot: string;
}
/**
 * Calls refused with this code since the last such record; they are counted, not recorded one by one.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "overloadRefusedBody".
 */
export interface OverloadRefusedBody {
  count: number;
  code: string;
}
/**
 * Digests of the actor snapshots stored with this record; each covers all records before it.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "snapshotTakenBody".
 */
export interface SnapshotTakenBody {
  covers: number;
  tree: TreeHead;
  actors: {
    [k: string]: SnapshotDigest;
  };
}
/**
 * The Merkle tree over the records that the snapshots cover.
 */
export interface TreeHead {
  size: number;
  root: string;
}
/**
 * One actor.
 */
export interface SnapshotDigest {
  machine: string;
  version: string;
  /**
   * Digest of the machine's definition; null for a state that no machine holds.
   */
  definition: null | string;
  sha256: string;
}
/**
 * An operator said what became of an execution that was interrupted. It changes nothing but what is known.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "executionResolvedBody".
 */
export interface ExecutionResolvedBody {
  /**
   * Sequence number of the record that left it open.
   */
  interrupted: number;
  tool: string;
  resolution: "done" | "not-done";
  /**
   * Why the operator says so, made printable.
   */
  reason: string;
}
/**
 * What a log that goes on from another takes over from it. Approvals and grants are not among it.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "epochOpenedBody".
 */
export interface EpochOpenedBody {
  /**
   * Capabilities that operators had disabled by hand; what they had enabled by hand is not taken over.
   */
  disabled: string[];
  /**
   * What is true of principals because of calls in the log before. Absent where there is nothing.
   */
  marks?: PrincipalMarks[];
  state: FoldedState;
}
export interface PrincipalMarks {
  principal: string;
  marks: Mark[];
}
/**
 * The state of every actor after the last record that was taken over, kept beside the old log.
 */
export interface FoldedState {
  covers: number;
  /**
   * Digest of that file.
   */
  sha256: string;
}
/**
 * An execution of the log before this one whose outcome nobody knows. It is never run again by itself and waits for a resolution.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "executionInheritedBody".
 */
export interface ExecutionInheritedBody {
  /**
   * The record of the old log that left it open.
   */
  record: number;
  tool: string;
}
/**
 * The disk became full, or has room again. While it is full no call is taken, and outcomes are written from the reserve.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "memoryChangedBody".
 */
export interface MemoryChangedBody {
  state: "full" | "ready";
  reason: string;
}
/**
 * No further effect of the session begins: an operator said so, a budget is used up, or more of its calls were refused than its quota of the journal holds. In the last case this record stands for those that were not recorded singly. The session's further calls are refused and counted.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "sessionHaltedBody".
 */
export interface SessionHaltedBody {
  /**
   * Refusals of the session that have records of their own.
   */
  recorded: number;
  /**
   * What was refused at last, as in `execution.refused`; absent where an operator halted it.
   */
  event?: string;
  /**
   * FEMTO_SESSION_HALTED where an operator halted it, FEMTO_BUDGET_EXCEEDED where a budget did; else the code of the last refusal.
   */
  code: string;
  /**
   * Why, in the operator's words or the budget's; absent where refusals were too many.
   */
  reason?: string;
}
/**
 * An operator had values erased that a record commits to. Salt and value are gone; the record and its proofs are as they were.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "valuesErasedBody".
 */
export interface ValuesErasedBody {
  /**
   * The record that commits to them.
   */
  seq: number;
  /**
   * The commitments, by their paths there.
   */
  paths: string[];
  /**
   * Why, in the operator's words.
   */
  reason: string;
}
/**
 * An operator had the oldest records dropped. Their hashes stay in the tree, so that a copy kept elsewhere can still be proved.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "logPrunedBody".
 */
export interface LogPrunedBody {
  /**
   * Records below this number are gone, except the first one and those that changed the key.
   */
  before: number;
  /**
   * How many went this time.
   */
  records: number;
}
/**
 * A call that policy permits only after operators say yes. It waits as this record and holds nothing else; the record's sequence number is the approval's identifier.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "approvalAskedBody".
 */
export interface ApprovalAskedBody {
  tool: string;
  capability: string;
  /**
   * Null where they are a commitment.
   */
  args: null | {
    [k: string]: unknown;
  };
  label: null | string;
  trace?: TraceContext;
  /**
   * Null where they are a commitment.
   */
  facts: null | Facts;
  /**
   * SHA-256 of the JSON text [principal, tool, facts], as they are recorded.
   */
  input_sha256: string;
  revision: string;
  /**
   * Sorted identifiers of the rules that ask.
   */
  rules: string[];
  /**
   * How many different operators have to say yes.
   */
  approvers: number;
  /**
   * Files that the call names and what they held when the question was asked.
   *
   * @maxItems 64
   */
  files: ApprovedFile[];
  shadow?: ShadowVerdict;
  /**
   * SHA-256 of the JSON text [principal, tool, capability, args, questions, files, rules, approvers], as they are recorded. An answer is to this and to nothing else.
   */
  digest: string;
  /**
   * RFC 3339, UTC. Without an answer by then the call is refused.
   */
  expires_at: string;
  /**
   * Time from the question to its expiry, which no change of the wall clock extends.
   */
  lifetime_ms: number;
}
/**
 * An operator answered a question. A yes is used once, for the call that was asked about.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "approvalAnsweredBody".
 */
export interface ApprovalAnsweredBody {
  /**
   * Sequence number of the question.
   */
  question: number;
  tool: string;
  /**
   * Digest of the question, as the operator saw it.
   */
  digest: string;
  answer: "granted" | "refused";
  /**
   * Whether the question is settled by this: by a no, or by the last yes that it needs.
   */
  complete: boolean;
  /**
   * `session`: the same call of the same session is not asked about again under this policy.
   */
  scope: "once" | "session";
  /**
   * What the operator says about it, made printable.
   */
  reason: null | string;
  /**
   * Whether the agent could have given this answer itself, because it runs as the operator's user and no key was asked for.
   */
  self_approvable: boolean;
  /**
   * Public key of the operator who signed the answer; absent where the operator's socket was enough.
   */
  key?: string;
  signature?: AnswerSignature;
}
/**
 * What the operator signed beside the rest of the record, and the signature by `key`. The signed text can be put together again from the record.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "answerSignature".
 */
export interface AnswerSignature {
  /**
   * Name of the log that the question stands in.
   */
  log: string;
  /**
   * RFC 3339, UTC, by the clock of whoever signed.
   */
  signed_at: string;
  /**
   * RFC 3339, UTC. The answer was worth nothing afterwards.
   */
  expires_at: string;
  /**
   * Base64 of the key's id and the Ed25519 signature, as in the signature line of a signed note.
   */
  signature: string;
}
/**
 * A program runs on a terminal of its own from here on. The execution that opened it has the same identifier as the terminal.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "terminalOpenedBody".
 */
export interface TerminalOpenedBody {
  /**
   * Identifier of the terminal.
   */
  terminal: string;
  /**
   * Path of the program, as it was decided on.
   */
  program: string;
  cols: number;
  rows: number;
  /**
   * Whether what is written to the terminal is recorded too.
   */
  input_recorded: boolean;
}
/**
 * What a terminal showed for a while, with times, so that it can be played again.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "terminalRecordedBody".
 */
export interface TerminalRecordedBody {
  /**
   * Identifier of the terminal.
   */
  terminal: string;
  /**
   * When the first part came, by the monotonic clock of the boot.
   */
  at_us: number;
  /**
   * All parts, one behind the other; null where it stands beside the record.
   */
  text: string | null;
  /**
   * The parts in their order.
   *
   * @maxItems 256
   */
  marks: TerminalMark[];
}
/**
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "terminalMark".
 */
export interface TerminalMark {
  /**
   * What the program wrote, what was written to it, or a new size as `COLSxROWS`.
   */
  kind: "output" | "input" | "size";
  /**
   * Microseconds after `at_us`.
   */
  after_us: number;
  /**
   * UTF-16 code units of the text that belong to this part.
   */
  chars: number;
}
/**
 * The end of a terminal: nothing that ran on it runs any more.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "terminalClosedBody".
 */
export interface TerminalClosedBody {
  /**
   * Identifier of the terminal.
   */
  terminal: string;
  /**
   * The record that says that it was opened.
   */
  opened: number;
  /**
   * `exited`: its program ended by itself. `closed`: its session closed it. `idle`, `expired`, `output`: a limit. `policy`: it would not be permitted any more. `halted`, `session`: its session was halted, or ended. `stopped`: the host stopped. `interrupted`: the host ended before it could say so.
   */
  why:
    "exited" | "closed" | "idle" | "expired" | "output" | "policy" | "halted" | "session" | "stopped" | "interrupted";
  reason: string;
  /**
   * Of the program; null where it was killed, or where nobody knows.
   */
  exit_code: number | null;
  signal: string | null;
  /**
   * Bytes that were written to it; null where nobody knows.
   */
  bytes_in: number | null;
  /**
   * Bytes that it wrote; null where nobody knows.
   */
  bytes_out: number | null;
  /**
   * Characters of its output for which the journal had no room; null where nobody knows.
   */
  unrecorded: number | null;
}
/**
 * Where the effect of a permitted call wanted to go on to: a redirect of net_fetch, or a host that a program connects to. Made durable before anything is sent there.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "executionHopBody".
 */
export interface ExecutionHopBody {
  /**
   * Sequence number of the intent.
   */
  intent: number;
  /**
   * 1 for the first redirect, or the first host.
   */
  hop: number;
  /**
   * Where it led, printable and cut.
   */
  location: string;
  /**
   * Whether policy let it go on.
   */
  allowed: boolean;
  facts: null | Facts;
  revision: null | string;
  rules: string[];
  /**
   * Why not; absent where it was allowed.
   */
  reason?: string;
}
/**
 * An operator stored a secret. Its value is in no record.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "secretAddedBody".
 */
export interface SecretAddedBody {
  name: string;
  /**
   * The only host that it is sent to.
   */
  host: string;
  port: number;
}
/**
 * An operator removed a stored secret, before this was recorded.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "secretRemovedBody".
 */
export interface SecretRemovedBody {
  name: string;
}
/**
 * Another executable was put in force while no host ran; recorded by the first boot after it. The same `id` twice is the same change.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "deploymentChangedBody".
 */
export interface DeploymentChangedBody {
  id: string;
  change: "installed" | "upgraded" | "rolled_back";
  /**
   * Wall clock of whoever did it, RFC 3339, UTC.
   */
  at: string;
  from: null | DeployedVersion;
  to: DeployedVersion;
  /**
   * Why it was taken back; absent where an operator asked for it.
   */
  reason?: string;
}
/**
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "deployedVersion".
 */
export interface DeployedVersion {
  version: string;
  binary: string;
}
/**
 * The host starts an MCP server of others, or begins to talk to one; this is durable before it does.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "upstreamStartedBody".
 */
export interface UpstreamStartedBody {
  /**
   * Name of the MCP server in the configuration.
   */
  server: string;
  /**
   * Path of the program; null for one that is reached over HTTP.
   */
  program: string | null;
  /**
   * Arguments of the program; null where they stand beside the record.
   */
  args: null | string[];
  /**
   * Scheme, host and port of its address, and before 0.12.0 all of it; null for a program.
   */
  url: string | null;
}
/**
 * An MCP server of others is not there any more: it could not be started, ended, or was ended.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "upstreamStoppedBody".
 */
export interface UpstreamStoppedBody {
  /**
   * Name of the MCP server in the configuration.
   */
  server: string;
  /**
   * The record of its start.
   */
  started: number;
  /**
   * Why.
   */
  reason: string;
}
/**
 * One tool of an MCP server, and the digest of its definition.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "toolPin".
 */
export interface ToolPin {
  name: string;
  sha256: string;
}
/**
 * A tool that is not offered, and why.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "quarantinedTool".
 */
export interface QuarantinedTool {
  name: string;
  sha256: string;
  /**
   * Whether no tool of this name is pinned, or one with another definition.
   */
  why: "new" | "changed";
}
/**
 * What an MCP server offers was accepted, and takes the place of what was pinned of it before: by an operator, or by nobody where it was used first.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "upstreamPinnedBody".
 */
export interface UpstreamPinnedBody {
  /**
   * Name of the MCP server in the configuration; `capability:NAME` for the package of a capability, of which the files are what is pinned.
   */
  server: string;
  /**
   * Digest of the names and digests of all these tools.
   */
  set_sha256: string;
  /**
   * All that is accepted.
   */
  tools: ToolPin[];
}
/**
 * An operator took back what was pinned of an MCP server; nothing of it is offered until an operator accepts it anew.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "upstreamUnpinnedBody".
 */
export interface UpstreamUnpinnedBody {
  /**
   * Name of the MCP server in the configuration; `capability:NAME` for the package of a capability, of which the files are what is pinned.
   */
  server: string;
}
/**
 * An MCP server offers what is not pinned; none of that is offered on.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "upstreamQuarantinedBody".
 */
export interface UpstreamQuarantinedBody {
  /**
   * Name of the MCP server in the configuration; `capability:NAME` for the package of a capability, of which the files are what is pinned.
   */
  server: string;
  /**
   * Digest of the names and digests of everything that it offers.
   */
  set_sha256: string;
  /**
   * What is quarantined.
   */
  tools: QuarantinedTool[];
}
/**
 * The client of a call answered what the call's MCP server asked it. That is the consent of whoever sits at that client, and no answer of an operator. It is durable before the server hears it.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "upstreamAnsweredBody".
 */
export interface UpstreamAnsweredBody {
  /**
   * Name of the MCP server in the configuration.
   */
  server: string;
  by: "client";
  /**
   * Each question with its answer.
   *
   * @maxItems 8
   */
  answers:
    | []
    | [
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        }
      ]
    | [
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        }
      ]
    | [
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        }
      ]
    | [
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        }
      ]
    | [
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        }
      ]
    | [
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        }
      ]
    | [
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        }
      ]
    | [
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * What was asked, as JSON, printable and cut.
           */
          asked: string;
          /**
           * What the server was answered, as JSON, printable and cut.
           */
          answer: string;
        }
      ];
}
/**
 * A session is not told of changes to a resource of an MCP server any more. The execution that began it is named.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "subscriptionEndedBody".
 */
export interface SubscriptionEndedBody {
  /**
   * Name of the MCP server in the configuration.
   */
  server: string;
  /**
   * The resource.
   */
  uri: string;
  /**
   * The execution that subscribed to it.
   */
  opened: string;
  /**
   * `closed`: its session ended it. `replaced`: its session subscribed anew. `policy`: reading the resource would not be permitted any more. `halted`, `session`: its session was halted, or ended. `server`: the server ended, or offers the resource no more. `stopped`: the host stopped.
   */
  why: "closed" | "replaced" | "policy" | "halted" | "session" | "server" | "stopped";
  reason: string;
  /**
   * Changes that its session was told of.
   */
  updates: number;
}
/**
 * What a standalone executable is made of. A signature over the bytes of this text says who built it.
 */
export interface ReleaseManifest {
  format: 1;
  name: "femtoclaw";
  version: string;
  /**
   * Operating system and processor, for example `linux-x64`.
   */
  target: string;
  /**
   * Version of the Node.js in it.
   */
  node: string;
  binary: ReleasedBinary;
  assets: ReleasedDigests;
  schemas: ReleasedDigests1;
  machines: ReleasedDigests2;
  capabilities: ReleasedDigests3;
}
export interface ReleasedBinary {
  /**
   * This interface was referenced by `ReleaseManifest`'s JSON-Schema
   * via the `definition` "sha256".
   */
  sha256: string;
  bytes: number;
}
/**
 * Parts that are checked when they are used.
 */
export interface ReleasedDigests {
  /**
   * This interface was referenced by `ReleaseManifest`'s JSON-Schema
   * via the `definition` "sha256".
   */
  [k: string]: string;
}
/**
 * This interface was referenced by `ReleaseManifest`'s JSON-Schema
 * via the `definition` "digests".
 */
export interface ReleasedDigests1 {
  /**
   * This interface was referenced by `ReleaseManifest`'s JSON-Schema
   * via the `definition` "sha256".
   */
  [k: string]: string;
}
/**
 * Every version of every machine, as records name them.
 */
export interface ReleasedDigests2 {
  /**
   * This interface was referenced by `ReleaseManifest`'s JSON-Schema
   * via the `definition` "sha256".
   */
  [k: string]: string;
}
/**
 * Manifests of the built-in capabilities.
 */
export interface ReleasedDigests3 {
  /**
   * This interface was referenced by `ReleaseManifest`'s JSON-Schema
   * via the `definition` "sha256".
   */
  [k: string]: string;
}
/**
 * The answer to one protocol message. `result` is present only when completed; `error` otherwise, except while pending.
 */
export interface Reply {
  execution_id: string;
  status: ExecutionStatus;
  decision: DecisionCode;
  result?: {
    [k: string]: unknown;
  };
  error?: ReplyError;
  approval?: PendingApproval;
  policy?: {
    revision: string;
    /**
     * Sorted identifiers of the rules that determined the decision; empty when nothing permitted.
     */
    rules: string[];
  };
  /**
   * Where the journal holds the outcome (or the refusal). Null when nothing was recorded.
   */
  record: null | {
    seq: number;
  };
  resolution?: Resolution;
}
/**
 * The question that the call waits for; only while pending.
 */
export interface PendingApproval {
  /**
   * Sequence number of the question's record.
   */
  id: string;
  /**
   * RFC 3339, UTC.
   */
  expires_at: string;
}
/**
 * What an operator said became of an interrupted execution; absent until somebody did.
 *
 * This interface was referenced by `Reply`'s JSON-Schema
 * via the `definition` "resolution".
 */
export interface Resolution {
  resolution: "done" | "not-done";
  reason: string;
  by: string;
  /**
   * RFC 3339, UTC.
   */
  at: string;
  /**
   * Sequence number of the record that says so.
   */
  seq: number;
}
/**
 * State of every actor after the record `seq`: a cache, rebuilt from records whenever it does not match them.
 */
export interface Snapshot {
  v: 1;
  /**
   * The last record that the state includes.
   */
  seq: number;
  actors: {
    [k: string]: ActorSnapshot;
  };
}
/**
 * This interface was referenced by `Snapshot`'s JSON-Schema
 * via the `definition` "actor".
 */
export interface ActorSnapshot {
  machine: string;
  version: string;
  /**
   * Digest of the machine's definition; null for a state that no machine holds.
   */
  definition: null | string;
  state: {
    [k: string]: unknown;
  };
}
