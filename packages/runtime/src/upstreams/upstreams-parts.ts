/** What the servers need of the runtime, and what operators see of each. */

import type { HostNames, SecretLookUp } from "@femtoclaw/capabilities";
import type { Clock, JournalEntry } from "@femtoclaw/journal";
import type { ResolvedConfiguration } from "../configuration/resolved-configuration.ts";
import type { Registered, Standing } from "../gate/gate-parts.ts";
import type { LogEntry } from "../options.ts";
import type { UpstreamPins } from "../projection/upstream-pins.ts";

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
