/**
 * Checks that what policies name exists. Cedar takes any text for the name of a path, a program or an agent, and a
 * misspelt one would silently never match.
 */
import {
  canonicalHost,
  mcpCapability,
  nearestName,
  portNumber,
  printable,
  splitMcpToolName,
} from "@femtoclaw/protocol";
import type { PolicyAction } from "../schema.ts";
import { baseName, pathFault } from "../tables/canonical-path.ts";
import { type CodeRunner, codeRunner } from "../tables/code-runners.ts";
import type { LintFinding } from "../tables/lint.ts";
import { mcpActions } from "../tables/mcp-rules.ts";
import { type NamedEntity, REAL_FILE } from "./file-rule.ts";

/** Looks names up on this machine. */
export interface NameLookup {
  /** Where the path leads after symbolic links, as far as it exists. */
  path(path: string): { readonly canonical: string; readonly exists: boolean } | { readonly problem: string };
  /** The program that the search path finds under this path. */
  program(path: string): { readonly path: string; readonly realPath: string } | { readonly problem: string };
}

interface KnownNames {
  readonly actions: readonly PolicyAction[];
  /** Principals that can propose. */
  readonly agents: readonly string[];
  readonly lookup: NameLookup;
}

interface NameFindings {
  readonly findings: readonly LintFinding[];
  readonly warnings: readonly LintFinding[];
}

export function checkNames(names: readonly NamedEntity[], known: KnownNames): NameFindings {
  const findings: LintFinding[] = [];
  const warnings: LintFinding[] = [];
  for (const name of names) {
    const { source, type, id } = name;
    if (type === "Path") checkPath(name, known.lookup, findings, warnings);
    const message = OTHERS[type]?.(name, known) ?? null;
    if (message !== null) findings.push({ source, message: `${type}::"${printable(id)}" ${message}` });
  }
  return { findings, warnings };
}

/** INVARIANT: requests name canonical paths, so a policy that names another spelling would never match. */
function checkPath(
  { source, id }: NamedEntity,
  lookup: NameLookup,
  findings: LintFinding[],
  warnings: LintFinding[],
): void {
  const shown = `Path::"${printable(id)}"`;
  const fault = pathFault(id);
  if (fault !== null) {
    findings.push({
      source,
      message: `${shown} never matches: ${fault}; write an absolute path without \`.\`, \`..\` and a slash at its end`,
    });
    return;
  }
  const found = lookup.path(id);
  if ("problem" in found) findings.push({ source, message: `${shown} never matches: ${found.problem}` });
  else if (found.canonical !== id) {
    findings.push({
      source,
      message: `${shown} never matches, because it leads to "${printable(found.canonical)}"; write that`,
    });
  } else if (!found.exists)
    warnings.push({ source, message: `${shown} does not exist now; is it spelt as you mean it?` });
}

const OTHERS: Readonly<Record<string, (name: NamedEntity, known: KnownNames) => string | null>> = {
  Program: ({ id, opens }, { lookup }) => {
    const found = lookup.program(id);
    if ("problem" in found) return `never matches: ${found.problem}`;
    if (found.path !== id) return `never matches, because it is found as "${printable(found.path)}"; write that`;
    return openingFault(opens, [found.path, found.realPath]);
  },
  [REAL_FILE]: ({ id, opens }) => openingFault(opens, [id]),
  Host: ({ id }) => {
    const { host = "", port = "" } = /^(?<host>\[[^\]]*\]|[^:]*):(?<port>.*)$/s.exec(id)?.groups ?? {};
    if (portNumber(port) === null) return 'never matches: a host stands with its port, as in Host::"example.com:443"';
    const spelt = canonicalHost(host);
    if (!spelt.ok) return `never matches: the host ${spelt.problem}`;
    return spelt.host === host
      ? null
      : `never matches, because its canonical form is "${printable(spelt.host)}"; write that`;
  },
  McpTool: ({ id }, { actions }) => {
    const servers = mcpActions(actions);
    const server = splitMcpToolName(id)?.server;
    if (server !== undefined && servers.includes(mcpCapability(server))) return null;
    return `never matches: a tool stands as SERVER__TOOL, with a server of [mcp.servers]${hint(mcpCapability(server ?? id), servers)}`;
  },
  Tool: ({ id }, { actions }) => {
    const tools = actions.filter(({ resource }) => resource === "Tool").map(({ name }) => name);
    return tools.includes(id) ? null : `is no capability without a resource${hint(id, tools)}`;
  },
  Agent: ({ id }, { agents }) => (agents.includes(id) ? null : `is nobody who proposes${hint(id, agents)}`),
};

function hint(written: string, known: readonly string[]): string {
  const nearest = nearestName(written, known);
  if (nearest !== undefined) return `; did you mean "${nearest}"?`;
  return known.length === 0
    ? "; there is none"
    : `; known are ${known.map((name) => `"${printable(name)}"`).join(", ")}`;
}

const BY_DANGER: Readonly<Record<CodeRunner, string>> = {
  options:
    "can execute other code through its options; require context.word and that a list contains all of context.flags",
  operands: "takes code or commands as its arguments, which no fact limits",
};

function openingFault(opens: NamedEntity["opens"], paths: readonly string[]): string | null {
  if (opens === null || opens === "unsafe") return null;
  const dangers = paths.map((path) => codeRunner(path));
  const danger = dangers.includes("operands") ? "operands" : dangers.find((found) => found !== null);
  if (danger === undefined || danger === null || (danger === "options" && opens === "limited")) return null;
  return `(${printable(baseName(paths.at(-1) ?? ""))}) ${BY_DANGER[danger]}, or say that this is meant with @unsafe("why")`;
}
