/** From the tables about what happened before to what the authority holds of them: paths, programs and bounds with their places. */
import {
  type Authority,
  type Configuration,
  jsonPointer,
  type RunTable,
  type SessionBudgets,
} from "@femtoclaw/protocol";
import { pathGrants } from "./path-grants.ts";
import type { Places } from "./places.ts";
import { type ProgramLookUp, resolveRunTable, withOtherNames } from "./resolve-programs.ts";

/** Tables that are absent leave nothing, so that a configuration without them is what it was before there were any. */
export function resolveHistory(
  configuration: Configuration,
  { base, searchPath, permitted }: ProgramLookUp,
  places: Places,
): Pick<Authority, "budgets" | "sensitive" | "after"> {
  const { sensitive, after_secret, after_untrusted, budgets } = configuration;
  const forbidden = (place: readonly string[], run: RunTable | undefined) =>
    withOtherNames(resolveRunTable(place, run, searchPath, places), permitted);
  requirePlaces("after_secret", after_secret, "secret", sensitive?.secret, places);
  requirePlaces("after_untrusted", after_untrusted, "untrusted", sensitive?.untrusted, places);
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
            secret: forbidden(["after_secret", "run"], after_secret?.run),
            untrusted: forbidden(["after_untrusted", "run"], after_untrusted?.run),
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
