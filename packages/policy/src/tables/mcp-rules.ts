/** Entries of `tools` as rules: which tools of MCP servers may be called, and with which arguments. */
import { type McpGrant, mcpCapability, mcpGrantText, mcpToolName, printable } from "@femtoclaw/protocol";
import type { PolicyAction } from "../schema.ts";
import { entity, literal, set } from "./cedar-text.ts";
import {
  type CompiledRule,
  entryRule,
  forbids,
  type Mood,
  numbered,
  onceConditions,
  type Terms,
  when,
} from "./table-rule.ts";

export const mcpActions = (actions: readonly PolicyAction[]): string[] =>
  actions.filter(({ resource }) => resource === "McpTool").map(({ name }) => name);

/** The rules of one list, numbered per tool in the order of its entries. */
export function mcpRules(
  mood: Mood,
  table: string,
  grants: readonly McpGrant[] | undefined,
  actions: readonly PolicyAction[],
  terms: Terms = {},
): CompiledRule[] {
  const known = mcpActions(actions);
  const toolOf = ({ server, tool }: McpGrant): string => mcpToolName(server, tool ?? "*");
  return numbered(grants ?? [], toolOf).flatMap(({ entry: grant, key, number }) =>
    entryRule(
      mood,
      terms,
      {
        actions: known.filter((name) => name === mcpCapability(grant.server)),
        ...resourceOf(grant),
        ...when([...onceConditions(terms), ...argumentConditions(grant, forbids(mood) ? "forbid" : "permit")]),
      },
      {
        id: `toml/${table}.tools.${key}/${number}`,
        source: grant.source,
        doing: `calling ${printable(mcpGrantText(grant))}`,
      },
    ),
  );
}

function resourceOf({ server, tool }: McpGrant): { readonly resource?: string } {
  return tool === null ? {} : { resource: `== ${entity("McpTool", mcpToolName(server, tool))}` };
}

/**
 * INVARIANT: a permit applies only if a fact shows the value that it names. A forbid also applies to an argument whose
 * value no fact shows, such as a list or a long text: what cannot be told from what is forbidden is forbidden.
 */
function argumentConditions({ with: uses }: McpGrant, effect: "permit" | "forbid"): string[] {
  return uses.map(({ argument, values }) => {
    const named = `${set(values.map(literal))}.containsAny(context.values)`;
    return effect === "forbid" ? `(${named} || context.opaque.contains(${literal(argument)}))` : named;
  });
}

/** Restricts an agent to those permitted uses that one of its own entries permits too. */
export function toolsAmong(grants: readonly McpGrant[] | undefined): readonly string[] | undefined {
  return grants?.map((grant) => {
    const { server, tool } = grant;
    const which =
      tool === null
        ? `context.server == ${literal(server)}`
        : `resource == ${entity("McpTool", mcpToolName(server, tool))}`;
    return `(${[which, ...argumentConditions(grant, "permit")].join(" && ")})`;
  });
}
