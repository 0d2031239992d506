/** What a child process may see, and how it is run so that it sees nothing else. */
export { AgentChild, type AgentPipes, type AgentStart } from "./agent-child.ts";
export { type AgentSettings, NO_SETTINGS } from "./agent-settings.ts";
export { type Bounds, boundsBy } from "./bounds.ts";
export {
  bubblewrapArguments,
  childEnvironment,
  type SandboxCommand,
  type SandboxProgram,
} from "./bubblewrap.ts";
export { type ChildLimits, DEFAULT_CHILD_LIMITS, type ToldLimit } from "./child-limits.ts";
export { ControlGroups } from "./control-groups.ts";
export { currentView } from "./current-view.ts";
export { hostInspection, type Inspection } from "./inspection.ts";
export { mayShow } from "./may-show.ts";
export { notCovered } from "./not-covered.ts";
export { type OwnFile, type OwnProgram, ownProgramView } from "./own-program.ts";
export type { StageEnd } from "./pipeline.ts";
export { type Machine, probeSandbox, type SandboxProbe } from "./probe.ts";
export { DOOR_PATH, DOOR_TARGET, TUNNEL_ADDRESS } from "./relay/relay-command.ts";
export { runSandboxed, type SandboxResult, type SandboxRun } from "./run.ts";
export type { Rung } from "./rung.ts";
export { seccompFilter } from "./seccomp.ts";
export { ServiceChild, type ServiceStart } from "./service-child.ts";
export { TerminalChild, type TerminalEnd, type TerminalStart } from "./terminal-child.ts";
export { type Mount, type SandboxView, viewOf, visibilityOf } from "./view.ts";
