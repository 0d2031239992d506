/** Resolves the tables about what happened before into paths, programs and bounds with their places. */
import {
  type AfterTable,
  type Authority,
  type Configuration,
  jsonPointer,
  type ProgramGrant,
  type SessionBudgets,
} from "@femtoclaw/protocol";
import type { PathBase } from "./canonical-path.ts";
import { fetchGrants } from "./fetch-grants.ts";
import { pathGrants } from "./path-grants.ts";
import type { Places } from "./places.ts";
import { resolveRunTable, withOtherNames } from "./resolve-programs.ts";
import { toolGrants } from "./tool-grants.ts";

/** Absent tables add nothing, so that a configuration without them is the same as before they existed. */
export function resolveHistory(
  configuration: Configuration,
  programs: readonly ProgramGrant[],
  base: PathBase,
  searchPath: readonly string[],
  places: Places,
): Pick<Authority, "budgets" | "sensitive" | "after"> {
  const { sensitive, after_secret, after_untrusted, budgets } = configuration;
  const run = (name: string, table: AfterTable | undefined): readonly ProgramGrant[] =>
    resolveRunTable([name, "run"], table?.run, searchPath, places);
  requirePlaces("after_secret", after_secret, "secret", sensitive?.secret, places);
  // Every answer of a host or an MCP server is untrusted. So if a call may reach one, no untrusted path has to be
  // named.
  const asked = [configuration.allow, configuration.ask];
  const isAnswered =
    asked.some((table) => (table?.fetch ?? []).length > 0 || table?.tools !== undefined) ||
    Object.keys(configuration.sandbox?.connect ?? {}).length > 0;
  if (!isAnswered) requirePlaces("after_untrusted", after_untrusted, "untrusted", sensitive?.untrusted, places);
  const fetch = (name: string, table: AfterTable | undefined) => fetchGrants([name, "fetch"], table?.fetch, places);
  const secretFetch = fetch("after_secret", after_secret);
  const untrustedFetch = fetch("after_untrusted", after_untrusted);
  const secretTools = toolGrants(["after_secret", "tools"], after_secret?.tools, places);
  const untrustedTools = toolGrants(["after_untrusted", "tools"], after_untrusted?.tools, places);
  return {
    ...(budgets === undefined ? {} : { budgets: resolveBudgets(budgets, places) }),
    ...(sensitive === undefined
      ? {}
      : {
          sensitive: {
            secret: pathGrants(["sensitive", "secret"], sensitive.secret, base, places),
            untrusted: pathGrants(["sensitive", "untrusted"], sensitive.untrusted, base, places),
          },
        }),
    ...(after_secret === undefined && after_untrusted === undefined
      ? {}
      : {
          after: {
            secret: withOtherNames(run("after_secret", after_secret), programs),
            untrusted: withOtherNames(run("after_untrusted", after_untrusted), programs),
            ...(secretFetch === undefined ? {} : { secretFetch }),
            ...(untrustedFetch === undefined ? {} : { untrustedFetch }),
            ...(secretTools === undefined ? {} : { secretTools }),
            ...(untrustedTools === undefined ? {} : { untrustedTools }),
          },
        }),
  };
}

/** A table that waits for a mark which nothing sets would never forbid anything. */
function requirePlaces(
  table: string,
  written: object | undefined,
  list: string,
  paths: readonly string[] | undefined,
  places: Places,
): void {
  if (written === undefined || (paths ?? []).length > 0) return;
  places.fault([table], `[${table}] forbids nothing without paths in [sensitive].${list}`);
}

function resolveBudgets(written: NonNullable<Configuration["budgets"]>, places: Places): SessionBudgets {
  const budgets = Object.entries(written).map(([name, limit]) => {
    return [name, { limit, source: places.sourceOf(jsonPointer(["budgets", name])) }];
  });
  return Object.fromEntries(budgets) as SessionBudgets;
}
