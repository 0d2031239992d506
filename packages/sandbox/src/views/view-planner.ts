/**
 * Turns what the operator granted into the steps that build a child's file tree, and notes what these steps rest on.
 */
import {
  type Authority,
  FemtoError,
  isWithin,
  OBEYED_IN_REPOSITORY,
  OBEYED_LATER,
  obeyedRoots,
  type PathGrant,
  printable,
} from "@femtoclaw/protocol";
import type { Inspection, PathState } from "./inspection.ts";
import { type Mount, type Visibility, visibilityBy } from "./mounts.ts";
import type { SystemPart } from "./system.ts";

function unavailable(message: string, fix: string): FemtoError {
  return new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", message, { fix });
}

/** Sorts by path components, so that a folder comes before its entries, and these before its next sibling. */
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
  /** One step for each path; a later `#show` of the same path replaces an earlier one. */
  readonly #layers = new Map<string, Mount>();
  /** The steps that hide something. They follow all others, with those of the floor last. */
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
    // An approval is for one call, but nobody is asked when a child opens a file. So paths that need approval are kept
    // from it.
    for (const grant of [...ask.write, ...deny.write]) this.#keepReadOnly(grant);
    for (const grant of ask.read) this.#hide(grant, "asked for");
    for (const grant of deny.read) this.#hide(grant, "denied");
    // INVARIANT: no record shows what a program reads, so secrets are read by calls that name them or not at all.
    for (const grant of sensitive?.secret ?? []) this.#hide(grant, "secret");
    const { unseen, unwritten } = this.kept;
    for (const paths of [unseen, unwritten]) paths.push(...new Set(paths.flatMap((path) => this.#wayTo(path))));
    // INVARIANT: no child sees anything of FemtoClaw itself, whatever is granted: these masks come last.
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
      // A link here is shown as the file that it leads to, for example a time zone.
      if (this.#inspection.stateOf(path).kind !== "missing") this.#show({ kind: "readOnly", path });
    }
  }

  #showGrants(): void {
    const { workspace, allow, ask, deny, childRead } = this.#authority;
    // What is denied or needs approval is shown read-only, even if writing it was granted too.
    const withheld = [...ask.write, ...deny.write];
    const isWritable = ({ path }: PathGrant): boolean => !withheld.some((other) => isWithin(path, other.path));
    const write = allow.write.filter(isWritable);
    const read = [
      ...[workspace, ...childRead].map((path) => ({ path, source: "the workspace or [sandbox].read" })),
      ...allow.read,
      ...allow.write.filter((grant) => !isWritable(grant)),
    ];
    for (const grant of read) {
      // Grants add up: a grant to read within a folder granted for writing takes nothing away.
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

  /** A folder shown as a whole shows its links as they are; nothing can be mounted over a link. */
  #leaveLinks(folder: string): void {
    for (const name of [...this.#system.folders, ...this.#system.files]) {
      const isLink = name !== folder && isWithin(name, folder) && this.#inspection.stateOf(name).kind === "link";
      if (isLink) this.#layers.delete(name);
    }
  }

  #guardObeyedLater(): void {
    const { allow } = this.#authority;
    // A root need not be writable itself: a grant may begin inside of it, at the repository or its hooks.
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

  /**
   * Programs may change a repository, as git does, but not what names programs in it. A file `.git` names another
   * repository.
   */
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

  /** FemtoClaw replaces its own files itself, which is no reason to kill a child. */
  #isOwn(path: string): boolean {
    return this.#authority.floor.some((own) => isWithin(path, own));
  }

  /** The folders between a mount and a path within it: moving one of them moves the path. */
  #wayTo(path: string): string[] {
    if (this.assumed.get(path) === "missing") return [];
    const folders = foldersAbove(path);
    const shown = folders.findIndex((folder) => this.#layers.has(folder));
    return folders.slice(0, Math.max(shown, 0));
  }

  #hide({ path, source }: PathGrant, why: string): void {
    if (this.#mask(path, `${why} at ${source}`) && !this.#isOwn(path)) this.kept.unseen.push(path);
  }

  /** Returns whether the path would be visible otherwise. */
  #mask(path: string, why: string): boolean {
    const state = this.#stateOf(path);
    const visibility = this.#visibility(path);
    const isReached =
      visibility === "readOnly" ||
      visibility === "readWrite" ||
      this.#steps().some((step) => isWithin(step.path, path));
    if (visibility === "masked" || !isReached) return false;
    // Nothing is there to be read, and a child cannot create it; if somebody else does, the view is planned anew.
    if (state.kind === "missing" && visibility !== "readWrite") return true;
    this.#mustStand(path, state, why);
    this.#masks.push({ kind: state.kind === "directory" ? "maskFolder" : "maskFile", path });
    return true;
  }

  /** A mount needs something to cover; a path that a child could create or redirect would stay open. */
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
   * INVARIANT: a child cannot move a protected path aside. A folder that merely contains a mount may still be renamed,
   * and the masked path would lie bare for the next child; a folder that is itself a mount may not. So each writable
   * folder on the way to a mount becomes a mount.
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
