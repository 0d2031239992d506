/**
 * Strict parsing, validators, types, identifiers, error codes and limits: the vocabulary that every other package
 * shares.
 */

export { ERRORS, type ErrorCode, EXIT, errorText, FemtoError, systemErrorCode } from "./faults/errors.ts";
export { faultOf, hasNoHardLinks, isOutOfRoom, outOfRoom } from "./faults/fault-of.ts";
export {
  malformed,
  requireCount,
  requireFields,
  requireNumber,
  requireText,
  WAIT_MS_MAX,
} from "./faults/required-arguments.ts";
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
} from "./grants/authority.ts";
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
} from "./grants/fetch-grant.ts";
export { flagFacts, flagParts } from "./grants/flag-facts.ts";
export { canonicalHost, portNumber } from "./grants/host-spelling.ts";
export { holdsInexact, parseMarkedJson } from "./json/inexact-numbers.ts";
export { isJsonWithin } from "./json/json-extent.ts";
export { jsonPointer, pointerTokens } from "./json/json-pointer.ts";
export { parseJson } from "./json/parse-json.ts";
export { type JsonFault, type JsonValue, parseStrictJson } from "./json/strict-json.ts";
export { LIMITS } from "./limits.ts";
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
} from "./mcp/mcp-content.ts";
export {
  isLogged,
  isLogLevel,
  LOG_LEVELS,
  type LogLevel,
  noticeText,
  type UpstreamNotice,
} from "./mcp/mcp-notices.ts";
export {
  ASK_KINDS,
  ASK_METHODS,
  type AskKind,
  askKindOf,
  isAskKind,
  type UpstreamQuestion,
  type UpstreamQuestions,
} from "./mcp/mcp-questions.ts";
export {
  isMcpToolName,
  type McpGrant,
  mcpCapability,
  mcpGrantText,
  mcpToolName,
  mcpValueText,
  splitMcpToolName,
} from "./mcp/mcp-tool.ts";
export { packagePins } from "./mcp/package-pins.ts";
export type { BootId, ExecutionId, SessionId } from "./messages/identifiers.ts";
export { parseMessage } from "./messages/message.ts";
export {
  MACHINE_OF,
  type MachineId,
  type MachineIdentities,
  type RecordBodies,
  type RecordEntry,
  type RecordType,
  type TypedRecord,
} from "./messages/records.ts";
export { type TraceFields, traceContext, wireTrace } from "./messages/trace-context.ts";
export { describeViolations } from "./messages/violations.ts";
export { namesByDescriptor, ownUser, platformLacks } from "./platform.ts";
export { ConnectionPlaces, type HeldConnection } from "./sockets/connection-places.ts";
export { LineSplitter } from "./sockets/line-splitter.ts";
export {
  followOutput,
  type OutputPart,
  type OutputStream,
  outputParts,
  type WatchedChanges,
  type WatchedOutput,
} from "./sockets/live-output.ts";
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
} from "./sockets/log-answers.ts";
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
} from "./sockets/operator-answers.ts";
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
} from "./sockets/socket.ts";
export { writeTogether } from "./sockets/write-together.ts";
export { asSeen, countedText, disclosed, isRedacted, printable, visibleJson } from "./text/display.ts";
export { nearestName } from "./text/nearest-name.ts";
export { decodeSourceText, type SourceLanguage, type SourcePlace, sourcePlace } from "./text/source-text.ts";
export { absoluteVariable, configurationHome, type HostEnvironment, stateHome } from "./user-folders.ts";
export { RECORD_FORMAT, VERSION } from "./version.ts";
