/**
 * Strict parsing, validators, types, identifiers, error codes and limits: the vocabulary that every other package
 * shares.
 */
export {
  AGENT_RUN,
  type AgentTables,
  type Authority,
  authorityOf,
  BUDGET_RULES,
  EVERYBODY,
  type GrantTable,
  isWithin,
  type LaunchGrant,
  namedRepositoryParts,
  OBEYED_IN_REPOSITORY,
  OBEYED_LATER,
  obeyedLaterPaths,
  obeyedRoots,
  type PathGrant,
  type ProgramGrant,
  type ProgramUse,
  type SessionBudgets,
} from "./authority.ts";
export { ConnectionPlaces, type HeldConnection } from "./connection-places.ts";
export { asSeen, countedText, isRedacted, printable, visibleJson } from "./display.ts";
export { ERRORS, type ErrorCode, EXIT, errorText, FemtoError, systemErrorCode } from "./errors.ts";
export { faultOf, hasNoHardLinks } from "./fault-of.ts";
export {
  CONNECT_ACTION,
  type ConnectGrant,
  connectGrants,
  DEFAULT_PORTS,
  type FetchGrant,
  type FetchPattern,
  type FetchTarget,
  fetchPattern,
  fetchText,
  isForbiddenBy,
  isPermittedBy,
} from "./fetch-grant.ts";
export { flagFacts, flagParts } from "./flag-facts.ts";
export { frozen } from "./frozen.ts";
export { SCHEMA_DIGESTS } from "./generated/schema-digests.ts";
export type * from "./generated/types.ts";
export {
  isRecordBody,
  type ValidationError,
  type Validator,
  validateApproval,
  validateConfig,
  validateFacts,
  validateManifest,
  validateRecord,
  validateRelease,
  validateReply,
  validateSnapshot,
} from "./generated/validators.js";
export { canonicalHost, portNumber } from "./host-spelling.ts";
export type { BootId, ExecutionId, SessionId } from "./identifiers.ts";
export { isJsonWithin } from "./json-extent.ts";
export { jsonPointer, pointerTokens } from "./json-pointer.ts";
export { LIMITS } from "./limits.ts";
export { LineSplitter } from "./line-splitter.ts";
export {
  followOutput,
  type OutputPart,
  type OutputStream,
  outputParts,
  type WatchedChanges,
  type WatchedOutput,
} from "./live-output.ts";
export type {
  DecidedRecord,
  Erased,
  ExportedLog,
  Fork,
  LogKeys,
  ProvedRecord,
  Pruning,
  RecordedDecision,
  RecordPage,
  ReplayedState,
  ToldRecord,
} from "./log-answers.ts";
export {
  isReader,
  type McpContent,
  type McpContentKind,
  matchesTemplate,
  PROMPT_GET,
  RESOURCE_READ,
  readerOf,
  templateProblem,
  uriFolders,
  uriProblem,
} from "./mcp-content.ts";
export {
  isLogged,
  isLogLevel,
  LOG_LEVELS,
  type LogLevel,
  noticeText,
  type UpstreamNotice,
} from "./mcp-notices.ts";
export {
  ASK_KINDS,
  ASK_METHODS,
  type AskKind,
  askKindOf,
  isAskKind,
  type UpstreamQuestion,
  type UpstreamQuestions,
} from "./mcp-questions.ts";
export {
  isMcpToolName,
  type McpGrant,
  mcpCapability,
  mcpGrantText,
  mcpToolName,
  mcpValueText,
  splitMcpToolName,
} from "./mcp-tool.ts";
export { parseMessage } from "./message.ts";
export { nearestName } from "./nearest-name.ts";
export type {
  Answered,
  ChangedMember,
  ComparedTool,
  ComparedUpstream,
  ExecutionHistory,
  ExecutionView,
  Halt,
  LaunchOutput,
  OfferedTool,
  OperatorAnswers,
  OperatorVerb,
  PackageView,
  RecordingPage,
  ReloadAnswer,
  SecretView,
  TerminalRecord,
  TerminalStatus,
  ToolState,
  UpstreamView,
  WatchedTerminal,
} from "./operator-answers.ts";
export { packagePins } from "./package-pins.ts";
export { parseJson } from "./parse-json.ts";
export { namesByDescriptor, ownUser, platformLacks } from "./platform.ts";
export {
  MACHINE_OF,
  type MachineId,
  type MachineIdentities,
  type RecordBodies,
  type RecordEntry,
  type RecordType,
  type TypedRecord,
} from "./records.ts";
export {
  malformed,
  requireCount,
  requireFields,
  requireNumber,
  requireText,
  WAIT_MS_MAX,
} from "./required-arguments.ts";
export {
  type AgentVerb,
  agentSocketName,
  type LogContinuation,
  type LogStep,
  SOCKET_NAMES,
  type SocketError,
  type SocketResponse,
  type ToolDescription,
  type WatchedQuestions,
} from "./socket.ts";
export { decodeSourceText, type SourcePlace, sourcePlace } from "./source-text.ts";
export { type JsonFault, type JsonValue, parseStrictJson } from "./strict-json.ts";
export { type TraceFields, traceContext, wireTrace } from "./trace-context.ts";
export { absoluteVariable, configurationHome, type HostEnvironment, stateHome } from "./user-folders.ts";
export { RECORD_FORMAT, VERSION } from "./version.ts";
export { describeViolations } from "./violations.ts";
export { writeTogether } from "./write-together.ts";
