/** Typed access to a running host: `AgentClient` proposes, `OperatorClient` operates. */
export {
  AgentClient,
  type AgentOptions,
  type LaunchOutput,
  OperatorClient,
  type ProposeOptions,
  type ReloadAnswer,
} from "./clients.ts";
export { HostConnection } from "./connection.ts";
export { LogMemory, type MetLog, type RememberedLog } from "./host-log.ts";
export { faultText, refusalText, resultText } from "./model-text.ts";
