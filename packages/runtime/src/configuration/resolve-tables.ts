/** Resolves the tables of paths and programs, both for everybody and for single agents, to grants with their places. */
import type {
  AgentTables,
  AllowTable,
  AskTable,
  Authority,
  Configuration,
  GrantTable,
  ProgramGrant,
} from "@femtoclaw/protocol";
import type { PathBase } from "./canonical-path.ts";
import { fetchGrants } from "./fetch-grants.ts";
import { pathGrants } from "./path-grants.ts";
import type { Places } from "./places.ts";
import { resolveRunTable, withOtherNames } from "./resolve-programs.ts";
import { toolGrants } from "./tool-grants.ts";

export function resolveTable(
  place: readonly string[],
  table: (AllowTable & Pick<AskTable, "operators">) | undefined,
  base: PathBase,
  searchPath: readonly string[],
  places: Places,
): GrantTable {
  const fetch = fetchGrants([...place, "fetch"], table?.fetch, places);
  const tools = toolGrants([...place, "tools"], table?.tools, places);
  return {
    ...(fetch === undefined ? {} : { fetch }),
    ...(tools === undefined ? {} : { tools }),
    read: pathGrants([...place, "read"], table?.read, base, places),
    write: pathGrants([...place, "write"], table?.write, base, places),
    run: resolveRunTable([...place, "run"], table?.run, searchPath, places),
    // A table that asks one operator stays the same as before a table could ask more.
    ...(table?.operators === undefined || table.operators === 1 ? {} : { approvers: table.operators }),
  };
}

export function resolveAgents(
  { agent }: Configuration,
  programs: readonly ProgramGrant[],
  base: PathBase,
  searchPath: readonly string[],
  places: Places,
): Pick<Authority, "agents"> {
  if (agent === undefined) return {};
  const agents = Object.entries(agent).map(([name, { allow, ask, deny }]): [string, AgentTables] => {
    const table = (key: string, written: AllowTable | undefined): GrantTable =>
      resolveTable(["agent", name, key], written, base, searchPath, places);
    const own = table("allow", allow);
    return [
      name,
      {
        // An absent list narrows nothing; an empty one leaves nothing.
        allow: {
          ...(allow?.read === undefined ? {} : { read: own.read }),
          ...(allow?.write === undefined ? {} : { write: own.write }),
          ...(allow?.run === undefined ? {} : { run: own.run }),
          ...(own.fetch === undefined ? {} : { fetch: own.fetch }),
          ...(own.tools === undefined ? {} : { tools: own.tools }),
        },
        ask: underEveryName(table("ask", ask), programs),
        deny: underEveryName(table("deny", deny), programs),
      },
    ];
  });
  return { agents: Object.fromEntries(agents) };
}

function underEveryName(table: GrantTable, programs: readonly ProgramGrant[]): GrantTable {
  return { ...table, run: withOtherNames(table.run, programs) };
}
