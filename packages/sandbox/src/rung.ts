/** What confines a child: bubblewrap, and where that does not work the kernel's Landlock alone. There is nothing below that. */
import { type Authority, FemtoError, printable } from "@femtoclaw/protocol";
import type { Inspection } from "./inspection.ts";
import { TOOL_FOLDERS } from "./system.ts";
import type { Visibility } from "./view.ts";

/** Each has a shell of the system, which stands before it outside of every sandbox. */
export type Rung =
  /** Found in the authority's search path. */
  | { readonly name: "bubblewrap"; readonly program: string; readonly shell: string }
  /** The shell ends a child as a whole, too. */
  | { readonly name: "landlock"; readonly shell: string };

/** Throws FEMTO_SANDBOX_UNAVAILABLE where a program is missing for it. */
export function rungOf(name: Rung["name"], { searchPath }: Authority, { findProgram }: Inspection): Rung {
  const found = (program: string, folders: readonly string[], what: string, fix: string): string => {
    const path = findProgram(program, folders);
    if (path !== null) return path;
    throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `${what} is in none of ${folders.join(", ")}`, { fix });
  };
  const bubblewrap = (): string =>
    found("bwrap", searchPath, "bubblewrap (bwrap)", "Install it, for example with `apt-get install bubblewrap`.");
  const shell = (): string =>
    found("sh", TOOL_FOLDERS, "sh, which starts what confines programs,", "Install a shell there.");
  return name === "bubblewrap" ? { name, program: bubblewrap(), shell: shell() } : { name, shell: shell() };
}

/** INVARIANT: what runs outside of every sandbox no child writes to, wherever a link to it leads. */
export function requireOutOfReach(rung: Rung, visibility: (path: string) => Visibility, { stateOf }: Inspection): void {
  const programs = [
    ["the shell", rung.shell] as const,
    rung.name === "bubblewrap" ? (["bubblewrap", rung.program] as const) : (["Node.js", process.execPath] as const),
  ];
  for (const [name, program] of programs) {
    const state = stateOf(program);
    const file = state.kind === "link" ? state.target : program;
    if (visibility(file) !== "readWrite" && visibility(program) !== "readWrite") continue;
    throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `${name} (${printable(file)}) lies where children may write`, {
      fix: "Take it from elsewhere, or deny writing to its folder.",
    });
  }
}
