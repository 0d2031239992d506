/** The agent loop: a model says what it wants, and each of its calls goes to a host as a message of the protocol. */
export { Agent, type AgentOptions, type TurnEnd, type TurnEvent, type TurnOptions } from "./agent.ts";
export type { Budget, Stop, Used } from "./budget.ts";
export { type CallAnswer, type ProposedCall, UNANSWERED } from "./call.ts";
export type { Gate, ProposeOptions } from "./gate.ts";
export { type CallOptions, GateTools, type GateToolsOptions, type SdkToolCall } from "./gate-tools.ts";
export { type ModelEndpoint, modelAt, PROVIDERS, type ProviderName } from "./model-endpoint.ts";
export { type ScriptedCall, type ScriptedStep, scriptedModel } from "./scripted-model.ts";
