/** From what the operator granted to the steps by which a child's file tree is built, and what they rest on. */
import {
  type Authority,
  FemtoError,
  OBEYED_IN_REPOSITORY,
  OBEYED_LATER,
  obeyedRoots,
  type PathGrant,
  printable,
} from "@femtoclaw/protocol";
import type { Inspection, PathState } from "./inspection.ts";
import { isWithin, type Mount, type Visibility, visibilityBy } from "./mounts.ts";
import type { SystemPart } from "./system.ts";

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

export class ViewPlanner {
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
    // INVARIANT: nothing of FemtoClaw itself is visible to a child, whatever is granted; masks come last.
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
    if (!this.#isOwn(path)) this.kept.unwritten.push(path);
  }

  /** FemtoClaw replaces its own files itself, so a child does not end with these. */
  #isOwn(path: string): boolean {
    return this.#authority.floor.some((own) => isWithin(path, own));
  }

  /** Folders between what is shown as a whole and what stands in it: who moves one of them moves that. */
  #wayTo(path: string): string[] {
    if (this.assumed.get(path) === "missing") return [];
    const folders = foldersAbove(path);
    const shown = folders.findIndex((folder) => this.#layers.has(folder));
    return folders.slice(0, Math.max(shown, 0));
  }

  #hide({ path, source }: PathGrant, why: string): void {
    if (this.#mask(path, `${why} at ${source}`) && !this.#isOwn(path)) this.kept.unseen.push(path);
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
