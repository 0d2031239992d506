/** What confines a child: bubblewrap, and where that does not work the kernel's Landlock alone. There is nothing below that. */
import { type Authority, FemtoError, printable } from "@femtoclaw/protocol";
import type { Inspection } from "./inspection.ts";
import { TOOL_FOLDERS } from "./system.ts";
import type { Visibility } from "./view.ts";

export type Rung =
  /** Found in the authority's search path. */
  | { readonly name: "bubblewrap"; readonly program: string }
  /** The shell of the system that ends a child as a whole. */
  | { readonly name: "landlock"; readonly guard: string };

/** Throws FEMTO_SANDBOX_UNAVAILABLE where a program is missing for it. */
export function rungOf(name: Rung["name"], { searchPath }: Authority, inspection: Inspection): Rung {
  const isBubblewrap = name === "bubblewrap";
  const folders = isBubblewrap ? searchPath : TOOL_FOLDERS;
  const program = inspection.findProgram(isBubblewrap ? "bwrap" : "sh", folders);
  if (program !== null) return isBubblewrap ? { name, program } : { name, guard: program };
  const missing = isBubblewrap ? "bubblewrap (bwrap)" : "sh, which ends what programs leave,";
  throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `${missing} is in none of ${folders.join(", ")}`, {
    fix: isBubblewrap ? "Install it, for example with `apt-get install bubblewrap`." : "Install a shell there.",
  });
}

/** INVARIANT: what runs outside of every sandbox no child writes to, wherever a link to it leads. */
export function requireOutOfReach(rung: Rung, visibility: (path: string) => Visibility, { stateOf }: Inspection): void {
  const programs =
    rung.name === "bubblewrap"
      ? [["bubblewrap", rung.program] as const]
      : ([["the shell", rung.guard] as const, ["Node.js", process.execPath] as const] as const);
  for (const [name, program] of programs) {
    const state = stateOf(program);
    const file = state.kind === "link" ? state.target : program;
    if (visibility(file) !== "readWrite" && visibility(program) !== "readWrite") continue;
    throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `${name} (${printable(file)}) lies where children may write`, {
      fix: "Take it from elsewhere, or deny writing to its folder.",
    });
  }
}
