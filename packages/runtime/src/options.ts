/** What an embedder hands to `createRuntime`. */
import type { Capability } from "@femtoclaw/capabilities";
import type { FileRule } from "@femtoclaw/policy";
import type { DeploymentChangedBody, Installation } from "@femtoclaw/protocol";
import type { ResolvedConfiguration } from "./configuration/resolved-configuration.ts";
import type { DeployedSources, Integrity } from "./deployment.ts";
import type { OpenedEpoch } from "./epochs/open-epoch.ts";
import type { NamesOf } from "./known-names.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Inspect } from "./system.ts";
import type { TelemetryExporter } from "./telemetry-port.ts";
import type { Witness } from "./witness-port.ts";

/** What `createRuntime` takes. Only `configuration` is needed. */
export interface RuntimeOptions {
  /** From `resolveConfiguration`, which checks it against this machine. */
  readonly configuration: ResolvedConfiguration;
  /** Path of the file it came from; recorded, and null for a configuration made in code. */
  readonly configurationPath?: string;
  /** Capabilities beside the built-in ones. They stay disabled unless the configuration names them. */
  readonly capabilities?: readonly Capability[];
  /**
   * Names of capabilities that declare no resource and may be called by anyone whom policy does not
   * forbid it. Without this they are denied, because nothing permits them.
   */
  readonly permit?: readonly string[];
  /** Policies from Cedar files, as `loadPolicyFiles` returned them. */
  readonly policyFiles?: PolicyFilesOption;
  /** Gets XState's own inspection events of every actor. What it throws harms nothing. */
  readonly inspect?: Inspect;
  /** Exports the journal as telemetry. */
  readonly telemetry?: TelemetryExporter;
  /** Who gets the journal's checkpoints, to hold them elsewhere. */
  readonly witnesses?: readonly Witness[];
  /**
   * Hears of a new log before it takes the place of the one in the state directory, which is then a copy or
   * was put back. What it throws prevents that, and the start.
   */
  readonly onEpoch?: (epoch: OpenedEpoch) => Promise<void> | void;
  /**
   * Records between two snapshots of the actors, 1000 without it. Fewer make a start after a crash shorter and the
   * journal larger.
   */
  readonly snapshotEveryRecords?: number;
  /**
   * Finds out, before anything else, whether the program that runs is the one that was released. What it throws, at once
   * or later, keeps the runtime from starting. Nothing is verified without it.
   */
  readonly verifyIntegrity?: () => Promise<Integrity> | Integrity;
  /** What the configuration was read from; without it the deployment is named by what both resolve to. */
  readonly sources?: DeployedSources;
  /** The installation that the program belongs to; recorded with the boot. */
  readonly installation?: Installation;
  /** What was installed, upgraded or taken back since the last boot; recorded right behind this one. */
  readonly deploymentChanges?: readonly DeploymentChangedBody[];
  /** This machine and this process without it. */
  readonly surroundings?: Surroundings;
  /** Gets one object for each thing that an operator may want to see in a log. */
  readonly log?: (entry: LogEntry) => void;
}

/** All that `createRuntime` and a reload take. */
export const RUNTIME_OPTIONS: NamesOf<RuntimeOptions> = {
  configuration: true,
  configurationPath: true,
  capabilities: true,
  permit: true,
  policyFiles: true,
  inspect: true,
  telemetry: true,
  witnesses: true,
  onEpoch: true,
  snapshotEveryRecords: true,
  verifyIntegrity: true,
  sources: true,
  installation: true,
  deploymentChanges: true,
  surroundings: true,
  log: true,
};

/** What a policy comes from: the tables of a configuration, and the files beside it. */
export type PolicySource = Pick<RuntimeOptions, "configuration" | "policyFiles" | "sources">;

/** Policies from Cedar files, beside the tables of the configuration. */
export interface PolicyFilesOption {
  /** As `loadPolicyFiles` of `@femtoclaw/policy` returns them. */
  readonly rules: readonly FileRule[];
  /** Revision of the whole set, if it was tried out with these rules already; any other one is tried out again. */
  readonly triedRevision: string | null;
  /** The same of the rules on trial, which the configuration has to name; without it they have the files in force. */
  readonly shadow?: Omit<PolicyFilesOption, "shadow">;
}

/** One thing that an operator may want to see in a log; the fields beside these two depend on the event. */
export interface LogEntry {
  readonly level: "info" | "warn" | "error";
  /** What happened, in dotted words such as `identity.unwritten`. */
  readonly event: string;
  readonly [field: string]: unknown;
}
