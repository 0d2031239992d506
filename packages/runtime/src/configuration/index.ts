/**
 * Entry point for code that reads a configuration and runs nothing: what its tables mean on this machine. It loads
 * neither the gate nor the journal, so that a command that only has to find its host starts at once.
 */
export { type ConfigurationFault, configurationFaults, isConfiguration } from "./check-configuration.ts";
export type { SourceOf } from "./places.ts";
export type { ChatSetting } from "./resolve-chat.ts";
export { type ConfigurationInput, resolveConfiguration } from "./resolve-configuration.ts";
export type { LaunchSetting } from "./resolve-launches.ts";
export type { EndpointAddress, ObservabilitySettings } from "./resolve-observability.ts";
export type { PackageSetting } from "./resolve-packages.ts";
export { DEFAULT_SEARCH_PATH, findProgram } from "./resolve-programs.ts";
export type { UpstreamSetting } from "./resolve-upstreams.ts";
export type { WebhookSetting } from "./resolve-webhook.ts";
export type { WitnessSetting } from "./resolve-witnesses.ts";
export type { CapabilitySetting, ResolvedConfiguration, ResolvedLimits, Rights } from "./resolved-configuration.ts";
