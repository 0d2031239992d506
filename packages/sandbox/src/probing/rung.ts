/**
 * What confines a child. On Linux it is bubblewrap; if that does not work it is the kernel's Landlock, in namespaces if
 * a user may make them, else alone. On macOS it is Seatbelt. There is nothing weaker, and nothing at all on other
 * systems.
 */
import { type Authority, FemtoError, printable } from "@femtoclaw/protocol";
import type { Inspection } from "../views/inspection.ts";
import type { Visibility } from "../views/mounts.ts";
import { TOOL_FOLDERS } from "../views/system.ts";

/** Each rung has a shell of the system, which starts the confinement and itself runs outside of every sandbox. */
export type Rung =
  /** Found in the authority's search path. */
  | { readonly name: "bubblewrap"; readonly program: string; readonly shell: string }
  /** `unshare` from the authority's search path makes namespaces; the shell is process 1 in them too. */
  | { readonly name: "landlock, namespaces"; readonly unshare: string; readonly shell: string }
  /** The shell is also the guard, which ends the child as a whole. */
  | { readonly name: "landlock"; readonly shell: string }
  /** The system's own program that applies a profile; the shell is the guard too. */
  | { readonly name: "seatbelt"; readonly program: string; readonly shell: string };

/**
 * INVARIANT: I3: rungs in the order in which they are tried. A system that is not listed has none, and starts no
 * program.
 */
export function rungsOn(platform: NodeJS.Platform): readonly [Rung["name"], ...Rung["name"][]] | null {
  if (platform === "linux") return ["bubblewrap", "landlock, namespaces", "landlock"];
  return platform === "darwin" ? ["seatbelt"] : null;
}

/**
 * All rungs but bubblewrap have a guard, whose process group ends a child, and a launcher that reports faults itself.
 */
export const isByGroup = (name: Rung["name"]): boolean => name !== "bubblewrap";

/** The number of processes between the one started for a child and its program. */
const BETWEEN: Readonly<Record<Rung["name"], number>> = {
  /** Its process 1. */
  bubblewrap: 1,
  /** `unshare`, which waits for process 1, and process 1. */
  "landlock, namespaces": 2,
  landlock: 0,
  seatbelt: 0,
};
export const processesBetween = (name: Rung["name"]): number => BETWEEN[name];

/**
 * The number of processes that stand beside a program as long as it runs: the first one and those between, and for a
 * guard another one that waits for the end of the host.
 */
export const processesBeside = (name: Rung["name"]): number => 1 + BETWEEN[name] + Number(isByGroup(name));

/** Throws FEMTO_SANDBOX_UNAVAILABLE if a program that the rung needs is missing. */
export function rungOf(name: Rung["name"], { searchPath }: Authority, inspection: Inspection): Rung {
  if (name === "seatbelt") return seatbeltRung(inspection);
  const found = (program: string, folders: readonly string[], what: string, fix: string): string => {
    const path = inspection.findProgram(program, folders);
    if (path !== null) return path;
    throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `${what} is in none of ${folders.join(", ")}`, { fix });
  };
  const bubblewrap = (): string =>
    found("bwrap", searchPath, "bubblewrap (bwrap)", "Install it, for example with `apt-get install bubblewrap`.");
  const shell = (): string =>
    found("sh", TOOL_FOLDERS, "sh, which starts what confines programs,", "Install a shell there.");
  const unshare = (): string => found("unshare", searchPath, "unshare", "Install util-linux.");
  if (name === "bubblewrap") return { name, program: bubblewrap(), shell: shell() };
  return name === "landlock" ? { name, shell: shell() } : { name, unshare: unshare(), shell: shell() };
}

/** Both are parts of macOS and are taken from nowhere else. The shell is dash, which adds no variables of its own. */
function seatbeltRung({ findProgram }: Inspection): Rung {
  const [program, shell] = [findProgram("sandbox-exec", ["/usr/bin"]), findProgram("dash", ["/bin"])];
  if (program !== null && shell !== null) return { name: "seatbelt", program, shell };
  const missing = program === null ? "/usr/bin/sandbox-exec" : "/bin/dash";
  throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `${missing}, which is a part of macOS, is not there`, {
    fix: "Programs are confined with what macOS itself provides; nothing can be installed instead.",
  });
}

/** INVARIANT: no child can write to a program that runs outside of the sandbox, wherever a link to it leads. */
export function requireOutOfReach(rung: Rung, visibility: (path: string) => Visibility, { stateOf }: Inspection): void {
  for (const [name, program] of outside(rung)) {
    const state = stateOf(program);
    const file = state.kind === "link" ? state.target : program;
    if (visibility(file) !== "readWrite" && visibility(program) !== "readWrite") continue;
    throw new FemtoError(
      "FEMTO_SANDBOX_UNAVAILABLE",
      `${name} (${printable(file)}) is in a folder that children may write to`,
      {
        fix: "Use it from another folder, or deny writing to its folder.",
      },
    );
  }
}

function outside(rung: Rung): readonly (readonly [name: string, program: string])[] {
  const shell = ["the shell", rung.shell] as const;
  if (rung.name === "bubblewrap") return [["bubblewrap", rung.program], shell];
  if (rung.name === "seatbelt") return [shell, ["sandbox-exec", rung.program]];
  const launching = [shell, ["Node.js", process.execPath]] as const;
  return rung.name === "landlock" ? launching : [...launching, ["unshare", rung.unshare]];
}
