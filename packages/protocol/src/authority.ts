/**
 * What the operator granted, resolved against this machine: the one input from which both the policy
 * and the view of a sandboxed child are computed, so that the two cannot disagree.
 */

/** A file or folder, canonical and absolute, with the place in the configuration that names it. */
export interface PathGrant {
  readonly path: string;
  /** For people: `femtoclaw.toml:12:9`, or the name of the option when there is no file. */
  readonly source: string;
}

export type ProgramUse =
  | { readonly kind: "any"; readonly unsafe: boolean }
  | { readonly kind: "word"; readonly word: string; readonly flags: readonly string[] };

/** One permitted or forbidden use of one program. */
export interface ProgramGrant {
  /** Path under which the search path holds the program, for example `/usr/bin/awk`. */
  readonly path: string;
  /** The file it leads to after symbolic links, for example `/usr/bin/mawk`. */
  readonly realPath: string;
  readonly use: ProgramUse;
  readonly source: string;
}

export interface GrantTable {
  readonly read: readonly PathGrant[];
  readonly write: readonly PathGrant[];
  readonly run: readonly ProgramGrant[];
}

export interface Authority {
  /** Canonical absolute folder that relative paths start from; children see it read-only. */
  readonly workspace: string;
  /** Absolute folders in which programs are looked up. */
  readonly searchPath: readonly string[];
  readonly allow: GrantTable;
  /** What is allowed only after an operator has said yes to the very call. */
  readonly ask: GrantTable;
  readonly deny: GrantTable;
  /** State, configuration, policy, keys and sockets of FemtoClaw itself: never reachable, whatever is granted. */
  readonly floor: readonly string[];
  /** Further paths that children see read-only. */
  readonly childRead: readonly string[];
  /** Variables that children get, and the names that a call may set to other values. */
  readonly environment: Readonly<Record<string, string>>;
  readonly environmentNames: readonly string[];
}

/**
 * Files that people's tools run or obey later, outside the sandbox: whoever writes them decides what is
 * executed then. They are out of reach inside a writable folder unless a grant names them.
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
  ".vscode",
];

/** Parts of a repository that name programs, or lead to others that do. What git itself changes is not among them. */
export const OBEYED_IN_REPOSITORY: readonly string[] = [
  ".git/commondir",
  ".git/config",
  ".git/config.worktree",
  ".git/hooks",
  ".git/modules",
  ".git/worktrees",
];

type WriteGrants = Pick<Authority, "workspace" | "allow" | "ask">;

/** The places of such files in the workspace and in every writable folder, without those that a grant names. */
export function obeyedLaterPaths(grants: WriteGrants): string[] {
  const named = namedForWriting(grants);
  const paths = obeyedRoots(grants).flatMap((root) => {
    // A repository that is not named is out of reach as a whole, and its parts with it.
    const parts = named.has(placeIn(root, ".git")) ? OBEYED_IN_REPOSITORY : [];
    return [...OBEYED_LATER, ...parts].map((name) => placeIn(root, name));
  });
  return [...new Set(paths)].filter((path) => !named.has(path)).sort();
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

/** The folders whose files are obeyed: the workspace, what may be written, and the work tree of a repository that may. */
export function obeyedRoots(grants: WriteGrants): string[] {
  const written = [...namedForWriting(grants)];
  const workTrees = written
    .filter((path) => path.endsWith("/.git"))
    .map((path) => path.slice(0, -"/.git".length) || "/");
  return [...new Set([grants.workspace, ...written, ...workTrees])].sort();
}
