/**
 * What confines a child: on Linux bubblewrap, and where that does not work the kernel's Landlock alone; on macOS Seatbelt.
 * There is nothing below that, and nothing at all on other systems.
 */
import { type Authority, FemtoError, printable } from "@femtoclaw/protocol";
import type { Inspection } from "./inspection.ts";
import { TOOL_FOLDERS } from "./system.ts";
import type { Visibility } from "./view.ts";

export type Rung =
  /** Found in the authority's search path. */
  | { readonly name: "bubblewrap"; readonly program: string }
  /** The shell of the system that ends a child as a whole. */
  | { readonly name: "landlock"; readonly guard: string }
  /** The system's own program that puts a profile in force, and the shell as above. */
  | { readonly name: "seatbelt"; readonly program: string; readonly guard: string };

/** INVARIANT: I3: in the order in which they are tried; a system that is not here has none, and starts no program. */
export function rungsOn(platform: NodeJS.Platform): readonly [Rung["name"], ...Rung["name"][]] | null {
  if (platform === "linux") return ["bubblewrap", "landlock"];
  return platform === "darwin" ? ["seatbelt"] : null;
}

/** Without namespaces a child is ended by its process group, which its guard leads. */
export const isByGroup = (name: Rung["name"]): boolean => name !== "bubblewrap";

/** Throws FEMTO_SANDBOX_UNAVAILABLE where a program is missing for it. */
export function rungOf(name: Rung["name"], { searchPath }: Authority, inspection: Inspection): Rung {
  if (name === "seatbelt") return seatbeltRung(inspection);
  const isBubblewrap = name === "bubblewrap";
  const folders = isBubblewrap ? searchPath : TOOL_FOLDERS;
  const program = inspection.findProgram(isBubblewrap ? "bwrap" : "sh", folders);
  if (program !== null) return isBubblewrap ? { name, program } : { name, guard: program };
  const missing = isBubblewrap ? "bubblewrap (bwrap)" : "sh, which ends what programs leave,";
  throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `${missing} is in none of ${folders.join(", ")}`, {
    fix: isBubblewrap ? "Install it, for example with `apt-get install bubblewrap`." : "Install a shell there.",
  });
}

/** Both are parts of macOS, and are taken from nowhere else. The shell is dash, which adds nothing to what it hands on. */
function seatbeltRung({ findProgram }: Inspection): Rung {
  const [program, guard] = [findProgram("sandbox-exec", ["/usr/bin"]), findProgram("dash", ["/bin"])];
  if (program !== null && guard !== null) return { name: "seatbelt", program, guard };
  const missing = program === null ? "/usr/bin/sandbox-exec" : "/bin/dash";
  throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `${missing}, which is a part of macOS, is not there`, {
    fix: "Programs are confined by what macOS brings; nothing else is installed for it.",
  });
}

/** INVARIANT: what runs outside of every sandbox no child writes to, wherever a link to it leads. */
export function requireOutOfReach(rung: Rung, visibility: (path: string) => Visibility, { stateOf }: Inspection): void {
  for (const [name, program] of outside(rung)) {
    const state = stateOf(program);
    const file = state.kind === "link" ? state.target : program;
    if (visibility(file) !== "readWrite" && visibility(program) !== "readWrite") continue;
    throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `${name} (${printable(file)}) lies where children may write`, {
      fix: "Take it from elsewhere, or deny writing to its folder.",
    });
  }
}

function outside(rung: Rung): readonly (readonly [name: string, program: string])[] {
  if (rung.name === "bubblewrap") return [["bubblewrap", rung.program]];
  const guard = ["the shell", rung.guard] as const;
  return rung.name === "landlock" ? [guard, ["Node.js", process.execPath]] : [guard, ["sandbox-exec", rung.program]];
}
