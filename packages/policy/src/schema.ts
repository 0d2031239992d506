/**
 * The Cedar schema, generated from what the capabilities declare. There is one action per capability; its resource and
 * its context follow from the kind of resource that its arguments name.
 */
import assert from "node:assert/strict";
import { type Authority, type CapabilityManifest, CONNECT_ACTION, FemtoError } from "@femtoclaw/protocol";
import { HISTORY_CONTEXT, SESSION } from "./decisions/history-context.ts";
import { literal } from "./tables/cedar-text.ts";

/** What a call can be about. `Tool` stands for a capability that declares no resource. */
export type ResourceType = "Path" | "Program" | "Host" | "McpTool" | "Tool";

/** A capability as the engine knows it. */
export interface PolicyAction {
  readonly name: string;
  readonly resource: ResourceType;
  readonly effect: CapabilityManifest["effect"];
}

/** What the context holds besides the facts: whether an operator has said yes to this very call. */
const APPROVED = { approved: "Bool" };

/** The fact question of each kind, without `kind` and the resource itself. `?` marks facts that may be absent. */
export const CONTEXT: Readonly<Record<ResourceType, Readonly<Record<string, string>>>> = {
  Path: { exists: "Bool", type: "String", bytes: "Long", "recursive?": "Bool" },
  Program: {
    real_path: "String",
    device: "String",
    inode: "String",
    sha256: "String",
    "word?": "String",
    arguments: "Long",
    flags: "Set<String>",
    environment: "Set<String>",
    cwd: "String",
  },
  Host: {
    scheme: "String",
    host: "String",
    port: "Long",
    addresses: "Set<String>",
    network: "String",
    method: "String",
    path: "String",
    headers: "Set<String>",
    injects: "Set<String>",
    bytes: "Long",
    hop: "Long",
  },
  McpTool: {
    server: "String",
    tool: "String",
    definition: "String",
    destructive: "Bool",
    arguments: "Set<String>",
    values: "Set<String>",
    opaque: "Set<String>",
  },
  Tool: {},
};

/** What is known of a connection in addition to what is known of a request: the program of the call. */
const CONNECTING = { program: "String", real_path: "String" };

/** Whether any program may connect to anything. */
export const connects = ({ connect = [] }: Authority): boolean => connect.length > 0;

/** The actions, ordered by name. `connects` says whether some entry lets a program connect. */
export function policyActions(manifests: readonly CapabilityManifest[], connects = false): PolicyAction[] {
  const actions: PolicyAction[] = manifests.map((manifest) => ({
    name: manifest.name,
    resource: resourceType(manifest),
    effect: manifest.effect,
  }));
  // No call names this action. It is left out if no program may connect, so that the schema of such a policy keeps its
  // revision.
  if (connects) actions.push({ name: CONNECT_ACTION, resource: "Host", effect: "network" });
  const names = new Set(actions.map(({ name }) => name));
  assert.equal(names.size, actions.length, "capabilities have distinct names");
  return actions.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function resourceType({ name, arguments: declared }: CapabilityManifest): ResourceType {
  // For a terminal, the question is about the program that runs on it.
  const kinds = new Set(
    declared.map(({ kind }) => (kind === "terminal" ? "program" : kind)).filter((kind) => kind !== "size"),
  );
  const [kind, ...others] = kinds;
  if (others.length > 0) {
    throw new FemtoError(
      "FEMTO_POLICY_INVALID",
      `capability \`${name}\` declares both a ${kind} and a ${others[0]}; a capability names one kind of resource`,
    );
  }
  return kind === undefined ? "Tool" : TYPES[kind];
}

const TYPES = { path: "Path", program: "Program", host: "Host", mcp_tool: "McpTool" } as const;

export function schemaText(actions: readonly PolicyAction[]): string {
  const lines = [
    "entity Agent;",
    "entity Path in [Path];",
    "entity Program;",
    // Included only if a capability reaches hosts or is an MCP server, so that the schema of every other policy keeps
    // its revision.
    ...(actions.some(({ resource }) => resource === "Host") ? ["entity Host;"] : []),
    ...(actions.some(({ resource }) => resource === "McpTool") ? ["entity McpTool;"] : []),
    "entity Tool;",
    `type Session = ${recordOf(SESSION)};`,
  ];
  const applying = ({ name, resource }: PolicyAction): string =>
    `appliesTo { principal: [Agent], resource: [${resource}], context: ${recordOf(contextOf(resource, name))} };`;
  // Actions with the same context are declared together: the engine then parses it once instead of once for each
  // action.
  for (const [applies, alike] of Map.groupBy(actions, applying)) {
    lines.push(`action ${alike.map(({ name }) => literal(name)).join(", ")} ${applies}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Everything about a call on such a resource that a condition can read; `?` marks what may be absent. */
export function contextOf(resource: ResourceType, action = ""): Readonly<Record<string, string>> {
  const connecting = action === CONNECT_ACTION ? CONNECTING : {};
  return { ...CONTEXT[resource], ...connecting, ...HISTORY_CONTEXT, ...APPROVED };
}

function recordOf(attributes: Readonly<Record<string, string>>): string {
  const members = Object.entries(attributes).map(([key, type]) => {
    const name = key.replace("?", "");
    return `${literal(name)}${name === key ? "" : "?"}: ${type}`;
  });
  return `{ ${members.join(", ")} }`;
}
