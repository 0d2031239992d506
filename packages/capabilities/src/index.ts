/** The built-in capabilities, and the facts that trusted code takes from the arguments of any capability. */
export { AgentProcess } from "./agent/agent-process.ts";
export { agentRun } from "./agent/agent-run.ts";
export { builtinCapabilities } from "./builtin.ts";
export type {
  AgentLaunch,
  CallToPrepare,
  Capability,
  CapabilityCall,
  CapabilityOutcome,
  ConnectAnswer,
  HopAnswer,
  JsonObject,
  NextHop,
  PreparedEffect,
  TerminalKeeper,
  Traffic,
} from "./capability.ts";
export { compiledAhead } from "./compiled-schemas.ts";
export { BoundArguments } from "./facts/bound-arguments.ts";
export { type ConnectionFacts, type ConnectionRequest, connectionFacts } from "./facts/connection.ts";
export { HostNames, type LookUp, systemLookUp } from "./facts/host-names.ts";
export { type NamedFiles, namedFiles } from "./facts/named-files.ts";
export { ProgramDigests } from "./facts/program-digests.ts";
export type { SecretLookUp } from "./facts/stored-secrets.ts";
export { type FactsResult, type SessionTerminals, takeFacts } from "./facts/take-facts.ts";
export { type Kept, keepBefore } from "./files/kept.ts";
export { type Reversal, reversalOf } from "./files/reversal.ts";
export {
  type CapabilityDefinition,
  defineCapability,
  type RunCall,
  trustedCapability,
} from "./kit/define-capability.ts";
export { type PackageCode, packageCapability } from "./kit/package-capability.ts";
export { packageManifest } from "./kit/package-manifest.ts";
export { argumentValidator } from "./mcp/argument-check.ts";
export { type ContentDefinition, digestsDefinition, membersOf } from "./mcp/content-definition.ts";
export { HttpTransport } from "./mcp/http-transport.ts";
export { type AskUpstream, contentMeant, mcpReaderCapability, type Reader } from "./mcp/mcp-content.ts";
export {
  type McpServer,
  mcpServerCapability,
  mcpToolCapability,
} from "./mcp/mcp-tool.ts";
export { StdioTransport } from "./mcp/stdio-transport.ts";
export { type ToolDefinition, toolSetDigest } from "./mcp/tool-definition.ts";
export { upstreamHost } from "./mcp/upstream-host.ts";
export {
  type CallRelay,
  MESSAGE,
  noticeIn,
  type SubscriptionRequest,
  UPDATED,
} from "./mcp/upstream-notice.ts";
export { answersTo } from "./mcp/upstream-question.ts";
export { type Asking, UpstreamSession } from "./mcp/upstream-session.ts";
export type { OnNotification, UpstreamTransport } from "./mcp/upstream-transport.ts";
export type { PtySize } from "./terminal/pty.ts";
export type { ScrollPart } from "./terminal/scroll.ts";
export type { Terminal, TerminalListener, TerminalRequest } from "./terminal/terminal.ts";
