/**
 * Resolves a configuration against this machine: paths become canonical, program names become files, defaults are
 * filled in. The runtime, the policy and the sandbox use only this result.
 */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import {
  type Authority,
  absoluteVariable,
  type Configuration,
  FemtoError,
  type HostEnvironment,
  LIMITS,
  pointerTokens,
  systemErrorCode,
} from "@femtoclaw/protocol";
import { type NamesOf, requireKnownNames } from "../known-names.ts";
import type { PathBase } from "./canonical-path.ts";
import { checkAuthority } from "./check-authority.ts";
import { configurationFaults } from "./check-configuration.ts";
import { childEnvironment } from "./child-environment.ts";
import { namedChildLimits, resolveChildLimits } from "./child-limits.ts";
import { programConnections } from "./fetch-grants.ts";
import { pathGrants } from "./path-grants.ts";
import { Places, type SourceOf } from "./places.ts";
import { resolveChat } from "./resolve-chat.ts";
import { checkSocketPath, resolveDirectories, resolveFloor } from "./resolve-directories.ts";
import { resolveHistory } from "./resolve-history.ts";
import { launchCapabilities, launchGrants, resolveLaunches } from "./resolve-launches.ts";
import { resolveObservability } from "./resolve-observability.ts";
import { resolveOperators } from "./resolve-operators.ts";
import { checkPackages, resolvePackages } from "./resolve-packages.ts";
import { resolveSearchPath, withOtherNames } from "./resolve-programs.ts";
import { resolveAgents, resolveTable } from "./resolve-tables.ts";
import { checkUpstreams, resolveUpstreams, upstreamCapabilities, upstreamEnvironment } from "./resolve-upstreams.ts";
import { resolveWebhook } from "./resolve-webhook.ts";
import { checkWitnesses, resolveWitnesses } from "./resolve-witnesses.ts";
import type {
  CapabilitySetting,
  ResolvedConfiguration,
  ResolvedLimits,
  Rights,
  TerminalSettings,
} from "./resolved-configuration.ts";
import { checkTrialAgents, onTrial, trialSource } from "./shadow-tables.ts";
import { checkToolServers } from "./tool-grants.ts";

/**
 * A configuration and its context: the folder at which relative paths start, and this machine's programs and variables.
 */
export interface ConfigurationInput {
  /** The tables, as they stand in `femtoclaw.toml`. */
  readonly configuration: Configuration;
  /** Folder at which relative paths start. */
  readonly baseDirectory: string;
  /** Where a value was written. Without this, messages name the JSON Pointer. */
  readonly sourceOf?: SourceOf;
  /** Paths of FemtoClaw's own files besides its state and sockets: configuration, policy, keys. */
  readonly ownPaths?: readonly string[];
  /** Canonical files and folders whose code this process runs. A grant to write there is a fault. */
  readonly ownPrograms?: readonly string[];
  /** Variables of the process, from which folders and values are taken; usually `process.env`. */
  readonly environment: HostEnvironment;
}

/** Where this machine has what tables name. */
interface MachinePlaces {
  readonly base: PathBase;
  readonly searchPath: readonly string[];
}

const INPUT: NamesOf<ConfigurationInput> = {
  configuration: true,
  baseDirectory: true,
  sourceOf: true,
  ownPaths: true,
  ownPrograms: true,
  environment: true,
};

/**
 * Resolves a configuration. Throws a single FEMTO_CONFIG_INVALID that lists every fault with its place, and a
 * `TypeError` for malformed input.
 */
export function resolveConfiguration(input: ConfigurationInput): ResolvedConfiguration {
  requireKnownNames("resolveConfiguration", input, INPUT);
  const { configuration, environment } = input;
  const places = new Places(input.sourceOf ?? ((pointer) => pointer));
  for (const fault of configurationFaults(configuration)) places.fault(pointerTokens(fault.pointer), fault.message);
  places.throwFaults();

  const base = pathBase(input);
  const directories = resolveDirectories(configuration, base, environment, places);
  const witnesses = resolveWitnesses(configuration, base, directories, places);
  const witnessFiles = witnesses.flatMap((witness) => (witness.kind === "file" ? [witness.path] : []));
  const webhook = resolveWebhook(configuration, base, places);
  const chat = resolveChat(configuration, base, places);
  const keyFiles = [webhook?.key, chat?.key].flatMap((key) => (key !== undefined && "file" in key ? [key.file] : []));
  const searchPath = resolveSearchPath(configuration.search_path, places);
  const machine = { base, searchPath };
  const launches = resolveLaunches(configuration, searchPath, places);
  const authority: Authority = {
    workspace: directories.workspace,
    searchPath,
    ...resolveRights(configuration, machine, places),
    floor: resolveFloor([...(input.ownPaths ?? []), ...witnessFiles, ...keyFiles], directories, base, places),
    childRead: pathGrants(["sandbox", "read"], configuration.sandbox?.read, base, places).map(({ path }) => path),
    ...childEnvironment(configuration.sandbox?.env ?? [], environment, places),
    ...programConnections(configuration, searchPath, places),
    ...launchGrants(launches),
  };
  checkAuthority(authority, input.ownPrograms ?? [], places);
  checkToolServers(configuration, places);
  const upstreams = resolveUpstreams(configuration, machine, places);
  checkUpstreams(upstreams, authority, base, places);
  const packages = resolvePackages(configuration, base, places);
  checkPackages(packages, authority, places);
  checkWitnesses(authority, witnesses, places);
  const shadow = resolveShadow(input, authority, machine, places);
  const resolved = {
    authority,
    ...(shadow === undefined ? {} : { shadow }),
    capabilities: resolveCapabilities(configuration),
    limits: resolveLimits(configuration),
    approvals: {
      expiresMs: configuration.approvals?.expires_ms ?? LIMITS.approvalExpiresMs,
      perSession: configuration.approvals?.per_session ?? LIMITS.approvalsPerSession,
      atOnce: configuration.approvals?.at_once ?? LIMITS.approvals,
      ...resolveOperators(configuration, places),
      ...(webhook === undefined ? {} : { webhook }),
    },
    terminals: resolveTerminals(configuration),
    ...(chat === undefined ? {} : { chat }),
    ...(launches.length === 0 ? {} : { launches }),
    stateDirectory: directories.state,
    runtimeDirectory: directories.runtime,
    ...resolveObservability(configuration, places),
    witnesses,
    witnessesRequired: configuration.audit?.require ?? false,
    packages,
    upstreams,
    upstreamEnvironment: upstreamEnvironment(upstreams, environment),
  };
  places.throwFaults();
  checkSocketPath(directories.runtime, Object.keys(authority.agents ?? {}));
  return { ...resolved, sha256: digest(resolved) };
}

/** The rights from the tables, both those for everybody and those of single agents. */
function resolveRights(configuration: Configuration, { base, searchPath }: MachinePlaces, places: Places): Rights {
  const table = (name: "allow" | "ask" | "deny") => resolveTable([name], configuration[name], base, searchPath, places);
  const [allow, ask, deny] = [table("allow"), table("ask"), table("deny")];
  return {
    allow,
    ask: { ...ask, run: withOtherNames(ask.run, allow.run) },
    deny: { ...deny, run: withOtherNames(deny.run, [...allow.run, ...ask.run]) },
    ...resolveAgents(configuration, [...allow.run, ...ask.run], base, searchPath, places),
    ...resolveHistory(configuration, [...allow.run, ...ask.run], base, searchPath, places),
  };
}

/**
 * INVARIANT: I3: rules on trial must pass the same checks as rules in force. A trial that could not come into force
 * would tell nothing.
 */
function resolveShadow(
  { configuration, ownPrograms = [] }: ConfigurationInput,
  authority: Authority,
  machine: MachinePlaces,
  places: Places,
): Rights | undefined {
  if (configuration.shadow === undefined) return undefined;
  checkTrialAgents(configuration, places);
  // Faults that both configurations share are reported only once.
  places.throwFaults();
  const trialPlaces = new Places(trialSource(configuration, places.sourceOf));
  const rights = resolveRights(onTrial(configuration), machine, trialPlaces);
  checkAuthority({ ...authority, ...rights }, ownPrograms, trialPlaces);
  trialPlaces.throwFaults();
  return rights;
}

function pathBase({ baseDirectory, environment }: ConfigurationInput): PathBase {
  try {
    return { directory: realpathSync.native(baseDirectory), home: absoluteVariable(environment, "HOME") };
  } catch (error) {
    const cause = systemErrorCode(error) ?? "unknown cause";
    throw new FemtoError("FEMTO_CONFIG_INVALID", `the folder ${baseDirectory} cannot be examined (${cause})`);
  }
}

function resolveCapabilities(configuration: Configuration): ReadonlyMap<string, CapabilitySetting> {
  return new Map([
    ...upstreamCapabilities(configuration),
    ...launchCapabilities(configuration),
    ...Object.entries(configuration.capabilities ?? {}).map(([name, setting]): [string, CapabilitySetting] => {
      if (typeof setting === "boolean") return [name, { enabled: setting, locked: !setting }];
      const { timeout_ms: timeoutMs, output_bytes: outputBytes } = setting;
      const child = namedChildLimits(setting);
      return [
        name,
        {
          enabled: true,
          locked: false,
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
          ...(outputBytes === undefined ? {} : { outputBytes }),
          ...(Object.keys(child).length === 0 ? {} : { child }),
        },
      ];
    }),
  ]);
}

function resolveLimits({ limits }: Configuration): ResolvedLimits {
  return {
    timeoutMs: limits?.timeout_ms ?? LIMITS.timeoutMs,
    outputBytes: limits?.output_bytes ?? LIMITS.outputBytes,
    concurrency: limits?.concurrency ?? LIMITS.concurrency,
    queue: limits?.queue ?? LIMITS.queue,
    child: resolveChildLimits(limits),
  };
}

function resolveTerminals({ terminals = {} }: Configuration): TerminalSettings {
  const { record_input: recordInput = false, idle_ms: idleMs, total_ms: totalMs } = terminals;
  return { recordInput, idleMs: idleMs ?? LIMITS.terminalIdleMs, totalMs: totalMs ?? LIMITS.terminalTotalMs };
}

function digest(resolved: Omit<ResolvedConfiguration, "sha256">): string {
  const { environment, ...authority } = resolved.authority;
  const { upstreams, upstreamEnvironment: _, ...others } = resolved;
  const content = {
    ...others,
    // A configuration without MCP servers keeps the digest that it had before there were any.
    ...(upstreams.length === 0 ? {} : { upstreams }),
    authority: { ...authority, environment: Object.keys(environment) },
    capabilities: [...resolved.capabilities],
  };
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}
