/** The first record of a boot: who runs where, from which configuration, and how the last boot ended. */
import type { JournalEntry } from "@femtoclaw/journal";
import { type Deployment, VERSION } from "@femtoclaw/protocol";
import type { Integrity } from "./deployment.ts";
import type { RuntimeOptions } from "./options.ts";
import type { Projection } from "./projection/projection.ts";
import type { ProcessIdentity } from "./surroundings.ts";

export interface BootParts {
  readonly last: Projection["host"];
  readonly options: RuntimeOptions;
  readonly identity: ProcessIdentity;
  readonly integrity: Integrity;
  readonly deployment: Deployment;
}

export function bootEntry({ last, options, identity, integrity, deployment }: BootParts): JournalEntry {
  const { sha256, approvals } = options.configuration;
  return {
    type: "boot.started",
    session: null,
    execution: null,
    body: {
      version: VERSION,
      ...identity,
      previous_boot: last.boot,
      previous_end: last.ended,
      integrity: integrity.verdict,
      integrity_reason: integrity.reason,
      deployment,
      configuration: {
        path: options.configurationPath ?? null,
        sha256,
        changed: last.configuration !== null && last.configuration !== sha256,
      },
      approvals: { operators: [...approvals.operators], operator_key: approvals.operatorKey },
    },
  };
}
