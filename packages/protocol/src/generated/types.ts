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
 * What inference may send: either a message, which is recorded, or one tool call, which is decided on.
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
   * Sequence number: from 0, without a gap.
   */
  seq: number;
  /**
   * Wall clock, RFC 3339 with microseconds, UTC. Only for people; it does not define the order.
   */
  at: string;
  /**
   * Microseconds since the boot began, by a monotonic clock.
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
   * Salted commitments to values that are stored beside the record. Absent if there are none.
   *
   * @minItems 1
   */
  commitments?: [Commitment, ...Commitment[]];
  /**
   * Where secrets were removed before the record was written. They are stored nowhere. Absent if there are none.
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
 * A question to operators with everything that would run. `femtoclaw approvals show ID --json` prints it, and `femtoclaw approvals sign` signs an answer to it.
 */
export interface ApprovalCard {
  /**
   * Sequence number of the question.
   */
  id: string;
  execution_id: string;
  /**
   * Name of the log that has the question.
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
   * What the rule is about, in words.
   */
  reason: string;
  /**
   * Where an operator wrote the rule.
   */
  source: null | string;
  session: string;
  /**
   * The name that the proposer gives itself. It proves nothing.
   */
  agent: null | string;
  /**
   * Door of the runtime through which the call came.
   */
  channel: null | string;
  label: null | string;
  /**
   * Null if they were erased.
   */
  args: null | {
    [k: string]: unknown;
  };
  /**
   * Null if they were erased.
   */
  facts: null | Facts;
  /**
   * Files that the call names, with their contents when the question was asked.
   *
   * @maxItems 64
   */
  files: ApprovedFile[];
  /**
   * How many different operators must say yes.
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
   * Whether one of them must sign each answer.
   */
  operator_key: boolean;
  asked_at: string;
  expires_at: string;
  /**
   * Digest of the question, which an answer must name.
   */
  digest: string;
  /**
   * Whether the agent could answer through the operator's socket if it runs as the operator's user, because no key is required.
   */
  self_approvable: boolean;
}
/**
 * What trusted code found out about the arguments of one call. Policy decides on these facts and on nothing else. There is one question for each resource that the call touches, and all questions must be permitted.
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
   * Whether something is there.
   */
  exists: boolean;
  /**
   * What is there.
   */
  type: "file" | "directory" | "missing";
  /**
   * Bytes that the call would write; 0 for reads.
   */
  bytes: number;
  /**
   * True if the call is about everything below the folder too. Otherwise absent.
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
   * Path of the program in the search path.
   */
  program: string;
  /**
   * The file to which this path leads, and which is executed.
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
   * The first argument, if it does not begin with a dash.
   */
  word?: string;
  /**
   * Number of arguments.
   */
  arguments: number;
  /**
   * Sorted, distinct options: arguments that begin with a dash. `--name=value` is there also as `--name`, a bundle `-xyz` also letter by letter.
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
   * `http` or `https`. `tunnel` for a connection of a program, whose contents are not read.
   */
  scheme: "http" | "https" | "tunnel";
  /**
   * Canonical name or address in lower-case ASCII; an IPv6 address is in brackets.
   */
  host: string;
  /**
   * The port, also if the URL does not name it.
   */
  port: number;
  /**
   * Addresses of the name, which is looked up once. No other address is dialled. Empty if the name was not looked up.
   */
  addresses: string[];
  /**
   * Network of these addresses: `public`, `private`, `loopback`, `link_local`, `metadata`, `multicast` or `reserved`. Of several, the least public. `unresolved` for a name that no entry of `fetch` allows, which is not looked up.
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
   * Sorted names of stored secrets that are put into headers.
   */
  injects: string[];
  /**
   * Bytes of the request's body.
   */
  bytes: number;
  /**
   * 0 for the URL of the call, N for its Nth redirect. For a program, N for its Nth host.
   */
  hop: number;
  /**
   * If a program connects: path of the call's program in the search path.
   */
  program?: string;
  /**
   * If a program connects: the file to which this path leads.
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
   * Name of the tool at the server.
   */
  tool: string;
  /**
   * Digest of the tool's definition: name, description, schemas and annotations.
   */
  definition: string;
  /**
   * Whether the server itself calls the tool destructive. If it does not, this says nothing.
   */
  destructive: boolean;
  /**
   * Sorted names of the top-level arguments.
   */
  arguments: string[];
  /**
   * Sorted texts `name=value`, with the value as JSON, of arguments whose value is true or false, a safe integer, or a text of at most 256 characters.
   */
  values: string[];
  /**
   * Sorted names of the arguments whose values are not in `values`.
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
 * What the records before this call say about its session and its principal. Absent in records of versions without history.
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
   * Number of permitted calls of the session before this one.
   */
  calls: number;
  /**
   * Bytes that the session's permitted calls sent and got back. A running call counts with the most that it may get back.
   */
  bytes: number;
  /**
   * Number of permitted calls of the session that did not succeed.
   */
  failures: number;
  /**
   * Number of refused calls of the session that have a record.
   */
  refusals: number;
  /**
   * Whole seconds since the session's first record.
   */
  seconds: number;
  /**
   * Whether any session of the principal had a permitted call that may have read something under `[sensitive].secret`.
   */
  has_read_secret: boolean;
  /**
   * The same for untrusted content: `[sensitive].untrusted`, and answers of hosts and MCP servers.
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
   * Digest of the contents. Null if no call may read the file without a question, because no record has the digest of a secret, and null if the file is too large to be read for a question. Then the question is bound to size and time of change.
   */
  sha256: null | string;
  /**
   * If `sha256` is null: time of the last change, in nanoseconds since 1970.
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
/**
 * What programs get in addition to what the tables above show them.
 */
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
/**
 * Limits of every call. `[capabilities]` can set some of them for one capability.
 */
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
/**
 * How long terminals last, and what is recorded of them.
 */
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
/**
 * Questions to operators, and who can answer them.
 */
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
/**
 * Where the journal and everything beside it lie.
 */
export interface MemoryTable {
  /**
   * State directory. Default: a folder for each project in the user's state folder.
   */
  path?: string;
}
/**
 * Where the host listens, and who may start it.
 */
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
/**
 * MCP servers of others, whose tools the host offers.
 */
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
/**
 * Where telemetry is sent, and where metrics and health are served. Without this table, no telemetry leaves the host.
 */
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
/**
 * Witnesses, which hold checkpoints of the journal elsewhere.
 */
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
   * With underscores, because the interfaces of language models refuse dots.
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
   * Arguments that name a resource. Trusted code takes facts from them, and policy decides on the facts.
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
   * Whether running it twice has the same effect as running it once.
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
   * Whether the call is about everything below a folder too: always, or if the argument at this pointer is true.
   */
  recursive?: true | string;
  /**
   * Pointer to an argument that is true or false. If it is true, missing folders on the way are created, and policy decides about them too.
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
   * Pointer to a list of stages, which can be given instead. Each has a program and arguments at these pointers; all have this folder and these variables.
   */
  stages?: string;
}
export interface DeclaredTerminal {
  pointer: string;
  /**
   * Identifier of an open terminal of the same session. Its facts are those of the program on it.
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
   * Pointer to the HTTP method; GET if absent.
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
   * The tool; absent if the server as a whole is meant.
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
 * Who acted, for whom, and under which grant. The runtime writes it. Only `agent` comes from the client, and it proves nothing.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "actor".
 */
export interface RecordActor {
  /**
   * For whom. Policy decides on this name.
   */
  principal: string;
  /**
   * The name that the client gives itself.
   */
  agent: null | string;
  /**
   * Door of the runtime through which the call came.
   */
  channel: "library" | "agent" | "operator";
  /**
   * The grant under which an agent acts for the principal; null for an operator, who acts personally.
   */
  delegation: null | Delegation;
}
/**
 * A grant, which only the runtime issues.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "delegation".
 */
export interface Delegation {
  uid: string;
  /**
   * The grant from which this one was derived.
   */
  parent: null | string;
  issuer: "runtime";
}
/**
 * The state machine that folded this record when it was written. A replay uses exactly this one, or says that it cannot.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "machine".
 */
export interface MachineIdentity {
  id: "lifecycle" | "memory" | "registry" | "policy" | "observability" | "execution";
  version: string;
  /**
   * Digest of the machine's definition with guards and actions.
   */
  sha256: string;
}
/**
 * HMAC-SHA-256 of a value with a random salt of its own. Salt and value are stored beside the record until they are erased. Erasing them does not change the record.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "commitment".
 */
export interface Commitment {
  /**
   * JSON pointer into `body`. The value there is null.
   */
  path: string;
  /**
   * What the value's bytes are: the UTF-8 of a string, a JSON text, or raw bytes.
   */
  form: "text" | "json" | "bytes";
  bytes: number;
  hmac: string;
  /**
   * Whether the value was stored together with the salt, or only the salt.
   */
  kept: boolean;
}
/**
 * One place from which a secret was removed.
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
 * The first record of every journal: the name of the log and the key that signs it.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "logCreatedBody".
 */
export interface LogCreatedBody {
  /**
   * Name of the log, which follows from its first public key.
   */
  origin: string;
  /**
   * Public key in the form of C2SP signed notes: origin+id+key.
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
 * The log that this one continues, as it was when this one began.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "logParent".
 */
export interface LogParent {
  origin: string;
  /**
   * Key in force at `size`.
   */
  vkey: string;
  /**
   * Number of records of that log that this one continues.
   */
  size: number;
  /**
   * Root of the Merkle tree over them.
   */
  root: string;
  /**
   * Why this log began: a fork, a copied state directory, a journal that is older than what was known of it, a directory about which nothing was known, or a restored backup.
   */
  reason: "fork" | "copy" | "rollback" | "unidentified" | "restore";
}
/**
 * From here on, another key signs the log. The next checkpoint is signed by both keys. The retired key signs no later one.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "keyRotatedBody".
 */
export interface KeyRotatedBody {
  vkey: string;
  retired_vkey: string;
}
/**
 * A host opened the journal. All records up to the next record of this type belong to this boot.
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
   * Why the running program counts as verified, or not.
   */
  integrity_reason?: string;
  deployment?: Deployment;
  installation?: Installation;
  configuration: ConfigurationDigest;
  approvals?: ApprovalAuthority;
}
/**
 * What was deployed, as digests that do not depend on paths. Two deployments with equal digests behave alike.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "deployment".
 */
export interface Deployment {
  /**
   * Digest over all the others.
   */
  digest: string;
  /**
   * The executable; null if the sources run.
   */
  binary: null | string;
  /**
   * The file as it was read; for a configuration that was made in code, the result of resolving it.
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
 * The installation of the program, as its receipt says. Absent if it was not installed.
 */
export interface Installation {
  scope: "system" | "user";
  version: string;
  /**
   * Digest of the executable.
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
 * The configuration in force.
 */
export interface ConfigurationDigest {
  path: null | string;
  sha256: string;
  changed: boolean;
}
/**
 * Whose answers are valid in this boot. A yes of anyone else to a question that is still open is no longer valid.
 */
export interface ApprovalAuthority {
  /**
   * Public keys of the operators (name+id+key).
   *
   * @maxItems 32
   */
  operators: string[];
  /**
   * Whether one of them must sign each answer.
   */
  operator_key: boolean;
}
/**
 * The runtime moved from one phase to another.
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
 * The fault that caused it.
 */
export interface RecordedFault {
  code: string;
  reason: string;
}
/**
 * The capabilities of this boot, whether each is enabled, and by whom.
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
   * Where the capability comes from: FemtoClaw, the program that embeds it, a package, or a third-party MCP server.
   */
  origin?: "built-in" | "embedder" | "package" | "mcp";
  /**
   * The capability runs in the process of the host, because the embedding program trusts it. Otherwise absent.
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
 * One compiled rule and its origin.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "policyRule".
 */
export interface PolicyRule {
  id: string;
  text: string;
  source: null | string;
  /**
   * What the rule does, in words.
   */
  reason?: string;
  /**
   * What an operator can do about it.
   */
  fix?: string;
}
/**
 * What the rules on trial say about the call, on the facts of this record. It did not influence the decision.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "shadowVerdict".
 */
export interface ShadowVerdict {
  /**
   * Revision of the rules on trial. The last record `policy.activated` before has their text.
   */
  revision: string;
  verdict: "allowed" | "asks" | "denied" | "undecided";
  /**
   * Error code that the proposer would have got, or because of which nothing could be decided. Null if the call is allowed.
   */
  code: null | string;
  /**
   * Sorted identifiers of the deciding rules, the first ones.
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
   * The Cedar schema of the rules; null if it is a commitment.
   */
  schema?: null | string;
  /**
   * Null if they are a commitment.
   */
  rules: null | PolicyRule[];
  /**
   * Revision of the rules on trial, for the same engine and schema. Absent if there are none.
   */
  shadow?: string;
  /**
   * All rules on trial; null if they are a commitment.
   */
  shadow_rules?: null | PolicyRule[];
  /**
   * Digest of the configuration from which the policy was compiled, if it was reloaded while the host ran. Otherwise the record of the boot has it.
   */
  configuration?: string;
}
/**
 * A new policy was rejected. The policy in force stays in force.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "policyRejectedBody".
 */
export interface PolicyRejectedBody {
  /**
   * Null if it failed before it had one.
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
 * Export of telemetry failed or recovered.
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
 * A subsystem failed, and the root machine decided what follows.
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
 * A subsystem runs again, beginning at its last snapshot.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "supervisionRestartedBody".
 */
export interface SupervisionRestartedBody {
  subsystem: "memory" | "registry" | "policy" | "observability";
}
/**
 * The runtime created a session for a connection or an embedder. `actor` says for whom.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "sessionOpenedBody".
 */
export interface SessionOpenedBody {
  /**
   * Version of the rules that compute the history facts of the session from its records. Absent in sessions of versions without history.
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
 * A protocol message of the first form, which is recorded and never executed.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "messageRecordedBody".
 */
export interface MessageRecordedBody {
  /**
   * Null if it is a commitment.
   */
  content: null | string;
}
/**
 * A call that was not permitted to run, with the reason. Of its message, the record has the beginning and a commitment.
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
   * SHA-256 of the JSON text [principal, tool, facts], as they are recorded. Null if no facts were taken.
   */
  input_sha256: null | string;
  revision: null | string;
  rules: string[];
  error: ReplyError;
  shadow?: ShadowVerdict;
  /**
   * Sequence number of the question that this record ends. Absent if nobody was asked.
   */
  approval?: number;
}
/**
 * The refused message. The record's commitment `/request/payload` is over its bytes.
 */
export interface RefusedRequest {
  bytes: number;
  head: string;
  payload: null;
}
/**
 * W3C trace context that the proposal is part of. Absent if none was given.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "traceContext".
 */
export interface TraceContext {
  traceparent?: string;
  tracestate?: string;
  /**
   * Fields that were given but are not valid, so they were left out.
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
 * A permitted call. This record is durable before the effect begins.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "executionIntentBody".
 */
export interface ExecutionIntentBody {
  tool: string;
  capability: string;
  /**
   * Null if they are a commitment.
   */
  args: null | {
    [k: string]: unknown;
  };
  label: null | string;
  trace?: TraceContext;
  /**
   * Null if they are a commitment.
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
   * The most bytes that the call may get back. They count as used until the outcome says how many there were.
   */
  reserved_bytes?: number;
  /**
   * The capability runs in the process of the host, with all its rights. Otherwise absent.
   */
  trusted?: true;
  /**
   * Digest of the names and digests of all files of the package that runs. Absent if it is no package.
   */
  code_sha256?: string;
  /**
   * Marks that the principal has from this record on, permanently. Absent if the call sets none.
   */
  marks?: Mark[];
  /**
   * What was at each path that the call may change; null if it is a commitment. Absent for calls that change no file, and in versions that did not keep it.
   */
  kept?: null | [KeptPath, ...KeptPath[]];
  shadow?: ShadowVerdict;
  /**
   * Sequence number of the question to which operators said yes. Absent if nobody was asked.
   */
  approval?: number;
}
/**
 * What was at a path before a call changed it.
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
   * Contents of the file; null if they are a commitment. Absent if they were not kept.
   */
  content?: null | string;
  /**
   * Encoding of the contents.
   */
  encoding?: "utf8" | "base64";
  /**
   * Why the contents were not kept, so that the call cannot be undone.
   */
  lost?: "large" | "secret" | "linked" | "unreadable";
}
/**
 * The outcome of a permitted call. This record is durable before the answer is sent.
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
   * Null if it is a commitment.
   */
  result?: null | {
    [k: string]: unknown;
  };
  error?: ReplyError;
  /**
   * Whether the effect had begun before this event.
   */
  began: boolean;
  /**
   * Bytes of the result as JSON, as the session's history counts them.
   */
  bytes?: number;
  /**
   * The capability ran in the process of the host. Otherwise absent.
   */
  trusted?: true;
  /**
   * Each host to which programs of the call tried to connect. Absent if there was none.
   *
   * @maxItems 64
   */
  connections?: HostTraffic[];
  relayed?: Relayed;
}
/**
 * The state in which the call left the file. An undo compares it. Absent if the call cannot be undone.
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
   * Host and port as the program named them, made printable and cut.
   */
  host: string;
  /**
   * Connections that reached the host.
   */
  connections: number;
  /**
   * Connections that were refused, by policy or because nothing answered.
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
 * What the proposer got from an MCP server besides the answer. Absent if there was nothing.
 */
export interface Relayed {
  /**
   * Number of messages about the server's progress.
   */
  progress: number;
  /**
   * Number of lines of the server's log.
   */
  messages: number;
  /**
   * Number of messages that were left out because there were too many.
   */
  dropped: number;
  /**
   * The first of these lines, made printable and cut.
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
 * A permitted call whose outcome is unknown because of a crash. It is never run again automatically.
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
 * Calls that were refused with this code since the last such record. They are counted, not recorded one by one.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "overloadRefusedBody".
 */
export interface OverloadRefusedBody {
  count: number;
  code: string;
}
/**
 * Digests of the snapshots of the actors that are stored with this record. They cover all records before it.
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
   * Digest of the machine's definition; null for a state that is not of a machine.
   */
  definition: null | string;
  sha256: string;
}
/**
 * An operator recorded the outcome of an interrupted execution. This changes only what is known about it.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "executionResolvedBody".
 */
export interface ExecutionResolvedBody {
  /**
   * Sequence number of the record that says that the outcome is unknown.
   */
  interrupted: number;
  tool: string;
  resolution: "done" | "not-done";
  /**
   * The operator's reason, made printable.
   */
  reason: string;
}
/**
 * What a log takes over from the log that it continues. Approvals and grants are not taken over.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "epochOpenedBody".
 */
export interface EpochOpenedBody {
  /**
   * Capabilities that operators had disabled. Those that they had enabled are not taken over.
   */
  disabled: string[];
  /**
   * Marks of principals because of calls in the earlier log. Absent if there are none.
   */
  marks?: PrincipalMarks[];
  state: FoldedState;
}
export interface PrincipalMarks {
  principal: string;
  marks: Mark[];
}
/**
 * The state of every actor after the last record that was taken over. It is stored beside the old log.
 */
export interface FoldedState {
  covers: number;
  /**
   * Digest of the file with this state.
   */
  sha256: string;
}
/**
 * An execution of the earlier log whose outcome is unknown. It is never run again automatically, and waits for a resolution.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "executionInheritedBody".
 */
export interface ExecutionInheritedBody {
  /**
   * The record of the old log that says that the outcome is unknown.
   */
  record: number;
  tool: string;
}
/**
 * The disk became full, or has room again. While it is full, no call is accepted, and outcomes are written from the reserve.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "memoryChangedBody".
 */
export interface MemoryChangedBody {
  state: "full" | "ready";
  reason: string;
}
/**
 * From here on, no effect of the session begins. The reason is an operator, a used-up budget, or more refused calls than the session's quota of the journal allows. In the last case, this record replaces those of the further refusals. Further calls of the session are refused and only counted.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "sessionHaltedBody".
 */
export interface SessionHaltedBody {
  /**
   * Number of the session's refusals that have a record.
   */
  recorded: number;
  /**
   * Event of the last refusal, as in `execution.refused`. Absent if an operator halted the session.
   */
  event?: string;
  /**
   * `FEMTO_SESSION_HALTED` if an operator halted the session, `FEMTO_BUDGET_EXCEEDED` if a budget was used up, otherwise the code of the last refusal.
   */
  code: string;
  /**
   * Reason of the operator, or the name of the budget. Absent if there were too many refusals.
   */
  reason?: string;
}
/**
 * An operator erased values that were stored beside a record. Salt and value are gone. The record and its proofs are unchanged.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "valuesErasedBody".
 */
export interface ValuesErasedBody {
  /**
   * The record beside which they were stored.
   */
  seq: number;
  /**
   * Paths of the erased values in that record.
   */
  paths: string[];
  /**
   * Reason, in the operator's words.
   */
  reason: string;
}
/**
 * An operator dropped the oldest records. Their hashes stay in the tree, so a copy of such a record can still be proved.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "logPrunedBody".
 */
export interface LogPrunedBody {
  /**
   * Records below this number are gone, except the first one and records `key.rotated`.
   */
  before: number;
  /**
   * Number of records that were dropped this time.
   */
  records: number;
}
/**
 * A question: a call that policy permits only after operators say yes. The sequence number of this record is the identifier of the question.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "approvalAskedBody".
 */
export interface ApprovalAskedBody {
  tool: string;
  capability: string;
  /**
   * Null if they are a commitment.
   */
  args: null | {
    [k: string]: unknown;
  };
  label: null | string;
  trace?: TraceContext;
  /**
   * Null if they are a commitment.
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
   * How many different operators must say yes.
   */
  approvers: number;
  /**
   * Files that the call names, with their contents when the question was asked.
   *
   * @maxItems 64
   */
  files: ApprovedFile[];
  shadow?: ShadowVerdict;
  /**
   * SHA-256 of the JSON text [principal, tool, capability, args, questions, files, rules, approvers], as they are recorded. An answer is valid only for this digest.
   */
  digest: string;
  /**
   * RFC 3339, UTC. If there is no answer by then, the call is refused.
   */
  expires_at: string;
  /**
   * Time from the question to its expiry. A change of the wall clock does not extend it.
   */
  lifetime_ms: number;
}
/**
 * An operator answered a question. A yes is used once, for exactly this call.
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
   * Whether this answer settles the question: a no, or the last yes that was needed.
   */
  complete: boolean;
  /**
   * `session`: the same call of the same session is not asked about again under this policy.
   */
  scope: "once" | "session";
  /**
   * The operator's reason, made printable.
   */
  reason: null | string;
  /**
   * Whether the agent could have given this answer itself, because it runs as the operator's user and no key was required.
   */
  self_approvable: boolean;
  /**
   * Public key of the operator who signed the answer. Absent if it was not signed.
   */
  key?: string;
  signature?: AnswerSignature;
}
/**
 * What the operator signed besides the rest of the record, and the signature by `key`. The signed text can be reconstructed from the record.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "answerSignature".
 */
export interface AnswerSignature {
  /**
   * Name of the log that has the question.
   */
  log: string;
  /**
   * RFC 3339, UTC, by the signer's clock.
   */
  signed_at: string;
  /**
   * RFC 3339, UTC. The answer was not valid afterwards.
   */
  expires_at: string;
  /**
   * Base64 of the key id and the Ed25519 signature, as in the signature line of a signed note.
   */
  signature: string;
}
/**
 * From here on, a program runs on a terminal. The terminal has the identifier of the execution that opened it.
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
   * Whether input to the terminal is recorded too.
   */
  input_recorded: boolean;
}
/**
 * What a terminal showed during some time, with times, so that it can be replayed.
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
   * Time of the first part, by the monotonic clock of the boot.
   */
  at_us: number;
  /**
   * All parts, one after the other; null if it is stored beside the record.
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
   * What the program wrote, what was typed, or a new size as `COLSxROWS`.
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
 * The terminal has ended. Nothing that ran on it runs any more.
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
   * The record of its opening.
   */
  opened: number;
  /**
   * `exited`: its program ended by itself. `closed`: its session closed it. `idle`, `expired`, `output`: it reached a limit. `policy`: it was no longer permitted. `halted`, `session`: its session was halted, or ended. `stopped`: the host stopped. `interrupted`: the host ended before it could record the end.
   */
  why:
    "exited" | "closed" | "idle" | "expired" | "output" | "policy" | "halted" | "session" | "stopped" | "interrupted";
  reason: string;
  /**
   * Exit code of the program; null if it was killed, or if it is unknown.
   */
  exit_code: number | null;
  signal: string | null;
  /**
   * Bytes of input; null if unknown.
   */
  bytes_in: number | null;
  /**
   * Bytes of output; null if unknown.
   */
  bytes_out: number | null;
  /**
   * Characters of output for which the journal had no room; null if unknown.
   */
  unrecorded: number | null;
}
/**
 * A further destination of a permitted call: a redirect of `net_fetch`, or a host to which a program connects. This record is durable before anything is sent there.
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
   * The destination, made printable and cut.
   */
  location: string;
  /**
   * Whether policy permitted it.
   */
  allowed: boolean;
  facts: null | Facts;
  revision: null | string;
  rules: string[];
  /**
   * Why it was denied. Absent if it was permitted.
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
   * The only host to which it is sent.
   */
  host: string;
  port: number;
}
/**
 * An operator removed a stored secret. It was already gone when this was recorded.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "secretRemovedBody".
 */
export interface SecretRemovedBody {
  name: string;
}
/**
 * Another executable was put in force while no host ran. The first boot afterwards records it. Two records with the same `id` are about the same change.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "deploymentChangedBody".
 */
export interface DeploymentChangedBody {
  id: string;
  change: "installed" | "upgraded" | "rolled_back";
  /**
   * Time of the change by the wall clock, RFC 3339, UTC.
   */
  at: string;
  from: null | DeployedVersion;
  to: DeployedVersion;
  /**
   * Why an executable was put back. Absent if an operator wanted the change.
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
 * The host starts a third-party MCP server, or connects to one. This record is durable before it does so.
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
   * Path of the program; null for a server that is reached over HTTP.
   */
  program: string | null;
  /**
   * Arguments of the program; null if they are stored beside the record.
   */
  args: null | string[];
  /**
   * Scheme, host and port of its address, before version 0.12.0 the whole address; null for a program.
   */
  url: string | null;
}
/**
 * A third-party MCP server could not be started, has ended, or was ended.
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
   * Reason.
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
   * `new`: no tool with this name is pinned. `changed`: one with another definition is pinned.
   */
  why: "new" | "changed";
}
/**
 * The offers of an MCP server were accepted, by an operator or at first use. They replace what was pinned before.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "upstreamPinnedBody".
 */
export interface UpstreamPinnedBody {
  /**
   * Name of the MCP server in the configuration. For the package of a capability, it is `capability:NAME`, and its files are what is pinned.
   */
  server: string;
  /**
   * Digest of the names and digests of all these tools.
   */
  set_sha256: string;
  /**
   * Everything that is accepted.
   */
  tools: ToolPin[];
}
/**
 * An operator withdrew what was pinned of an MCP server. Nothing of it is offered until an operator accepts it again.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "upstreamUnpinnedBody".
 */
export interface UpstreamUnpinnedBody {
  /**
   * Name of the MCP server in the configuration. For the package of a capability, it is `capability:NAME`, and its files are what is pinned.
   */
  server: string;
}
/**
 * An MCP server offers something that is not pinned. Agents are not offered it.
 *
 * This interface was referenced by `undefined`'s JSON-Schema
 * via the `definition` "upstreamQuarantinedBody".
 */
export interface UpstreamQuarantinedBody {
  /**
   * Name of the MCP server in the configuration. For the package of a capability, it is `capability:NAME`, and its files are what is pinned.
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
 * The client of a call answered a question of the call's MCP server. This is the consent of the person at that client, and not an answer of an operator. This record is durable before the server gets the answer.
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
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        }
      ]
    | [
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        }
      ]
    | [
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        }
      ]
    | [
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        }
      ]
    | [
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        }
      ]
    | [
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        }
      ]
    | [
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        }
      ]
    | [
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        },
        {
          kind: "elicitation" | "sampling" | "roots";
          /**
           * The question as JSON, made printable and cut.
           */
          asked: string;
          /**
           * The answer as JSON, made printable and cut.
           */
          answer: string;
        }
      ];
}
/**
 * From here on, a session no longer hears of changes to a resource of an MCP server.
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
   * URI of the resource.
   */
  uri: string;
  /**
   * The execution that subscribed to it.
   */
  opened: string;
  /**
   * `closed`: its session ended it. `replaced`: its session subscribed again. `policy`: reading the resource was no longer permitted. `halted`, `session`: its session was halted, or ended. `server`: the server ended, or no longer offers the resource. `stopped`: the host stopped.
   */
  why: "closed" | "replaced" | "policy" | "halted" | "session" | "server" | "stopped";
  reason: string;
  /**
   * Number of changes that its session heard of.
   */
  updates: number;
}
/**
 * The parts of an executable. A signature over the bytes of this text says who built it.
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
 * The answer to one protocol message. `result` is present only if completed, `error` only if neither completed nor pending.
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
     * Sorted identifiers of the deciding rules; empty if nothing permitted the call.
     */
    rules: string[];
  };
  /**
   * Where the journal has the outcome, the refusal or the question. Null if nothing was recorded.
   */
  record: null | {
    seq: number;
  };
  resolution?: Resolution;
}
/**
 * The question for whose answer the call waits; only while pending.
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
 * The outcome of an interrupted execution that an operator recorded. Absent before that.
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
   * Sequence number of the record of this resolution.
   */
  seq: number;
}
/**
 * State of every actor after the record `seq`. It is a cache, which is built again from the records if it does not match them.
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
   * Digest of the machine's definition; null for a state that is not of a machine.
   */
  definition: null | string;
  state: {
    [k: string]: unknown;
  };
}
