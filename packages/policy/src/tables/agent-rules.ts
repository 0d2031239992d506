/**
 * The tables of single agents as rules about one principal each. All of them forbid: what an agent's `allow` table
 * lists becomes a rule that forbids the agent everything else of that kind. So no such table can grant what everybody's
 * tables do not.
 */
import { type AgentTables, type Authority, type GrantTable, type PathGrant, printable } from "@femtoclaw/protocol";
import type { PolicyAction } from "../schema.ts";
import { anyOf, entity, type PolicyParts, set } from "./cedar-text.ts";
import { connectActions, tunnelHosts } from "./connect-rules.ts";
import { fetchRules, hostActions, hostsAmong } from "./fetch-rules.ts";
import { mcpActions, mcpRules, toolsAmong } from "./mcp-rules.ts";
import { pathActions, pathRule, programActions, runRules, startActions, useCondition } from "./rules.ts";
import { type CompiledRule, rule } from "./table-rule.ts";

export function agentRules({ agents = {} }: Authority, actions: readonly PolicyAction[]): CompiledRule[] {
  return Object.entries(agents).flatMap(([name, tables]) => [
    ...narrowingRules(name, tables, actions),
    ...tableRules(name, "deny", tables.deny, actions),
    ...tableRules(name, "ask", tables.ask, actions),
  ]);
}

// INVARIANT: I8: an agent's own entry that asks only forbids until the yes; what permits then is a rule for everybody.
function tableRules(
  name: string,
  table: "deny" | "ask",
  { read, write, run, fetch, tools, approvers = 1 }: GrantTable,
  actions: readonly PolicyAction[],
): CompiledRule[] {
  const mood = table === "deny" ? "forbid" : "ask";
  const terms = { principal: name, approvers };
  const id = `toml/agent.${name}.${table}`;
  const changers = pathActions(actions, (effect) => effect !== "read");
  const starts = mood === "forbid" ? startActions(actions) : programActions(actions);
  return [
    ...read.flatMap((grant, index) =>
      pathRule(mood, pathActions(actions), grant, `${id}.read/${index + 1}`, "reading and changing", terms),
    ),
    ...write.flatMap((grant, index) => pathRule(mood, changers, grant, `${id}.write/${index + 1}`, "changing", terms)),
    ...runRules(mood, `agent.${name}.${table}.run`, run, starts, terms),
    ...fetchRules(mood, `agent.${name}.${table}`, fetch, actions, terms),
    ...mcpRules(mood, `agent.${name}.${table}`, tools, actions, terms),
  ];
}

function narrowingRules(
  name: string,
  { allow: { read, write, run, fetch, tools } }: AgentTables,
  actions: readonly PolicyAction[],
): CompiledRule[] {
  const uses = run?.map((grant) => `(resource == ${entity("Program", grant.path)} && ${useCondition(grant)})`);
  return [
    ...narrowing(
      name,
      "read",
      pathActions(actions, (effect) => effect === "read"),
      within(read),
    ),
    ...narrowing(
      name,
      "write",
      pathActions(actions, (effect) => effect !== "read"),
      within(write),
    ),
    ...narrowing(name, "run", programActions(actions), uses),
    ...narrowing(name, "fetch", hostActions(actions), hostsAmong(fetch)),
    ...narrowing(
      name,
      "fetch",
      connectActions(actions),
      fetch?.map((grant) => `(${tunnelHosts(grant).join(" && ")})`),
      "/connect",
    ),
    ...narrowing(name, "tools", mcpActions(actions), toolsAmong(tools)),
  ];
}

function within(grants: readonly PathGrant[] | undefined): readonly string[] | undefined {
  if (grants === undefined) return undefined;
  if (grants.length === 0) return [];
  return [`resource in ${set(grants.map(({ path }) => entity("Path", path)))}`];
}

/**
 * Forbids everything for which none of the conditions holds. Without a list nothing is forbidden, with an empty one
 * everything.
 */
function narrowing(
  name: string,
  kind: "read" | "write" | "run" | "fetch" | "tools",
  actions: readonly string[],
  conditions: readonly string[] | undefined,
  part = "",
): CompiledRule[] {
  if (conditions === undefined) return [];
  const clause: Pick<PolicyParts, "clause"> =
    conditions.length === 0 ? {} : { clause: { kind: "unless", condition: anyOf(conditions) } };
  return rule(
    { effect: "forbid", principal: name, actions, ...clause },
    {
      id: `toml/agent.${name}.allow.${kind}${part}`,
      source: `[agent.${printable(name)}].allow.${kind}`,
      reason: `of what is allowed, ${printable(name)} keeps only what its own table lists`,
      fix: `add the use to [agent.${printable(name)}].allow.${kind}`,
    },
  );
}
