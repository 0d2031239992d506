/**
 * The folder of executables: one folder for each that was put in force, and a link to the present one. A deployment is
 * complete and on the disk before the link leads to it. Whatever the link leads to is in force, so there is never a mix
 * of two.
 */
import {
  accessSync,
  constants,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { lockFile } from "@femtoclaw/journal/live";
import { errorText, FemtoError, parseJson, printable } from "@femtoclaw/protocol";
import { contentOf } from "../integrity/own-integrity.ts";
import { releaseFiles } from "../integrity/release-files.ts";
import {
  linkTarget,
  makeEmptyFile,
  makeFolder,
  replaceFile,
  replaceLink,
  sweepBeside,
  syncFolder,
  writeNewFile,
} from "./durable-files.ts";
import { assertKept, CURRENT, DEPLOYMENTS, EXECUTABLE, libraryPathOf, programInForce } from "./layout.ts";
import {
  type InstalledFile,
  isDeploymentName,
  isInstalledFile,
  RECEIPT_NAME,
  type Receipt,
  readReceipt,
  receiptText,
} from "./receipt.ts";
import { copyExecutable, type Release } from "./release.ts";

/** Whether a host runs, and who started it: systemd by the unit, or anybody else. */
const HOST_STANDINGS = ["stopped", "started", "service"] as const;
export type HostStanding = (typeof HOST_STANDINGS)[number];

const PENDING = "pending.json";
const LOCK = "installation.lock";

/**
 * What is under way. It is written down before it begins, so that the next command after a crash knows what to do about
 * it.
 */
export type Pending =
  | { readonly doing: "install"; readonly files: readonly InstalledFile[] }
  | {
      readonly doing: "change";
      readonly from: string;
      readonly to: string;
      /**
       * Whether the host ran and who had started it, when the change began. It has to be the same when the change ends.
       */
      readonly host: HostStanding;
    };

export interface InForce {
  /** Name of its folder among the deployments. */
  readonly name: string;
  readonly receipt: Receipt;
  readonly sha256: string;
}

/** Where the executable of a new deployment comes from. */
export type Source = { readonly release: Release } | { readonly deployment: string };

export class Library {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The library that a program belongs to, as its path tells; null if the program was not installed. */
  static of(program: string): Library | null {
    const path = libraryPathOf(program);
    return path === null ? null : new Library(path);
  }

  /**
   * INVARIANT: only one process at a time installs, upgrades or removes. The lock holds until it is disposed of, or its
   * process ends.
   */
  lock(): Disposable {
    assertKept(this.path);
    const path = join(this.path, LOCK);
    let lock: Disposable | null;
    let file: bigint | undefined;
    try {
      // INVARIANT: I8: no other user can open the lock file, because anyone who can read a file can hold a lock on it.
      makeEmptyFile(path, 0o600);
      file = inodeOf(path);
      lock = lockFile(path);
    } catch (error) {
      throw new FemtoError("FEMTO_INSTALL_REFUSED", `${shown(this.path)} cannot be locked: ${errorText(error)}`, {
        fix: "Run it as the user who installed it, on a writable file system.",
        cause: error,
      });
    }
    // A lock on a file that was removed with the library meanwhile keeps nobody out of the next one.
    if (lock !== null && file !== undefined && inodeOf(path) === file) return lock;
    lock?.[Symbol.dispose]();
    throw new FemtoError("FEMTO_INSTALL_BUSY", `another process is changing the installation in ${shown(this.path)}`);
  }

  /** Null if nothing is installed. */
  inForce(): InForce | null {
    const target = linkTarget(join(this.path, CURRENT));
    if (target === null) return null;
    const name = basename(target);
    const read = target === join(DEPLOYMENTS, name) ? readReceipt(this.#folder(name)) : null;
    if (read !== null) return { name, ...read };
    throw new FemtoError("FEMTO_INSTALL_REFUSED", `${shown(join(this.path, CURRENT))} leads to no deployment`, {
      fix: "Restore the folder from a backup, or remove the link and install again.",
    });
  }

  /**
   * The executable of a deployment. Without a name, it is the one in force, through the link that every start follows
   * anew.
   */
  program(name?: string): string {
    return name === undefined ? programInForce(this.path) : join(this.#folder(name), EXECUTABLE);
  }

  receiptOf(name: string): Receipt | null {
    return readReceipt(this.#folder(name))?.receipt ?? null;
  }

  /** A name that no deployment has. */
  nextName(version: string): string {
    const numbers = this.#deployments().map((name) => Number.parseInt(name.replace(/^\./, ""), 10) || 0);
    return `${Math.max(0, ...numbers) + 1}-${version}`;
  }

  /** Brings a deployment in, as a whole or not at all. It has no effect until the link leads to it. */
  stage(name: string, source: Source, receipt: Receipt): void {
    const staged = join(this.path, DEPLOYMENTS, `.${name}`);
    makeFolder(join(this.path, DEPLOYMENTS), 0o755);
    makeFolder(staged, 0o755);
    const program = join(staged, EXECUTABLE);
    const files = releaseFiles(program);
    if ("release" in source) {
      copyExecutable(source.release, program);
      writeNewFile(files.manifest, source.release.manifest, 0o644);
      writeNewFile(files.signature, source.release.signature, 0o644);
    } else {
      const from = this.program(source.deployment);
      const others = releaseFiles(from);
      linkSync(from, program);
      linkSync(others.manifest, files.manifest);
      linkSync(others.signature, files.signature);
    }
    assertRuns(program);
    writeNewFile(join(staged, RECEIPT_NAME), receiptText(receipt), 0o644);
    renameSync(staged, this.#folder(name));
    syncFolder(join(this.path, DEPLOYMENTS));
    syncFolder(this.path);
  }

  /** Keeps the configuration of a deployment beside it, for somebody who wants to go back to it. */
  keepConfiguration(name: string, files: ReadonlyMap<string, Uint8Array>): void {
    const folder = join(this.#folder(name), "configuration");
    rmSync(folder, { recursive: true, force: true });
    for (const [file, content] of files) {
      mkdirSync(dirname(join(folder, file)), { recursive: true, mode: 0o700 });
      writeFileSync(join(folder, file), content, { mode: 0o600 });
    }
  }

  putInForce(name: string): void {
    replaceLink(join(this.path, CURRENT), join(DEPLOYMENTS, name));
  }

  putOutOfForce(): void {
    rmSync(join(this.path, CURRENT), { force: true });
    syncFolder(this.path);
  }

  discard(name: string): void {
    rmSync(this.#folder(name), { recursive: true, force: true });
  }

  begin(pending: Pending): void {
    replaceFile(join(this.path, PENDING), `${JSON.stringify(pending)}\n`);
  }

  /** Removes what a process that was killed was about to give a name. Call this only while holding the lock. */
  sweep(): void {
    for (const name of [CURRENT, PENDING]) sweepBeside(join(this.path, name));
  }

  pending(): Pending | null {
    const text = contentOf(join(this.path, PENDING));
    if (text === null) return null;
    try {
      const value: unknown = parseJson(Buffer.from(text).toString());
      if (isPending(value)) return value;
    } catch {
      // The note is always replaced as a whole, so this is not the result of a crash.
    }
    throw new FemtoError("FEMTO_INSTALL_REFUSED", `${shown(join(this.path, PENDING))} is damaged`, {
      fix: "Check with `femtoclaw status` what is in force, then remove that file.",
    });
  }

  /**
   * Notes that nothing is under way any more, except for `still`. Only the deployment in force and the one before it
   * are kept.
   */
  finish(still: Pending | null = null): void {
    const current = this.inForce();
    const kept = [current?.name, current?.receipt.previous];
    for (const name of this.#deployments()) if (!kept.includes(name)) this.discard(name);
    if (still !== null) return this.begin(still);
    rmSync(join(this.path, PENDING), { force: true });
    syncFolder(this.path);
  }

  /** Removes everything: the link first, so that half a library is never in force, and the note last. */
  remove(): void {
    this.putOutOfForce();
    for (const name of [DEPLOYMENTS, LOCK, PENDING]) rmSync(join(this.path, name), { recursive: true, force: true });
  }

  get isThere(): boolean {
    return existsSync(this.path);
  }

  #deployments(): string[] {
    const folder = join(this.path, DEPLOYMENTS);
    return lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() === true ? readdirSync(folder) : [];
  }

  #folder(name: string): string {
    return join(this.path, DEPLOYMENTS, name);
  }
}

function isPending(value: unknown): value is Pending {
  const pending = value as Record<string, unknown> | null;
  if (pending?.["doing"] === "install") {
    return Array.isArray(pending["files"]) && pending["files"].every(isInstalledFile);
  }
  const { doing, from, to, host } = pending ?? {};
  return (
    doing === "change" &&
    isDeploymentName(from) &&
    isDeploymentName(to) &&
    HOST_STANDINGS.some((standing) => standing === host)
  );
}

const inodeOf = (path: string): bigint | undefined => lstatSync(path, { throwIfNoEntry: false, bigint: true })?.ino;

/** Throws if programs do not run from this file system, even those that their owner may run. */
function assertRuns(program: string): void {
  try {
    accessSync(program, constants.X_OK);
  } catch (error) {
    throw new FemtoError("FEMTO_INSTALL_REFUSED", `no program runs from ${shown(dirname(program))}`, {
      fix: "Choose a folder on a file system that is not mounted with `noexec`.",
      cause: error,
    });
  }
}

const shown = (path: string): string => printable(path, 4_096);
