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

/** What the configuration says of one capability. */
export interface CapabilitySetting {
  /** Whether it may be called at a start. */
  readonly enabled: boolean;
  /** The configuration says `false`: no operator command enables it while the host runs. */
  readonly locked: boolean;
  /** Limits of its calls where it has others than `limits` say: milliseconds, and bytes of one result. */
  readonly timeoutMs?: number;
  readonly outputBytes?: number;
  /** What it says of children of this capability alone. */
  readonly child?: Partial<ChildLimits>;
}

/** What one call may take, and how many calls there may be at once. */
export interface ResolvedLimits {
  /** Milliseconds of one effect; 30 000 by default. */
  readonly timeoutMs: number;
  /** Bytes of one result; 1 MiB by default. */
  readonly outputBytes: number;
  /** Calls that run at once, and calls that may wait for their turn. */
  readonly concurrency: number;
  readonly queue: number;
  /** Of each child that a capability starts. */
  readonly child: ChildLimits;
}

export interface ApprovalSettings extends OperatorSettings {
  /** Time after which a question without an answer is a no. */
  readonly expiresMs: number;
  /** Questions of one session that may be open at once. */
  readonly perSession: number;
  /** Questions of all sessions. */
  readonly atOnce: number;
  /** Who is told of questions; absent where nobody is. */
  readonly webhook?: WebhookSetting;
}

/** The part of an authority that tables say, and that rules on trial say otherwise. */
export type Rights = Pick<Authority, "allow" | "ask" | "deny" | "agents" | "budgets" | "sensitive" | "after">;

export interface TerminalSettings {
  /** Whether what is written to terminals is recorded. */
  readonly recordInput: boolean;
  /** Time after which a terminal ends that its session does not use, and after which it ends in any case. */
  readonly idleMs: number;
  readonly totalMs: number;
}

/** A configuration that this machine can go by. It is data: nothing of it is looked up again. */
export interface ResolvedConfiguration extends ObservabilitySettings {
  /** What may be read, written, run, fetched and called; policy is compiled from it. */
  readonly authority: Authority;
  /** What would stand in the authority if the rules on trial were in force; absent where none are. */
  readonly shadow?: Rights;
  /** Only what the configuration names; everything else is disabled. */
  readonly capabilities: ReadonlyMap<string, CapabilitySetting>;
  readonly limits: ResolvedLimits;
  readonly approvals: ApprovalSettings;
  readonly terminals: TerminalSettings;
  /** Absent where no model is named. */
  readonly chat?: ChatSetting;
  /** Agents that operators may launch; absent where there are none. */
  readonly launches?: readonly LaunchSetting[];
  /** Canonical folder of the journal and its keys, and that of the sockets. */
  readonly stateDirectory: string;
  readonly runtimeDirectory: string;
  /** Who holds checkpoints of the journal elsewhere. */
  readonly witnesses: readonly WitnessSetting[];
  /** Whether calls are refused while one of them does not. */
  readonly witnessesRequired: boolean;
  /** Capabilities of others that are packages. */
  readonly packages: readonly PackageSetting[];
  /** MCP servers of others, and the variables that each of them gets. */
  readonly upstreams: readonly UpstreamSetting[];
  /** By the name of the server. */
  readonly upstreamEnvironment: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Digest over all of the above; of variables only the names, since their values may be secrets. */
  readonly sha256: string;
}
