/** What a configuration comes to on this machine: plain data, by which runtime, policy and sandbox go. */
import type { Authority } from "@femtoclaw/protocol";
import type { ChildLimits } from "@femtoclaw/sandbox/child-limits";
import type { ChatSetting } from "./resolve-chat.ts";
import type { LaunchSetting } from "./resolve-launches.ts";
import type { ObservabilitySettings } from "./resolve-observability.ts";
import type { OperatorSettings } from "./resolve-operators.ts";
import type { PackageSetting } from "./resolve-packages.ts";
import type { UpstreamSetting } from "./resolve-upstreams.ts";
import type { WebhookSetting } from "./resolve-webhook.ts";
import type { WitnessSetting } from "./resolve-witnesses.ts";

/** What the configuration says about one capability. */
export interface CapabilitySetting {
  /** Whether the capability may be called from the start. */
  readonly enabled: boolean;
  /** True if the configuration says `false`: no operator command enables the capability while the host runs. */
  readonly locked: boolean;
  /** Limits of its calls if they differ from `limits`: milliseconds, and bytes of one result. */
  readonly timeoutMs?: number;
  readonly outputBytes?: number;
  /** Limits for children of this capability alone. */
  readonly child?: Partial<ChildLimits>;
}

/** What one call may use, and how many calls there may be at once. */
export interface ResolvedLimits {
  /** Milliseconds of one effect; 30 000 by default. */
  readonly timeoutMs: number;
  /** Bytes of one result; 1 MiB by default. */
  readonly outputBytes: number;
  /** Calls that run at once, and calls that may wait for their turn. */
  readonly concurrency: number;
  readonly queue: number;
  /** Limits of each child that a capability starts. */
  readonly child: ChildLimits;
}

export interface ApprovalSettings extends OperatorSettings {
  /** Milliseconds after which an unanswered question counts as a no. */
  readonly expiresMs: number;
  /** Questions of one session that may be open at once. */
  readonly perSession: number;
  /** Questions of all sessions that may be open at once. */
  readonly atOnce: number;
  /** Who is notified of questions; absent if nobody is. */
  readonly webhook?: WebhookSetting;
}

/** The part of an authority that comes from tables, and that rules on trial may change. */
export type Rights = Pick<Authority, "allow" | "ask" | "deny" | "agents" | "budgets" | "sensitive" | "after">;

export interface TerminalSettings {
  /** Whether input to terminals is recorded. */
  readonly recordInput: boolean;
  /** Milliseconds after which an unused terminal ends, and after which a terminal ends in any case. */
  readonly idleMs: number;
  readonly totalMs: number;
}

/** A configuration that is ready for use on this machine. It is data: nothing in it is looked up again. */
export interface ResolvedConfiguration extends ObservabilitySettings {
  /** What may be read, written, run, fetched and called. Policy is compiled from it. */
  readonly authority: Authority;
  /** The rights in the authority if the rules on trial were in force; absent if there are none. */
  readonly shadow?: Rights;
  /** Only capabilities that the configuration names; all others are disabled. */
  readonly capabilities: ReadonlyMap<string, CapabilitySetting>;
  readonly limits: ResolvedLimits;
  readonly approvals: ApprovalSettings;
  readonly terminals: TerminalSettings;
  /** Absent if no model is named. */
  readonly chat?: ChatSetting;
  /** Agents that operators may launch; absent if there are none. */
  readonly launches?: readonly LaunchSetting[];
  /** Canonical folder of the journal and its keys, and that of the sockets. */
  readonly stateDirectory: string;
  readonly runtimeDirectory: string;
  /** Witnesses that hold checkpoints of the journal elsewhere. */
  readonly witnesses: readonly WitnessSetting[];
  /** Whether calls are refused while one of the witnesses does not take checkpoints. */
  readonly witnessesRequired: boolean;
  /** Capabilities of others that come as packages. */
  readonly packages: readonly PackageSetting[];
  /** MCP servers of others, and the variables that each of them gets. */
  readonly upstreams: readonly UpstreamSetting[];
  /** By the name of the server. */
  readonly upstreamEnvironment: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Digest over all of the above. Of variables it covers only the names, since their values may be secrets. */
  readonly sha256: string;
}
