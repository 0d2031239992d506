/** Typed access to a running host: `AgentClient` proposes, `OperatorClient` operates, and launches agents. */
export { AgentClient, type AgentOptions, type ProposeOptions } from "./agent-client.ts";
export { HostConnection } from "./connection.ts";
export { LogMemory, type MetLog, type RememberedLog } from "./host-log.ts";
export { LaunchedAgent } from "./launched-agent.ts";
export { faultText, refusalText, resultText } from "./model-text.ts";
export { OperatorClient } from "./operator-client.ts";
