/**
 * What a child may see, computed from what the operator granted: the same input from which policy is
 * compiled. What policy denies to the file capabilities is out of a child's reach too.
 */
import {
  type Authority,
  FemtoError,
  OBEYED_IN_REPOSITORY,
  OBEYED_LATER,
  obeyedRoots,
  type PathGrant,
  printable,
} from "@femtoclaw/protocol";
import type { ControlGroups } from "./control-groups.ts";
import { hostInspection, type Inspection, type PathState } from "./inspection.ts";
import { type KeptPaths, onlyMissing } from "./kept-paths.ts";
import { type Rung, requireOutOfReach, rungOf } from "./rung.ts";
import { RunningChildren } from "./running-children.ts";
import { MACOS } from "./seatbelt/macos-system.ts";
import { seccompFilter } from "./seccomp.ts";
import { LINUX, type SystemPart } from "./system.ts";

/** One step of building a child's file tree. A later step covers what earlier ones put below its path. */
export type Mount =
  | { readonly kind: "proc" | "dev" | "tmpfs" | "readOnly" | "readWrite"; readonly path: string }
  | { readonly kind: "maskFile" | "maskFolder"; readonly path: string }
  /** A file of this machine that stands elsewhere there, and one that is made of what a descriptor of bubblewrap gives. */
  | { readonly kind: "placed"; readonly path: string; readonly from: string }
  | { readonly kind: "handed"; readonly path: string; readonly descriptor: number }
  /** The same, but its own to change. */
  | { readonly kind: "written"; readonly path: string; readonly descriptor: number }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

export interface SandboxView {
  /** Parents before children, masks last; the same authority on the same machine gives the same list. */
  readonly mounts: readonly Mount[];
  readonly authority: Authority;
  readonly rung: Rung;
  /** The system call filter, as the kernel of Linux takes it; empty where another one confines. */
  readonly filter: Uint8Array;
  /** Granted paths that do not exist and so are not shown. */
  readonly absent: readonly string[];
  /** Files obeyed later that do not exist in a writable folder, so that a child could create them. */
  readonly unguarded: readonly string[];
  /** What stood at each path on which the plan rests; when one of them changes, the plan is made anew. */
  readonly assumed: ReadonlyMap<string, PathState["kind"]>;
  /** What a child ends with when it is replaced. */
  readonly kept: KeptPaths;
  /** The children of this view and of those that took its place. */
  readonly children: RunningChildren<SandboxView>;
  /** What counts all that a child uses together; null where nothing does. */
  readonly groups: ControlGroups | null;
}

export type Visibility = "readOnly" | "readWrite" | "private" | "masked" | "hidden";

/** Plans the view of a child. Throws FEMTO_SANDBOX_UNAVAILABLE for what cannot be enforced. */
export function viewOf(
  authority: Authority,
  inspection: Inspection = hostInspection,
  children = new RunningChildren<SandboxView>(),
  groups: ControlGroups | null = null,
  by: Rung["name"] = "bubblewrap",
): SandboxView {
  const rung = rungOf(by, authority, inspection);
  const isMac = rung.name === "seatbelt";
  const planner = new Planner(authority, inspection, isMac ? MACOS : LINUX);
  const mounts = planner.plan();
  requireOutOfReach(rung, (path) => visibilityOf(mounts, path), inspection);
  return {
    mounts,
    authority,
    rung,
    filter: isMac ? new Uint8Array() : seccompFilter(inspection.architecture, rung.name !== "bubblewrap"),
    absent: planner.absent,
    unguarded: planner.unguarded,
    assumed: planner.assumed,
    kept:
      rung.name === "bubblewrap"
        ? planner.kept
        : onlyMissing(planner.kept, (path) => planner.assumed.get(path) === "missing"),
    children,
    groups,
  };
}

/** How a child sees a canonical path. */
export function visibilityOf(mounts: readonly Mount[], path: string): Visibility {
  return visibilityBy(mounts.findLast((mount) => isWithin(path, mount.path)));
}

function visibilityBy(mount: Mount | undefined): Visibility {
  switch (mount?.kind) {
    case undefined:
      return "hidden";
    case "readOnly":
    case "readWrite":
      return mount.kind;
    case "placed":
    case "handed":
      return "readOnly";
    case "maskFile":
    case "maskFolder":
      return "masked";
    case "proc":
    case "dev":
    case "tmpfs":
    case "link":
    case "written":
      return "private";
  }
}

export function isWithin(path: string, folder: string): boolean {
  return path === folder || folder === "/" || path.startsWith(`${folder}/`);
}

function unavailable(message: string, fix: string): FemtoError {
  return new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", message, { fix });
}

/** By path components, so that a parent stands before its children and those before its next sibling. */
function byPath(a: Mount, b: Mount): number {
  const [left, right] = [a.path.replaceAll("/", "\0"), b.path.replaceAll("/", "\0")];
  return left < right ? -1 : Number(left > right);
}

/** The folders above a path, innermost first. */
function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) folders.push(path.slice(0, at));
  return path === "/" ? [] : [...folders, "/"];
}

class Planner {
  readonly absent: string[] = [];
  readonly unguarded: string[] = [];
  readonly assumed = new Map<string, PathState["kind"]>();
  readonly kept = { unseen: [] as string[], unwritten: [] as string[] };
  readonly #authority: Authority;
  readonly #inspection: Inspection;
  readonly #system: SystemPart;
  /** One step for each path; a later `#show` of the same path replaces the earlier. */
  readonly #layers = new Map<string, Mount>();
  /** The steps that hide something; they follow all others, those of the floor at the very end. */
  readonly #masks: Mount[] = [];

  constructor(authority: Authority, inspection: Inspection, system: SystemPart) {
    this.#authority = authority;
    this.#inspection = inspection;
    this.#system = system;
  }

  plan(): Mount[] {
    this.#showSystem();
    this.#showGrants();
    this.#guardObeyedLater();
    const { ask, deny, sensitive } = this.#authority;
    // A yes is for one call; what a child opens is asked of nobody, so what is asked for is kept from it.
    for (const grant of [...ask.write, ...deny.write]) this.#keepReadOnly(grant);
    for (const grant of ask.read) this.#hide(grant, "asked for");
    for (const grant of deny.read) this.#hide(grant, "denied");
    // INVARIANT: what a program reads no record tells, so secrets are read by calls that name them, or not at all.
    for (const grant of sensitive?.secret ?? []) this.#hide(grant, "secret");
    const { unseen, unwritten } = this.kept;
    for (const paths of [unseen, unwritten]) paths.push(...new Set(paths.flatMap((path) => this.#wayTo(path))));
    // INVARIANT: nothing of FemtoClaw itself is visible to a child, whatever is granted; masks come last. These FemtoClaw
    // replaces itself, so they are not among those with which a child ends.
    for (const path of this.#authority.floor)
      this.#mask(path, "part of FemtoClaw's own state, configuration or sockets");
    this.#pin();
    return [...[...this.#layers.values()].sort(byPath), ...this.#masks];
  }

  #steps(): Mount[] {
    return [...this.#layers.values(), ...this.#masks];
  }

  #visibility(path: string): Visibility {
    if (this.#masks.some((mask) => isWithin(path, mask.path))) return "masked";
    const place = [path, ...foldersAbove(path)].find((folder) => this.#layers.has(folder));
    return visibilityBy(this.#layers.get(place ?? ""));
  }

  #stateOf(path: string): PathState {
    const state = this.#inspection.stateOf(path);
    this.assumed.set(path, state.kind);
    return state;
  }

  #show(mount: Mount): void {
    this.#layers.set(mount.path, mount);
  }

  #showSystem(): void {
    const { folders, files, privateFolders } = this.#system;
    for (const [path, kind] of Object.entries(privateFolders)) this.#show({ kind, path });
    for (const path of folders) {
      const state = this.#inspection.stateOf(path);
      if (state.kind === "link") this.#show({ kind: "link", path, target: state.target });
      if (state.kind === "directory") this.#show({ kind: "readOnly", path });
    }
    for (const path of files) {
      // A link here is shown as the file it leads to, for example a time zone.
      if (this.#inspection.stateOf(path).kind !== "missing") this.#show({ kind: "readOnly", path });
    }
  }

  #showGrants(): void {
    const { workspace, allow, ask, deny, childRead } = this.#authority;
    // What is denied or asked for is shown read-only even where writing it was granted too.
    const withheld = [...ask.write, ...deny.write];
    const isWritable = ({ path }: PathGrant): boolean => !withheld.some((other) => isWithin(path, other.path));
    const write = allow.write.filter(isWritable);
    const read = [
      ...[workspace, ...childRead].map((path) => ({ path, source: "the workspace or [sandbox].read" })),
      ...allow.read,
      ...allow.write.filter((grant) => !isWritable(grant)),
    ];
    for (const grant of read) {
      // Grants add up: reading within a folder granted for writing takes nothing away.
      if (!write.some(({ path }) => isWithin(grant.path, path))) this.#grant(grant, "readOnly");
    }
    for (const grant of write) this.#grant(grant, "readWrite");
  }

  #grant({ path, source }: PathGrant, kind: "readOnly" | "readWrite"): void {
    if (["/proc", "/dev"].some((folder) => isWithin(path, folder))) {
      throw unavailable(
        `${printable(path)} (${source}) cannot be shown to a child`,
        "Grant no path within /proc or /dev.",
      );
    }
    const state = this.#stateOf(path);
    if (state.kind === "missing") {
      this.absent.push(path);
    } else if (state.kind === "link") {
      throw unavailable(
        `${printable(path)} (${source}) is, or lies behind, a symbolic link`,
        `Grant the path it leads to: ${printable(state.target)}.`,
      );
    } else {
      this.#show({ kind, path });
      this.#leaveLinks(path);
    }
  }

  /** A folder that is shown whole brings its links as the machine has them; nothing can be mounted over a link. */
  #leaveLinks(folder: string): void {
    for (const name of [...this.#system.folders, ...this.#system.files]) {
      const isLink = name !== folder && isWithin(name, folder) && this.#inspection.stateOf(name).kind === "link";
      if (isLink) this.#layers.delete(name);
    }
  }

  #guardObeyedLater(): void {
    const { allow } = this.#authority;
    // A root need not be writable itself: the grant may begin inside of it, with the repository or its hooks.
    for (const root of obeyedRoots(this.#authority)) {
      if (this.#stateOf(root).kind !== "directory") continue;
      for (const name of this.#obeyedIn(root)) {
        const path = `${root === "/" ? "" : root}/${name}`;
        const isNamed = allow.write.some((grant) => grant.path === path);
        if (isNamed || this.#visibility(path) !== "readWrite") continue;
        const { kind } = this.#stateOf(path);
        if (kind === "file" || kind === "directory") this.#keep(path);
        else this.unguarded.push(path);
      }
    }
  }

  /** Programs may change a repository, as git does, but not what in it names programs. A file `.git` names another one. */
  #obeyedIn(root: string): readonly string[] {
    const isRepository = this.#stateOf(`${root === "/" ? "" : root}/.git`).kind === "directory";
    return isRepository ? [...OBEYED_LATER.filter((name) => name !== ".git"), ...OBEYED_IN_REPOSITORY] : OBEYED_LATER;
  }

  #keepReadOnly({ path, source }: PathGrant): void {
    const state = this.#stateOf(path);
    if (this.#visibility(path) !== "readWrite") return;
    this.#mustStand(path, state, `denied for writing at ${source}`);
    this.#keep(path);
  }

  #keep(path: string): void {
    this.#show({ kind: "readOnly", path });
    this.kept.unwritten.push(path);
  }

  /** Folders between what is shown as a whole and a path in it: who moves one of them moves the path. */
  #wayTo(path: string): string[] {
    const folders = foldersAbove(path);
    const shown = folders.findIndex((folder) => this.#layers.has(folder));
    return folders.slice(0, Math.max(shown, 0));
  }

  #hide({ path, source }: PathGrant, why: string): void {
    if (this.#mask(path, `${why} at ${source}`)) this.kept.unseen.push(path);
  }

  /** Whether it would be seen otherwise. */
  #mask(path: string, why: string): boolean {
    const state = this.#stateOf(path);
    const visibility = this.#visibility(path);
    const isReached =
      visibility === "readOnly" ||
      visibility === "readWrite" ||
      this.#steps().some((step) => isWithin(step.path, path));
    if (visibility === "masked" || !isReached) return false;
    // Nothing is there to be read, and a child cannot create it; when that changes the plan is made anew.
    if (state.kind === "missing" && visibility !== "readWrite") return true;
    this.#mustStand(path, state, why);
    this.#masks.push({ kind: state.kind === "directory" ? "maskFolder" : "maskFile", path });
    return true;
  }

  /** A mount needs something to cover; what a child could create or redirect instead would stay open. */
  #mustStand(path: string, state: PathState, why: string): void {
    if (state.kind === "missing") {
      throw unavailable(
        `${printable(path)} (${why}) does not exist in a folder that children may write to, so it cannot be protected`,
        "Create it first.",
      );
    }
    if (state.kind === "link") {
      throw unavailable(
        `${printable(path)} (${why}) is, or lies behind, a symbolic link, so it cannot be protected`,
        `Name the path it leads to: ${printable(state.target)}.`,
      );
    }
  }

  /**
   * INVARIANT: a child cannot move a protected path aside. A folder with a mount somewhere below it
   * may still be renamed, and what was masked would lie bare for the next child; a folder that is
   * itself a mount may not. So each writable folder on the way to a mount becomes a mount.
   */
  #pin(): void {
    for (const { path } of this.#steps()) {
      for (const folder of foldersAbove(path)) {
        const layer = this.#layers.get(folder);
        if (layer === undefined) continue;
        if (layer.kind === "readWrite") this.#pinBetween(folder, path);
        break;
      }
    }
  }

  #pinBetween(writable: string, path: string): void {
    for (const folder of foldersAbove(path)) {
      if (folder === writable) return;
      this.#show({ kind: "readWrite", path: folder });
    }
  }
}
