/** What a child process may see, and how it is run so that it sees nothing else. */

export { spawnWay } from "#spawn-process";
export { AgentChild } from "./agent-child.ts";
export { type AgentSettings, NO_SETTINGS } from "./agent-settings.ts";
export { bubblewrapArguments, type SandboxCommand, type SandboxProgram } from "./bubblewrap.ts";
export { type ChildLimits, DEFAULT_CHILD_LIMITS } from "./child-limits.ts";
export { COPIED_DESCRIPTOR, CopiedFiles } from "./copied-files.ts";
export { hostInspection } from "./inspection.ts";
export { lostFix } from "./kept-paths.ts";
export { mayShow } from "./may-show.ts";
export { visibilityOf } from "./mounts.ts";
export { notCovered } from "./not-covered.ts";
export { Output } from "./output.ts";
export { type OwnFile, ownProgramView } from "./own-program.ts";
export { PreparedChild } from "./prepared-child.ts";
export { probeSandbox, type SandboxProbe } from "./probe.ts";
export { DOOR_PATH, DOOR_TARGET, TUNNEL_ADDRESS } from "./relay/relay-command.ts";
export { runSandboxed, type SandboxResult } from "./run.ts";
export { ServiceChild } from "./service-child.ts";
export type { SpawnWay } from "./spawning/spawned-process.ts";
export { TerminalChild, type TerminalEnd } from "./terminal-child.ts";
export { type SandboxView, viewOf } from "./view.ts";
