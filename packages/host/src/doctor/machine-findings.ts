/** What `doctor` finds out about the machine: the running program, its user, what confines programs, and the disk. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DiskReserve, MARGIN_BYTES, RESERVE_BYTES } from "@femtoclaw/journal";
import type { HostEnvironment } from "@femtoclaw/protocol";
import { ERRORS, ownUser, platformLacks, systemErrorCode } from "@femtoclaw/protocol";
import { notCovered, type SandboxProbe, type SpawnWay } from "@femtoclaw/sandbox";
import { ownIntegrity } from "../integrity/own-integrity.ts";
import { type Found, ok } from "./finding.ts";

const NODE_MAJOR = 26;
const MIB = 1_048_576;

export function runtimeFinding({ by, fault }: SpawnWay): Found {
  const major = Number(process.versions.node.split(".")[0]);
  const detail = `Node ${process.version} on ${process.platform} ${process.arch}, programs started by ${by}`;
  if (major !== NODE_MAJOR) {
    return { verdict: "fail", detail, fix: `Run it through npm, which provides Node ${NODE_MAJOR}.` };
  }
  const lacks = platformLacks(process.platform);
  if (lacks !== null) {
    const fix = "Run the host on Linux, where everything was tested.";
    return { verdict: "warn", detail: `${detail}: ${lacks}`, fix };
  }
  if (fault === null) return ok(detail);
  return {
    verdict: "warn",
    detail: `${detail}, which takes longer than posix_spawn of the C library: ${fault}`,
    fix: "Nothing is less safe. To start programs faster, run the host with the GNU C library 2.34 or a newer one.",
  };
}

/** Reads the whole executable, whereas a start may rely on what was found out before. */
export function integrityFinding(environment: HostEnvironment): Found {
  const { verdict, reason } = ownIntegrity({ environment, whole: true });
  if (verdict === "verified") return ok(reason);
  const fix = "To know who built it, use a signed executable with its manifest and signature beside it.";
  return { verdict: "warn", detail: `not verified: ${reason}`, fix };
}

export function userFinding(): Found {
  const uid = ownUser(process.getuid);
  if (uid !== 0) return ok(`user ${uid}`);
  return {
    verdict: "warn",
    detail: "the host would run as root; the sandbox is then the only thing between a program and the machine",
    fix: "Run the host as a separate user.",
  };
}

export function sandboxFinding(probe: SandboxProbe): Found {
  if (!probe.ok) return { verdict: "fail", detail: probe.reason, fix: fixOf(probe) };
  const confined = `${probe.title} confined a real program: own files, secrets and environment hidden`;
  if (probe.name === "bubblewrap") return ok(confined);
  const reason = probe.instead === undefined ? [] : [`bubblewrap would confine more: ${probe.instead.reason}`];
  return {
    verdict: "warn",
    detail: [confined, ...reason, ...notCovered(probe.name)].join("\n"),
    fix:
      probe.instead === undefined
        ? "Test on this machine what you rely on. On Linux more is confined."
        : fixOf(probe.instead),
  };
}

/** The general fix sends people to `doctor`, which is no advice here. */
function fixOf({ fix }: { readonly fix: string }): string {
  const isCircular = fix === ERRORS.FEMTO_SANDBOX_UNAVAILABLE.fix;
  return isCircular ? "Fix what it reports; docs/guides/sandbox.md says what it needs." : fix;
}

/**
 * What keeps programs within `[limits]`, and which limits nothing enforces. This is found out in the control group of
 * this command; that of a host may differ.
 */
export function limitsFinding(probe: SandboxProbe): Found {
  if (!probe.ok) return { verdict: "fail", detail: "nothing was tried", fix: "Fix the sandbox first." };
  const { by, wholly, lacks } = probe.bounds;
  const detail = [`${by} hold what a program uses; not bounded:`, ...lacks].join("\n");
  if (wholly) return ok(detail);
  const fix =
    "Start the host in its own control group: with the service that `femtoclaw install` writes, or with `systemd-run --user --same-dir --property=Delegate=yes femtoclaw up`. `femtoclaw status` shows what bounds a running host.";
  return { verdict: "warn", detail, fix };
}

/** Whether a host can write to its folders, and has room to spare there. */
export async function diskFinding(stateDirectory: string, runtimeDirectory: string): Promise<Found> {
  return writableFinding([stateDirectory, runtimeDirectory]) ?? (await spaceFinding(stateDirectory));
}

/** Null if a host can write to these folders, or make them. */
function writableFinding(folders: readonly string[]): Found | null {
  for (const folder of folders.map(nearest)) {
    try {
      accessSync(folder, constants.W_OK);
    } catch (error) {
      const detail = `${folder} cannot be written to (${systemErrorCode(error)})`;
      const fix = "Let the host's user write there, or name other folders under [memory].path and [host].runtime_dir.";
      return { verdict: "fail", detail, fix };
    }
  }
  return null;
}

function nearest(folder: string): string {
  let there = folder;
  while (!existsSync(there)) there = dirname(there);
  return there;
}

/** Whether the journal's disk has room to spare. Free space is measured at the nearest folder that exists. */
async function spaceFinding(stateDirectory: string): Promise<Found> {
  const folder = nearest(stateDirectory);
  const { uid } = statSync(folder);
  // What lies in the folder is then as another user's host needs it, and not for this user to remove.
  if (folder === stateDirectory && uid !== ownUser()) {
    return {
      verdict: "fail",
      detail: `${folder} is the state directory of user ${uid}`,
      fix: "Run the command as that user.",
    };
  }
  const reserve = await DiskReserve.open(folder);
  const free = Math.floor((await reserve.freeBytes()) / MIB);
  const size = RESERVE_BYTES / MIB;
  if (reserve.held) return ok(`${free} MiB are free beside the reserve of ${size} MiB in ${stateDirectory}`);
  const needed = (RESERVE_BYTES + MARGIN_BYTES) / MIB;
  if (free >= needed)
    return ok(`${free} MiB are free for ${stateDirectory}; a host takes ${size} MiB of them as its reserve`);
  return {
    verdict: "warn",
    detail: `${free} MiB are free for ${stateDirectory}, so a host takes no calls`,
    fix: `Free ${needed - free} MiB. A running host then continues by itself.`,
  };
}
