/** The first record of a boot: who runs where, from which configuration, and how the last boot ended. */
import type { JournalEntry } from "@femtoclaw/journal";
import { VERSION } from "@femtoclaw/protocol";
import type { RuntimeOptions } from "./options.ts";
import type { Projection } from "./projection/projection.ts";
import type { ProcessIdentity } from "./surroundings.ts";

export function bootEntry(last: Projection["host"], options: RuntimeOptions, identity: ProcessIdentity): JournalEntry {
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
      integrity: "unverified",
      configuration: {
        path: options.configurationPath ?? null,
        sha256,
        changed: last.configuration !== null && last.configuration !== sha256,
      },
      approvals: { operators: [...approvals.operators], operator_key: approvals.operatorKey },
    },
  };
}
