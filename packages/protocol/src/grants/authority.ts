/**
 * What the operator granted, resolved against this machine. Both the policy and the view of a sandboxed child are
 * computed from this one input, so that the two cannot disagree.
 */

import type { McpGrant } from "../mcp/mcp-tool.ts";
import type { ConnectGrant, FetchGrant } from "./fetch-grant.ts";

/** A file or folder, canonical and absolute, with the place in the configuration that names it. */
export interface PathGrant {
  readonly path: string;
  /** For people: `femtoclaw.toml:12:9`, or the name of the option if there is no file. */
  readonly source: string;
}

export type ProgramUse =
  | { readonly kind: "any"; readonly unsafe: boolean }
  | { readonly kind: "word"; readonly word: string; readonly flags: readonly string[] };

/** The principal of everybody who has no tables of their own. No agent of the configuration can have this name. */
export const EVERYBODY = "default";

/** One permitted or forbidden use of one program. */
export interface ProgramGrant {
  /** The path by which the search path finds the program, for example `/usr/bin/awk`. */
  readonly path: string;
  /** The file that the path leads to after symbolic links, for example `/usr/bin/mawk`. */
  readonly realPath: string;
  readonly use: ProgramUse;
  readonly source: string;
}

export interface GrantTable {
  readonly read: readonly PathGrant[];
  readonly write: readonly PathGrant[];
  readonly run: readonly ProgramGrant[];
  /** In a table of entries that ask: how many operators have to say yes, if more than one. */
  readonly approvers?: number;
  /** Hosts for net_fetch; none if absent. */
  readonly fetch?: readonly FetchGrant[];
  /** Tools of MCP servers; none if absent. */
  readonly tools?: readonly McpGrant[];
}

/**
 * What one session may use before it is halted, each budget with its place in the configuration; unbounded if absent.
 */
export type SessionBudgets = {
  readonly [Name in "calls" | "bytes" | "seconds"]?: { readonly limit: number; readonly source: string };
};

/** Identifiers of the rules that budgets become. A denial by one of them is recognized as a used-up budget. */
export const BUDGET_RULES = { calls: "budget/calls", bytes: "budget/bytes", seconds: "budget/seconds" } as const;

/**
 * Restrictions of one agent. If `allow` has a list, the agent keeps only those permitted uses that the list contains.
 */
export interface AgentTables {
  readonly allow: Partial<GrantTable>;
  readonly ask: GrantTable;
  readonly deny: GrantTable;
}

export interface Authority {
  /** Canonical absolute folder at which relative paths start. Children see it read-only. */
  readonly workspace: string;
  /** Absolute folders in which programs are looked up. */
  readonly searchPath: readonly string[];
  readonly allow: GrantTable;
  /** What is allowed only after an operator has said yes to the very call. */
  readonly ask: GrantTable;
  readonly deny: GrantTable;
  /** By the name that the host gives to an agent. */
  readonly agents?: Readonly<Record<string, AgentTables>>;
  readonly budgets?: SessionBudgets;
  /** Places whose content marks every principal that may have read it. */
  readonly sensitive?: { readonly secret: readonly PathGrant[]; readonly untrusted: readonly PathGrant[] };
  /** What is forbidden to a principal from the moment it has the mark. */
  readonly after?: {
    readonly secret: readonly ProgramGrant[];
    readonly untrusted: readonly ProgramGrant[];
    readonly secretFetch?: readonly FetchGrant[];
    readonly untrustedFetch?: readonly FetchGrant[];
    readonly secretTools?: readonly McpGrant[];
    readonly untrustedTools?: readonly McpGrant[];
  };
  /** State, configuration, policy, keys and sockets of FemtoClaw itself: never reachable, whatever is granted. */
  readonly floor: readonly string[];
  /** Further paths that children see read-only. */
  readonly childRead: readonly string[];
  /** Variables that children get, and the names that a call may set to other values. */
  readonly environment: Readonly<Record<string, string>>;
  readonly environmentNames: readonly string[];
  /** Hosts that programs may connect to while they run; none if absent. */
  readonly connect?: readonly ConnectGrant[];
  /** Programs that operators may launch as agents, with any arguments; none if absent. */
  readonly launch?: readonly LaunchGrant[];
}

/** A program that operators may launch as an agent. */
export interface LaunchGrant {
  /** The path by which the search path finds the program, and the file that it leads to. */
  readonly program: string;
  readonly realPath: string;
  /** The agent whose tables apply to its calls. */
  readonly principal: string;
  /** For people: `femtoclaw.toml:12:9`. */
  readonly source: string;
}

/** The capability by which an agent is launched. */
export const AGENT_RUN = "agent_run";

/**
 * Files that people's tools run or obey later, outside the sandbox: somebody who writes them decides what is executed
 * then. Inside a writable folder they are out of reach unless a grant names them.
 */
export const OBEYED_LATER: readonly string[] = [
  ".claude",
  ".codex",
  ".cursor",
  ".envrc",
  ".gemini",
  ".git",
  ".mcp.json",
  ".npmrc",
  ".opencode",
  ".pi",
  ".vscode",
  "opencode.json",
  "opencode.jsonc",
];

/**
 * Parts of a repository that name programs, or lead to others that do. Files that git itself changes are not among
 * them.
 */
export const OBEYED_IN_REPOSITORY: readonly string[] = [
  ".git/commondir",
  ".git/config",
  ".git/config.worktree",
  ".git/hooks",
  ".git/modules",
  ".git/worktrees",
];

type WriteGrants = Pick<Authority, "workspace" | "allow" | "ask">;

/** The places of such files in the workspace and in every writable folder, except those that a grant names. */
export function obeyedLaterPaths(grants: WriteGrants): string[] {
  const named = namedForWriting(grants);
  const paths = obeyedRoots(grants).flatMap((root) => {
    // A repository that no grant names is out of reach as a whole, including its parts.
    const parts = named.has(placeIn(root, ".git")) ? OBEYED_IN_REPOSITORY : [];
    return [...OBEYED_LATER, ...parts].map((name) => placeIn(root, name));
  });
  return [...new Set(paths)].filter((path) => !named.has(path)).sort();
}

/**
 * The authority that remains for one principal, so that a child's view matches what the rules allow its calls.
 * INVARIANT: I8: it is never more than what everybody has.
 */
export function authorityOf(authority: Authority, principal: string): Authority {
  const { agents = {}, allow, ask, deny } = authority;
  const own = Object.hasOwn(agents, principal) ? agents[principal] : undefined;
  if (own === undefined) return authority;
  return {
    ...authority,
    allow: { ...allow, read: common(allow.read, own.allow.read), write: common(allow.write, own.allow.write) },
    ask: together(ask, own.ask),
    deny: together(deny, own.deny),
  };
}

/** If one of two grants lies within the other, the inner one is what both grant. */
function common(all: readonly PathGrant[], own: readonly PathGrant[] | undefined): readonly PathGrant[] {
  if (own === undefined) return all;
  return all.flatMap((grant) =>
    own.flatMap((narrower) => {
      if (isWithin(grant.path, narrower.path)) return [grant];
      return isWithin(narrower.path, grant.path) ? [narrower] : [];
    }),
  );
}

/** Whether the path is the folder or lies below it. Both are absolute and canonical. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

function together(one: GrantTable, other: GrantTable): GrantTable {
  return {
    read: [...one.read, ...other.read],
    write: [...one.write, ...other.write],
    run: [...one.run, ...other.run],
    fetch: [...(one.fetch ?? []), ...(other.fetch ?? [])],
    tools: [...(one.tools ?? []), ...(other.tools ?? [])],
  };
}

/** The parts of a repository that a grant names, although the repository as a whole is obeyed later. */
export function namedRepositoryParts(grants: WriteGrants): string[] {
  const named = namedForWriting(grants);
  const paths = obeyedRoots(grants).flatMap((root) => OBEYED_IN_REPOSITORY.map((name) => placeIn(root, name)));
  return [...new Set(paths)].filter((path) => named.has(path)).sort();
}

function namedForWriting({ allow, ask }: WriteGrants): ReadonlySet<string> {
  return new Set([...allow.write, ...ask.write].map(({ path }) => path));
}

const placeIn = (root: string, name: string): string => `${root === "/" ? "" : root}/${name}`;

/**
 * The folders whose files are obeyed: the workspace, the writable paths, and the work tree of a writable repository.
 */
export function obeyedRoots(grants: WriteGrants): string[] {
  const written = [...namedForWriting(grants)];
  const workTrees = written
    .filter((path) => path.endsWith("/.git"))
    .map((path) => path.slice(0, -"/.git".length) || "/");
  return [...new Set([grants.workspace, ...written, ...workTrees])].sort();
}
