/** Agents that operators may launch, as the configuration names them, resolved against this machine. */
import { basename } from "node:path";
import {
  AGENT_RUN,
  type Configuration,
  EVERYBODY,
  jsonPointer,
  type LaunchGrant,
  type LaunchTable,
} from "@femtoclaw/protocol";
import type { Places } from "./places.ts";
import { findProgram } from "./resolve-programs.ts";
import { isThisMachine } from "./resolve-webhook.ts";
import type { CapabilitySetting } from "./resolved-configuration.ts";

type LaunchKind = NonNullable<LaunchTable["kind"]>;

/** An agent that operators may launch. */
export interface LaunchSetting extends LaunchGrant {
  /** The name that operators use. */
  readonly name: string;
  /** Names of variables that the agent gets from the operator who launches it. */
  readonly env: readonly string[];
  /** The kind of agent, for which a configuration is written. */
  readonly kind: LaunchKind;
  /** Name of the model that the agent is told to use; absent to leave the choice to the agent. */
  readonly model?: string;
  /** Address of the model's server; absent to use that of its provider. */
  readonly baseUrl?: string;
}

/**
 * LIMIT: minimum of calls at once. The agent is a call itself as long as it runs, and its own calls need room beside
 * it.
 */
const CONCURRENCY_MIN = 2;

export function resolveLaunches(
  { launch, agent, limits }: Configuration,
  searchPath: readonly string[],
  places: Places,
): readonly LaunchSetting[] {
  const entries = Object.entries(launch ?? {});
  if (entries.length > 0 && (limits?.concurrency ?? CONCURRENCY_MIN) < CONCURRENCY_MIN) {
    const message = "a launched agent is itself a call, so [launch] needs a concurrency of at least 2";
    places.fault(["limits", "concurrency"], message);
  }
  return entries.flatMap(([name, table]) => {
    const place = ["launch", name];
    const { program = name, env = [], agent: principal, model } = table;
    const kind = table.kind ?? kindOf(basename(program));
    const baseUrl = baseUrlOf(table, kind, (key, message) => places.fault([...place, key], message));
    // INVARIANT: I8: a name without tables would have the rights of everybody, although its name promises fewer.
    if (principal !== undefined && !Object.hasOwn(agent ?? {}, principal)) {
      places.fault([...place, "agent"], `there is no [agent.${principal}]`);
    }
    if (env.includes("PATH")) places.fault([...place, "env"], "the PATH of programs is search_path");
    const found = findProgram(program, searchPath);
    if ("problem" in found) {
      places.fault(table.program === undefined ? place : [...place, "program"], found.problem);
      return [];
    }
    const source = places.sourceOf(jsonPointer(place));
    const told = { ...(model === undefined ? {} : { model }), ...(baseUrl === undefined ? {} : { baseUrl }) };
    const { path, realPath } = found;
    return [{ name, program: path, realPath, principal: principal ?? EVERYBODY, env, kind, ...told, source }];
  });
}

const KNOWN: readonly LaunchKind[] = ["claude", "codex", "opencode", "pi"];

function kindOf(program: string): LaunchKind {
  return KNOWN.find((kind) => kind === program) ?? "other";
}

/** Accepts only names and addresses, because a proxy is asked for this text and a relay is told it. */
const HOST = /^(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]+\])$/;

function baseUrlOf(
  { base_url: written, model, env = [] }: LaunchTable,
  kind: LaunchKind,
  fault: (key: string, message: string) => void,
): string | undefined {
  if (kind === "other") {
    if (model !== undefined) fault("model", "an agent of the kind `other` is configured by its own arguments");
    if (written !== undefined) fault("base_url", "an agent of the kind `other` is configured by its own arguments");
    return undefined;
  }
  if (written === undefined) return undefined;
  const address = URL.parse(written);
  if (address === null || !["http:", "https:"].includes(address.protocol) || !HOST.test(address.hostname))
    return void fault("base_url", "expected an address such as http://127.0.0.1:11434/v1");
  // INVARIANT: I10: the address appears in records and wherever the configuration is shown.
  if (address.username !== "" || address.password !== "" || address.search !== "" || address.hash !== "")
    return void fault("base_url", "an address must not contain a user, a password, a query or a fragment");
  // INVARIANT: I10: a key is not sent where somebody on the way could read it.
  if (env.length > 0 && address.protocol !== "https:" && !isThisMachine(address.hostname))
    return void fault(
      "base_url",
      "expected https, because a key is sent there; http is allowed only for addresses of this machine",
    );
  if (model === undefined) fault("model", "expected the name of a model, because another server has other models");
  return address.href.replace(/\/$/, "");
}

/** The part from which rules are made. Which variables the agent gets does not concern them. */
export function launchGrants(launches: readonly LaunchSetting[]): { readonly launch?: readonly LaunchGrant[] } {
  if (launches.length === 0) return {};
  return {
    launch: launches.map(({ program, realPath, principal, source }) => ({ program, realPath, principal, source })),
  };
}

/** Naming an agent enables it. `[capabilities]` may disable it and sets its limits. */
export function launchCapabilities({ launch }: Configuration): readonly [string, CapabilitySetting][] {
  return Object.keys(launch ?? {}).length === 0 ? [] : [[AGENT_RUN, { enabled: true, locked: false }]];
}
