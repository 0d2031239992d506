/** The options of `createRuntime`. */
import type { Capability } from "@femtoclaw/capabilities";
import type { FileRule } from "@femtoclaw/policy";
import type { DeploymentChangedBody, Installation } from "@femtoclaw/protocol";
import type { Inspect } from "./actors/system.ts";
import type { ResolvedConfiguration } from "./configuration/resolved-configuration.ts";
import type { DeployedSources, Integrity } from "./deployment.ts";
import type { OpenedEpoch } from "./epochs/open-epoch.ts";
import type { NamesOf } from "./known-names.ts";
import type { Surroundings } from "./surroundings.ts";
import type { TelemetryExporter } from "./telemetry-port.ts";
import type { Witness } from "./witness-port.ts";

/** What `createRuntime` takes. Only `configuration` is required. */
export interface RuntimeOptions {
  /** From `resolveConfiguration`, which checks it against this machine. */
  readonly configuration: ResolvedConfiguration;
  /** Path of the file that the configuration came from. It is recorded; null for a configuration made in code. */
  readonly configurationPath?: string;
  /** Capabilities besides the built-in ones. They stay disabled unless the configuration names them. */
  readonly capabilities?: readonly Capability[];
  /**
   * Names of capabilities that declare no resource and may be called by anyone whom policy does not forbid to. Without
   * this option they are denied, because nothing permits them.
   */
  readonly permit?: readonly string[];
  /** Policies from Cedar files, as `loadPolicyFiles` returned them. */
  readonly policyFiles?: PolicyFilesOption;
  /**
   * Gets XState's own inspection events of every actor. Whatever it throws is contained. The events hold the live actors,
   * which are only to be looked at: an event that is sent to one of them moves the runtime.
   */
  readonly inspect?: Inspect;
  /** Exports the journal as telemetry. */
  readonly telemetry?: TelemetryExporter;
  /** Witnesses that get the journal's checkpoints, to hold them elsewhere. */
  readonly witnesses?: readonly Witness[];
  /**
   * Called with a new log before it replaces the one in the state directory, when that one turns out to be a copy or to
   * have been put back. If this throws, the log is not replaced, and the start fails.
   */
  readonly onEpoch?: (epoch: OpenedEpoch) => Promise<void> | void;
  /**
   * Records between two snapshots of the actors; the default is 1000. Fewer make a start after a crash shorter and the
   * journal larger.
   */
  readonly snapshotEveryRecords?: number;
  /**
   * Checks, before anything else, whether the running program is the one that was released. If this throws or rejects,
   * the runtime does not start. Without this option nothing is verified.
   */
  readonly verifyIntegrity?: () => Promise<Integrity> | Integrity;
  /**
   * What the configuration was read from. Without this option the deployment is named by what configuration and policy
   * resolve to.
   */
  readonly sources?: DeployedSources;
  /** The installation that the program belongs to; recorded with the boot. */
  readonly installation?: Installation;
  /** Installs, upgrades and rollbacks since the last boot. They are recorded right after the record of this boot. */
  readonly deploymentChanges?: readonly DeploymentChangedBody[];
  /** The default is this machine and this process. */
  readonly surroundings?: Surroundings;
  /** Gets one object for each event that an operator may want to see in a log. */
  readonly log?: (entry: LogEntry) => void;
}

/** All options that `createRuntime` and a reload know. */
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

/**
 * Throws a `TypeError` for a configuration that was not resolved: the keys of femtoclaw.toml themselves are what one hands
 * over first where no types are.
 */
export function requireResolved(configuration: unknown): void {
  const { authority, stateDirectory } = Object(configuration) as Record<string, unknown>;
  if (Object(authority) === authority && typeof stateDirectory === "string") return;
  throw new TypeError(
    "`configuration` must be the result of `resolveConfiguration`, which checks the keys of femtoclaw.toml against this machine",
  );
}

/** The sources of a policy: the tables of a configuration, and the files beside it. */
export type PolicySource = Pick<RuntimeOptions, "configuration" | "policyFiles" | "sources">;

/** Policies from Cedar files, beside the tables of the configuration. */
export interface PolicyFilesOption {
  /** As `loadPolicyFiles` of `@femtoclaw/policy` returns them. */
  readonly rules: readonly FileRule[];
  /**
   * Revision of the whole set, if it was already tried out with these rules. A set with any other revision is tried out
   * again.
   */
  readonly triedRevision: string | null;
  /**
   * The same for the rules on trial, which the configuration has to name. Without this, the trial uses the files in
   * force.
   */
  readonly shadow?: Omit<PolicyFilesOption, "shadow">;
}

/** An event that an operator may want to see in a log. The fields besides these two depend on the event. */
export interface LogEntry {
  readonly level: "info" | "warn" | "error";
  /** What happened, in dotted words such as `identity.unwritten`. */
  readonly event: string;
  readonly [field: string]: unknown;
}
