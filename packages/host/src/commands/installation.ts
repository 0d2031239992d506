/** `install`, `uninstall`, `upgrade`, `rollback`. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { EXIT, FemtoError, hasNoHardLinks, printable, systemErrorCode } from "@femtoclaw/protocol";
import { OWN_CODE } from "#own-code";
import { type ChangeParts, settle } from "../installation/change.ts";
import { abandonInstallation, groundOf, makeGround, removeGround, sweepGround } from "../installation/ground.ts";
import { HostControl } from "../installation/host-control.ts";
import { install as makeInstallation, refuseOther, undoCutOff } from "../installation/install.ts";
import { planInstallation } from "../installation/install-plan.ts";
import { type Layout, layoutOf } from "../installation/layout.ts";
import { type InForce, Library } from "../installation/library.ts";
import { assertOwnReceipt } from "../installation/own-places.ts";
import type { InstalledFile, Owner } from "../installation/receipt.ts";
import { openRelease, type Release, readPublicKey } from "../installation/release.ts";
import { systemctlOf } from "../installation/service-unit.ts";
import { refuseChanged, removable, uninstall as takeAway } from "../installation/uninstall.ts";
import { rollback as goBack, upgrade as goOn, nextRelease, previousOf } from "../installation/upgrade.ts";
import { byHand, shown, tellInstalled, tellPlan, tellRemoval, tellSteps } from "../terminal/installation-text.ts";
import type { CommandContext } from "./command-context.ts";

/** Which installation is meant. */
export interface PlaceFlags {
  readonly system?: boolean;
  readonly user?: boolean;
  readonly prefix?: string;
  readonly dryRun?: boolean;
}

export interface InstallFlags extends PlaceFlags {
  readonly key?: string;
  readonly serviceUser?: string;
  readonly service?: boolean;
}

const SERVICE_USER = "femtoclaw";

export async function install(context: CommandContext, file: string | undefined, flags: InstallFlags): Promise<number> {
  const { cwd, environment, output } = context;
  const layout = layoutIn(context, flags, flags.dryRun === true);
  const owner = layout.scope === "system" ? serviceUser(flags.serviceUser ?? SERVICE_USER) : null;
  const { release, key } = releaseToInstall(cwd, file, flags.key);
  const library = new Library(layout.library);
  const service = flags.service ?? true;
  if (service && process.platform !== "linux") {
    throw new FemtoError(
      "FEMTO_INSTALL_REFUSED",
      `a systemd unit cannot be used, because ${process.platform} has no systemd`,
      {
        fix: "Use --no-service, and start the host with this system's own service manager.",
      },
    );
  }
  const plan = () => {
    const installed = library.inForce()?.receipt.files ?? [];
    return planInstallation({ layout, owner, service, environment, installed });
  };
  // Planned first, so that a refusal comes before anything is made.
  const planned = plan();
  if (flags.dryRun === true) {
    const current = refuseOther(library, release);
    const steps = [...groundOf(layout), ...planned.steps];
    const once = steps.filter(({ path }, index) => steps.findIndex((step) => step.path === path) === index);
    return tellPlan(output, { ...planned, steps: once }, release, current);
  }
  sweepGround(library);
  makeGround(layout);
  using _lock = library.lock();
  try {
    const ground = await settleIn(context, library);
    const installed = plan();
    const isNew = refuseOther(library, release) === null;
    makeInstallation(library, { plan: installed, ground, release, key });
    return tellInstalled(output, { plan: installed, release, isNew, path: environment["PATH"] });
  } catch (error) {
    leaveNothing(library);
    throw error;
  }
}

/** Removes what a failed installation has made. If that fails too, the next command does it. */
function leaveNothing(library: Library): void {
  try {
    abandonInstallation(library);
  } catch {
    // The first failure is the one to report. A note in the library tells the next command what is still there.
  }
}

/** The release to install: the running program, or a named file together with the key that must have signed it. */
function releaseToInstall(cwd: string, file: string | undefined, keyFile: string | undefined): ReleaseAndKey {
  const named = keyFile === undefined ? null : readPublicKey(resolve(cwd, keyFile));
  if (file !== undefined) {
    if (named !== null) return { release: openRelease(resolve(cwd, file), named), key: named };
    throw new FemtoError("FEMTO_USAGE", "it is not known by which key that executable must be signed", {
      fix: "Name with --key the public key of the builder whom you trust.",
    });
  }
  const own = "release" in OWN_CODE ? OWN_CODE.release : null;
  const key = named ?? own?.key ?? null;
  if (own !== null && key !== null) return { release: openRelease(process.execPath, key), key };
  const what = own === null ? "this FemtoClaw runs from sources" : "this executable was built without a key";
  throw new FemtoError("FEMTO_INSTALL_REFUSED", what, {
    fix: "Install an executable that is signed: `femtoclaw install FILE --key KEY.pub`. `npm run build:binary` and `npm run sign` make one.",
  });
}

interface ReleaseAndKey {
  readonly release: Release;
  readonly key: string;
}

export interface UninstallFlags extends PlaceFlags {
  readonly changed?: boolean;
  readonly state?: boolean;
}

export async function uninstall(context: CommandContext, flags: UninstallFlags): Promise<number> {
  const { output } = context;
  const options = { changed: flags.changed ?? false, state: flags.state ?? false };
  const library = libraryOf(context, flags);
  const swept = flags.dryRun === true ? [] : sweepGround(library);
  if (!library.isThere) {
    if (swept.length === 0) throw notFound(library);
    return tellRemoval(output, { removed: swept, emptied: [], left: [] });
  }
  using _lock = library.lock();
  const cutOff = flags.dryRun === true ? [] : await settleIn(context, library);
  const current = ownInForce(library);
  if (current === null) {
    if (cutOff.length === 0) throw notFound(library);
    return tellRemoval(output, { ...removeGround(library, cutOff), emptied: [] });
  }
  refuseChanged(current, options);
  if ((await hostOf(context, library, current).standing()) !== "stopped") {
    throw new FemtoError("FEMTO_HOST_RUNNING", "a host of this installation is running", {
      fix: `Stop it first with \`${byHand(library, current, "down")}\`, or with \`${systemctlOf(current.receipt.scope)} stop femtoclaw\` if systemd runs it.`,
    });
  }
  if (flags.dryRun === true) {
    const files = removable(library, current, options).map(({ kind, path }) => ({ do: "remove", kind, path }));
    return tellSteps(output, [...files, { do: "remove", kind: "folder", path: library.path }]);
  }
  tellRemoval(output, takeAway(library, current, options));
  const { state } = current.receipt;
  if (state !== null && existsSync(state) && !options.state && !output.json)
    output.talk(`state stays in ${shown(state)}`);
  return EXIT.ok;
}

export interface UpgradeFlags extends PlaceFlags {
  readonly allowDowngrade?: boolean;
}

export async function upgrade(context: CommandContext, file: string, flags: UpgradeFlags): Promise<number> {
  const options = { file: resolve(context.cwd, file), allowDowngrade: flags.allowDowngrade ?? false };
  return await change(context, flags, async (parts, current, dryRun) => {
    const release = nextRelease(current, options);
    if (release === null) return { to: current.receipt.version, done: false };
    if (!dryRun) await goOn(parts, current, release);
    return { to: release.version, done: true };
  });
}

export async function rollback(context: CommandContext, flags: PlaceFlags): Promise<number> {
  return await change(context, flags, async (parts, current, dryRun) => {
    const to = parts.library.receiptOf(previousOf(current))?.version ?? "";
    if (!dryRun) await goBack(parts, current);
    return { to, done: true };
  });
}

type Act = (parts: ChangeParts, current: InForce, dryRun: boolean) => Promise<{ to: string; done: boolean }>;

async function change(context: CommandContext, flags: PlaceFlags, act: Act): Promise<number> {
  const { output } = context;
  const library = libraryOf(context, flags);
  if (!library.isThere) throw notFound(library);
  using _lock = library.lock();
  const dryRun = flags.dryRun ?? false;
  if (!dryRun) await settleIn(context, library);
  const current = ownInForce(library);
  if (current === null) throw notFound(library);
  const { version } = current.receipt;
  const { to, done } = await act(partsOf(context, library, current), current, dryRun);
  if (output.json) output.value({ event: dryRun ? "would-change" : "changed", from: version, to, changed: done });
  else if (!done) output.prose(`${version} is in force already, by this very executable`);
  else
    output.prose(dryRun ? `would put ${to} in force instead of ${version}` : `in force: ${to}, before it ${version}`);
  return EXIT.ok;
}

/**
 * Cleans up after an earlier command that was killed. Returns the folders of a cut-off installation that are still
 * there.
 */
async function settleIn(context: CommandContext, library: Library): Promise<readonly InstalledFile[]> {
  const left = undoCutOff(library);
  const current = ownInForce(library);
  if (current !== null) await settle(partsOf(context, library, current));
  return left;
}

/** INVARIANT: a copied folder or an edited receipt makes no command stop or remove what lies elsewhere. */
function ownInForce(library: Library): InForce | null {
  const current = library.inForce();
  if (current !== null) assertOwnReceipt(library, current.receipt);
  return current;
}

function partsOf(context: CommandContext, library: Library, current: InForce): ChangeParts {
  const talk = (text: string): void => context.output.talk(text);
  return { library, host: hostOf(context, library, current), talk };
}

function hostOf({ environment }: CommandContext, library: Library, { receipt }: InForce): HostControl {
  const programs = { path: library.path, program: library.program() };
  return new HostControl(programs, receipt, environment, () => library.inForce()?.receipt.binary);
}

/** The installation that the flags name, else the one that this program belongs to, else the user's own. */
function libraryOf(context: CommandContext, flags: PlaceFlags): Library {
  const isNamed = flags.system === true || flags.user === true || flags.prefix !== undefined;
  return (isNamed ? null : Library.of(process.execPath)) ?? new Library(layoutIn(context, flags).library);
}

/** `isPlan` is for a command that changes nothing, which anybody may run. */
function layoutIn({ cwd, environment }: CommandContext, { system, user, prefix }: PlaceFlags, isPlan = false): Layout {
  if (system === true && user === true) throw new FemtoError("FEMTO_USAGE", "--system and --user exclude each other");
  if (system === true && !isPlan && process.getuid?.() !== 0) {
    throw new FemtoError("FEMTO_INSTALL_REFUSED", "only root can install for the system", {
      fix: "Run it as root, or install for yourself with --user.",
    });
  }
  return layoutOf(system === true ? "system" : "user", prefix === undefined ? null : resolve(cwd, prefix), environment);
}

/** INVARIANT: an installation creates no user and grants nobody a right. Only the system's administrator does. */
function serviceUser(name: string): Owner {
  const [, , uid, gid] = /^[a-z_][a-z0-9_-]{0,31}$/.test(name) ? lookedUp(name).split(":") : [];
  const owner = { name, uid: Number(uid), gid: Number(gid) };
  if (uid !== undefined && Number.isSafeInteger(owner.uid) && owner.uid !== 0) return owner;
  const finding = owner.uid === 0 ? "the host must not run as root" : `there is no user ${printable(name)}`;
  throw new FemtoError("FEMTO_INSTALL_REFUSED", finding, {
    fix: `Create a user for the service: useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin ${SERVICE_USER}`,
  });
}

function lookedUp(name: string): string {
  try {
    return execFileSync("getent", ["passwd", name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    // `getent` knows no such user.
    return "";
  }
}

function notFound(library: Library): FemtoError {
  return new FemtoError("FEMTO_INSTALL_NOT_FOUND", `nothing is installed in ${shown(dirname(library.path))}`);
}

/** Reports a refusal of the operating system as such and not as a bug. The next command finishes what was begun. */
export async function refusedBySystem(act: () => Promise<number>): Promise<number> {
  try {
    return await act();
  } catch (error) {
    const { syscall, path = "" } = error as NodeJS.ErrnoException;
    const code = systemErrorCode(error);
    if (code === undefined || syscall === undefined) throw error;
    const isFull = code === "ENOSPC" || code === "EDQUOT";
    const isLink = syscall === "link" && hasNoHardLinks(error);
    const reachable = isLink ? "Install on a file system with hard links" : "Run it as a user who may write there";
    const fix = isFull ? "Free space on the disk that it is installed on" : reachable;
    throw new FemtoError("FEMTO_INSTALL_REFUSED", `${[syscall, shown(path)].join(" ").trim()} failed: ${code}`, {
      fix: `${fix}, then run it again. It first completes what was begun. A part of a version is never in force.`,
      cause: error,
    });
  }
}
