/** What the servers need of the runtime, and what operators see of each. */
import type { HostNames, SecretLookUp } from "@femtoclaw/capabilities";
import type { Clock, JournalEntry } from "@femtoclaw/journal";
import type { UpstreamSetting } from "../configuration/resolve-upstreams.ts";
import type { ResolvedConfiguration } from "../configuration/resolved-configuration.ts";
import type { Registered, Standing } from "../gate/gate-parts.ts";
import type { LogEntry } from "../options.ts";
import type { UpstreamPins } from "../projection/upstream-pins.ts";
import type { ChangedMember, OfferedTool } from "./offer.ts";

export interface UpstreamsParts {
  readonly configuration: Pick<ResolvedConfiguration, "upstreams" | "upstreamEnvironment" | "stateDirectory">;
  readonly clock: Clock;
  readonly names: HostNames;
  readonly secrets: SecretLookUp;
  /** The registry's entry for a capability; servers are capabilities too. */
  registered(name: string): Registered | undefined;
  standing(principal: string): Standing;
  /** Principals with a view of their own, and everybody. */
  readonly principals: readonly string[];
  pins(): Pick<UpstreamPins, "of">;
  append(entry: JournalEntry): Promise<{ readonly seq: number }>;
  log(entry: LogEntry): void;
  /** Called when the offer may have changed. */
  onOffered(): void;
}

/** The state of a server, for operators. */
export interface UpstreamView {
  readonly server: string;
  readonly status: "running" | "stopped" | "disabled";
  /** Why it does not run; null if it does, or never had to. */
  readonly reason: string | null;
  readonly pins: UpstreamSetting["pins"];
  /** Digest of everything that it lists; null before it did. */
  readonly set_sha256: string | null;
  readonly tools: readonly OfferedTool[];
}

/** A tool, resource or prompt, and what of it changed. */
export interface ComparedTool extends OfferedTool {
  /** How it differs from what was accepted; null if it does not, or if what was accepted is not known any more. */
  readonly changes: readonly ChangedMember[] | null;
}

export interface ComparedUpstream extends UpstreamView {
  readonly tools: readonly ComparedTool[];
}
