/** What a child process may see, and how it is run so that it sees nothing else. */

export { spawnWay } from "#spawn-process";
export { bubblewrapArguments, type SandboxCommand, type SandboxProgram } from "./bubblewrap.ts";
export { AgentChild } from "./children/agent-child.ts";
export { type ChildLimits, DEFAULT_CHILD_LIMITS } from "./children/child-limits.ts";
export { Output } from "./children/output.ts";
export { PreparedChild } from "./children/prepared-child.ts";
export { runSandboxed, type SandboxResult } from "./children/run.ts";
export { ServiceChild } from "./children/service-child.ts";
export { TerminalChild, type TerminalEnd } from "./children/terminal-child.ts";
export { notCovered } from "./probing/not-covered.ts";
export { probeSandbox, type SandboxProbe } from "./probing/probe.ts";
export { DOOR_PATH, DOOR_TARGET, TUNNEL_ADDRESS } from "./relay/relay-command.ts";
export type { SpawnWay } from "./spawning/spawned-process.ts";
export { type AgentSettings, NO_SETTINGS } from "./views/agent-settings.ts";
export { COPIED_DESCRIPTOR, CopiedFiles } from "./views/copied-files.ts";
export { hostInspection } from "./views/inspection.ts";
export { lostFix } from "./views/kept-paths.ts";
export { mayShow } from "./views/may-show.ts";
export { visibilityOf } from "./views/mounts.ts";
export { type OwnFile, ownProgramView } from "./views/own-program.ts";
export { type SandboxView, viewOf } from "./views/view.ts";
