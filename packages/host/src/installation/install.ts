/** `install`: makes what a host needs and puts an executable in force as the last step. */
import { randomUUID } from "node:crypto";
import { chownSync, lstatSync, rmdirSync, symlinkSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";
import { makeFolder, sweepBeside, syncFolder, writeNewFile } from "./durable-files.ts";
import { type InstallPlan, installedBy, isAsInstalled, type Step } from "./install-plan.ts";
import type { InForce, Library } from "./library.ts";
import { assertOwnFiles } from "./own-places.ts";
import type { InstalledFile, Receipt } from "./receipt.ts";
import type { Release } from "./release.ts";
import { dataFolders } from "./service-unit.ts";

export interface InstallParts {
  readonly plan: InstallPlan;
  readonly release: Release;
  /** Folders that were made for the library already, as its note says. */
  readonly ground: readonly InstalledFile[];
  /** The key that the release is signed by, pinned from now on. */
  readonly key: string;
}

/**
 * Returns what is in force, or null if nothing is. Throws if that is another executable, which has to be replaced by
 * `upgrade`.
 */
export function refuseOther(library: Library, release: Release): InForce | null {
  const current = library.inForce();
  if (current === null || current.receipt.binary === release.binary.sha256) return current;
  throw new FemtoError("FEMTO_INSTALL_REFUSED", `${current.receipt.version} is installed here already`, {
    fix: "Replace it with `femtoclaw upgrade FILE`.",
  });
}

/**
 * Nothing can be run before the last step. What is to be made is noted first, so that the next command removes it again
 * if this one is cut off. If this executable is in force already, what is missing of the installation is made anew.
 */
export function install(library: Library, parts: InstallParts): void {
  const { plan, release, ground } = parts;
  const current = refuseOther(library, release);
  const files = [...ground, ...plan.steps.map(installedBy)];
  if (current !== null) {
    refuseMore(current, files);
    for (const step of plan.steps) carryOut(step);
    return;
  }
  library.begin({ doing: "install", files });
  for (const step of plan.steps) carryOut(step);
  const name = library.nextName(release.version);
  library.stage(name, { release }, firstReceipt(parts, files));
  library.putInForce(name);
  library.finish();
}

/** INVARIANT: nothing is made that the receipt does not list, because nothing would ever remove it. */
function refuseMore({ receipt }: InForce, files: readonly InstalledFile[]): void {
  const other = files.find(({ path }) => receipt.files.every((file) => file.path !== path));
  if (other === undefined) return;
  const reason = `${printable(other.path, 4_096)} is no part of what was installed here`;
  throw new FemtoError("FEMTO_INSTALL_REFUSED", reason, {
    fix: "Use the same options as when it was installed, or uninstall it first. State stays.",
  });
}

/** Makes what a step describes. */
export function carryOut(step: Step): void {
  const { path } = step;
  if (step.kind === "file") return writeNewFile(path, step.content, step.mode);
  if (step.kind === "folder") {
    makeFolder(path, step.mode);
    if (step.owner !== null) chownSync(path, step.owner.uid, step.owner.gid);
    return;
  }
  symlinkSync(step.target, path);
  syncFolder(dirname(path));
}

function firstReceipt({ plan, release, key }: InstallParts, files: readonly InstalledFile[]): Receipt {
  const { layout, owner, configuration, keepsConfiguration } = plan;
  const { version, machines, binary } = release;
  const at = new Date().toISOString();
  const to = { version, binary: binary.sha256 };
  const isService = files.some(({ path }) => path === layout.unit);
  return {
    format: 1,
    scope: layout.scope,
    prefix: layout.prefix,
    version,
    binary: binary.sha256,
    installed_at: at,
    key,
    previous: null,
    machines,
    configuration,
    command: layout.command,
    data: layout.data,
    state: keepsConfiguration ? null : dataFolders(layout.data).state,
    unit: isService ? layout.unit : null,
    owner,
    files,
    changes: [{ id: randomUUID(), change: "installed", at, from: null, to }],
  };
}

/**
 * Removes what an installation made that was cut off before it was in force, or what is left of one that was being
 * removed. The folders that the library lies in stay, with a note that lists them; they are returned.
 */
export function undoCutOff(library: Library): readonly InstalledFile[] {
  library.sweep();
  const pending = library.pending();
  if (pending?.doing !== "install") return [];
  // If the link leads to a deployment, the installation is complete, and only its note is left over.
  if (library.inForce() !== null) {
    library.finish();
    return [];
  }
  assertOwnFiles(library, pending.files);
  const holdsLibrary = ({ path }: InstalledFile): boolean => `${library.path}/`.startsWith(`${path}/`);
  for (const { kind, path } of pending.files) if (kind !== "folder") sweepBeside(path);
  removeFiles(pending.files.filter((file) => !holdsLibrary(file)));
  const ground = pending.files.filter(holdsLibrary);
  library.finish(ground.length === 0 ? null : { doing: "install", files: ground });
  return ground;
}

/**
 * Removes files in reverse order, so that a folder comes after what lies in it. What was changed since stays, unless
 * `evenChanged` is set.
 */
export function removeFiles(
  files: readonly InstalledFile[],
  evenChanged = false,
): { removed: string[]; left: string[] } {
  const removed: string[] = [];
  const left: string[] = [];
  for (const file of [...files].reverse()) {
    const status = lstatSync(file.path, { throwIfNoEntry: false });
    if (status === undefined) continue;
    const goes = isAsInstalled(file, status) || (evenChanged && !status.isDirectory());
    if (goes && remove(file)) removed.push(file.path);
    else left.push(file.path);
  }
  return { removed, left };
}

/** False for a folder in which something else lies. */
function remove({ kind, path }: InstalledFile): boolean {
  try {
    if (kind === "folder") rmdirSync(path);
    else unlinkSync(path);
    return true;
  } catch (error) {
    if (["ENOTEMPTY", "EEXIST", "EBUSY"].includes(systemErrorCode(error) ?? "")) return false;
    const reason = `${printable(path, 4_096)} cannot be removed (${systemErrorCode(error)})`;
    throw new FemtoError("FEMTO_INSTALL_REFUSED", reason, {
      fix: "Run it as the user who installed it.",
      cause: error,
    });
  }
}

/** The installed files that are others by now. Folders change all the time, which means nothing. */
export function changedFiles(files: readonly InstalledFile[]): string[] {
  return files
    .filter((file) => {
      const status = lstatSync(file.path, { throwIfNoEntry: false });
      return file.kind !== "folder" && status !== undefined && !isAsInstalled(file, status);
    })
    .map(({ path }) => path);
}

/** Folders that the host itself filled: its state, its sockets, and the home of a service's user. */
export function stateFolders({ state, data, owner }: Receipt): readonly string[] {
  if (state === null) return [];
  const { sockets, home } = dataFolders(data);
  return [state, sockets, ...(owner === null ? [] : [home])];
}
