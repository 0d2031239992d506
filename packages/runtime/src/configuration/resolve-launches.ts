/** Agents that operators may launch, as the configuration names them, against this machine. */
import { AGENT_RUN, type Configuration, jsonPointer, type LaunchGrant } from "@femtoclaw/protocol";
import type { Places } from "./places.ts";
import type { CapabilitySetting } from "./resolve-configuration.ts";
import { findProgram } from "./resolve-programs.ts";

export interface LaunchSetting extends LaunchGrant {
  /** What operators call it. */
  readonly name: string;
  /** Names of variables that it gets from whoever launches it. */
  readonly env: readonly string[];
}

/** Who has no tables of his own. */
const EVERYBODY = "default";

/** LIMIT: calls at once that leave room for those of an agent beside its own, which lasts as long as it runs. */
const CONCURRENCY_MIN = 2;

export function resolveLaunches(
  { launch, agent, limits }: Configuration,
  searchPath: readonly string[],
  places: Places,
): readonly LaunchSetting[] {
  const entries = Object.entries(launch ?? {});
  if (entries.length > 0 && (limits?.concurrency ?? CONCURRENCY_MIN) < CONCURRENCY_MIN) {
    const message = "an agent that is launched is a call itself, so [launch] needs a concurrency of at least 2";
    places.fault(["limits", "concurrency"], message);
  }
  return entries.flatMap(([name, table]) => {
    const place = ["launch", name];
    const { program = name, env = [], agent: principal } = table;
    // INVARIANT: I8: a name without tables would have the rights of everybody under a name that promises fewer.
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
    return [{ name, program: found.path, realPath: found.realPath, principal: principal ?? EVERYBODY, env, source }];
  });
}

/** What rules are made of; what variables it gets is none of theirs. */
export function launchGrants(launches: readonly LaunchSetting[]): { readonly launch?: readonly LaunchGrant[] } {
  if (launches.length === 0) return {};
  return {
    launch: launches.map(({ program, realPath, principal, source }) => ({ program, realPath, principal, source })),
  };
}

/** An agent that is named is one that is meant; `[capabilities]` may say otherwise, and bounds it. */
export function launchCapabilities({ launch }: Configuration): readonly [string, CapabilitySetting][] {
  return Object.keys(launch ?? {}).length === 0 ? [] : [[AGENT_RUN, { enabled: true, locked: false }]];
}
