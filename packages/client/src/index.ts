/** Typed access to a running host: `AgentClient` proposes, `OperatorClient` operates. */
export { AgentClient, type AgentOptions, type ProposeOptions } from "./agent-client.ts";
export { HostConnection } from "./connection.ts";
export { LogMemory, type MetLog, type RememberedLog } from "./host-log.ts";
export { faultText, refusalText, resultText } from "./model-text.ts";
export { type LaunchOutput, OperatorClient, type ReloadAnswer } from "./operator-client.ts";
