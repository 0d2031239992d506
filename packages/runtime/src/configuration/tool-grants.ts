/** Entries of `tools`, each with its place: tools of MCP servers, and the arguments that are meant. */
import {
  type Configuration,
  jsonPointer,
  type McpGrant,
  mcpValueText,
  nearestName,
  printable,
  splitMcpToolName,
  type ToolRule,
  type ToolsTable,
} from "@femtoclaw/protocol";
import type { Places } from "./places.ts";

const ALL = "__*";

/** Undefined if there is no table: an absent table of an agent narrows nothing. */
export function toolGrants(
  place: readonly string[],
  written: ToolsTable | undefined,
  places: Places,
): readonly McpGrant[] | undefined {
  if (written === undefined) return undefined;
  return Object.entries(written).flatMap(([name, rules]) => {
    const named = namedBy(name);
    if (named === null) {
      return places.fault(
        [...place, name],
        `expected a tool as \`server__tool\`, or \`server__*\` for all of a server`,
      );
    }
    return rules.map((rule, index) => ({
      ...named,
      with: argumentsOf(rule),
      source: places.sourceOf(jsonPointer([...place, name, index])),
    }));
  });
}

function namedBy(name: string): { readonly server: string; readonly tool: string | null } | null {
  if (!name.endsWith(ALL)) return splitMcpToolName(name);
  const all = splitMcpToolName(`${name.slice(0, -1)}x`);
  return all === null ? null : { server: all.server, tool: null };
}

function argumentsOf(rule: ToolRule): McpGrant["with"] {
  if (rule === "*") return [];
  return Object.entries(rule.with).map(([argument, values]) => ({
    argument,
    values: values.flatMap((value) => mcpValueText(argument, value) ?? []),
  }));
}

/** A tool of an unknown server must be a misspelling. */
export function checkToolServers(configuration: Configuration, places: Places): void {
  const known = Object.keys(configuration.mcp?.servers ?? {});
  for (const [place, table] of toolTables(configuration)) {
    for (const name of Object.keys(table ?? {})) {
      const server = namedBy(name)?.server;
      if (server === undefined || known.includes(server)) continue;
      const nearest = nearestName(server, known);
      const hint = nearest === undefined ? "" : `; did you mean \`${nearest}\`?`;
      places.fault([...place, name], `[mcp.servers] has no \`${printable(server)}\`${hint}`);
    }
  }
}

function toolTables({ agent = {}, shadow = {}, ...tables }: Configuration): [string[], ToolsTable | undefined][] {
  const of = (
    place: string[],
    holder: Pick<Configuration, (typeof TABLES)[number]>,
  ): [string[], ToolsTable | undefined][] => TABLES.map((name) => [[...place, name, "tools"], holder[name]?.tools]);
  return [
    ...of([], tables),
    ...of(["shadow"], shadow),
    ...Object.entries(agent).flatMap(([name, own]) => of(["agent", name], own)),
  ];
}

const TABLES = ["allow", "ask", "deny", "after_secret", "after_untrusted"] as const;
