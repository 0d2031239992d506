/** Installs the executable into a new folder: what it creates there, and what is left if the installation is killed. */
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Installation } from "../observations.ts";
import { type Command, failed, Place } from "../subject.ts";
import { recordsOf } from "./audit.ts";
import { callOf } from "./call.ts";
import { configuration } from "./configuration.ts";
import { observeDeployed } from "./deployed.ts";
import { digestOf } from "./executable.ts";
import { privilegesOf } from "./process-table.ts";
import { type ServiceUser, serviceUser } from "./service-user.ts";

/**
 * LIMIT: how often an installation is killed, at moments spread over its duration; each attempt copies the executable.
 */
const KILLS = 3;
const MANIFEST = ".manifest.json";
const SIGNATURE = ".manifest.sig";

type Whole = Extract<Installation, { refused: null }>;

interface Installed {
  readonly command: string;
  readonly configuration: string;
  readonly data: string;
  readonly error?: { readonly code: string; readonly reason: string };
}

export async function observeInstallation(command: Command): Promise<Installation> {
  await using place = new Place(command, configuration());
  const prefix = join(place.root, "i");
  const service = serviceUser();
  const install = ["install", "--prefix", prefix, ...(service === null ? [] : service.flags)];
  // The service's user must be able to reach what is installed below this folder.
  chmodSync(place.root, 0o711);
  const before = filesIn(place.root);
  const beganMs = performance.now();
  const { exit, ...installed } = await place.json<Installed>(install);
  const tookMs = performance.now() - beganMs;
  if (exit !== 0) return { refused: installed.error?.reason ?? `it ended with ${exit}` };
  const paths = filesIn(place.root).filter((path) => !before.includes(path));
  const outside = paths.filter((path) => !path.startsWith("i/") && path !== "i" && !path.startsWith("h/"));
  const [file] = command;
  return {
    refused: null,
    layout: {
      executable: isExecutable(installed.command),
      configuration: modeOf(installed.configuration),
      state: modeOf(join(installed.data, "state")),
    },
    sameAsSigned: digestOf(installed.command) === signedDigest(file),
    flipped: await flippedInstall(file),
    outside,
    loose: paths.filter((path) => isLoose(join(place.root, path))),
    ...(await firstBoot(installed, service)),
    kills: await killedInstalls({ place, prefix, install, tookMs, signed: signedDigest(file) }),
  };
}

/** Copies the executable with one byte changed, and the original's manifest and signature with it. */
export function copyWithOtherByte(file: string, copy: string): string {
  copyFileSync(file, copy);
  for (const suffix of [MANIFEST, SIGNATURE]) copyFileSync(`${file}${suffix}`, `${copy}${suffix}`);
  const bytes = readFileSync(copy);
  const at = bytes.length - 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(copy, bytes);
  return copy;
}

async function flippedInstall(file: string): Promise<Whole["flipped"]> {
  await using place = new Place([file], configuration());
  const copy = copyWithOtherByte(file, join(place.root, "copy"));
  const { exit, stderr } = await place.run(["install", "--prefix", join(place.root, "i")], { program: copy });
  const code = /FEMTO_[A-Z_]+/.exec(stderr)?.[0] ?? null;
  return { exit, code, said: stderr.trim().slice(0, 300) };
}

/** The record types of the installation's first boot, and the state of the host and its process meanwhile. */
async function firstBoot(
  { command, configuration: path, data }: Installed,
  service: ServiceUser | null,
): Promise<Pick<Whole, "told" | "deployed" | "process">> {
  const by: Command = service === null ? [command] : [...service.by, command];
  const home: Record<string, string> = service === null ? {} : { HOME: join(data, "home") };
  await using place = new Place(by, configuration(), { FEMTOCLAW_CONFIG: path, ...home });
  if (service !== null) place.handTo(service);
  const closed = join(data, "workspace/closed");
  writeFileSync(closed, "x", { mode: 0o000 });
  const host = await place.up();
  const deployed = await observeDeployed(by, { configuration: path, environment: place.environment });
  const { code } = await callOf(place, "fs_read", { path: closed });
  const process = { ...privilegesOf(host.pid), refusedBySystem: code };
  host.kill("SIGTERM");
  if ((await host.ended) !== 0) throw failed(`the installed host did not end well: ${host.log().slice(-300)}`);
  rmSync(closed);
  return { told: (await recordsOf(place)).records.map(({ type }) => type), deployed, process };
}

interface KilledInstalls {
  readonly place: Place;
  readonly prefix: string;
  readonly install: readonly string[];
  /** How long one takes that nobody kills. */
  readonly tookMs: number;
  /** Digest of what is installed. */
  readonly signed: string;
}

async function killedInstalls({ place, prefix, install, tookMs, signed }: KilledInstalls): Promise<Whole["kills"]> {
  const kills = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    rmSync(prefix, { recursive: true });
    const cutOff = place.begin(install);
    await sleep((tookMs * (kill + 1)) / (KILLS + 1));
    cutOff.kill();
    await cutOff.ended;
    const link = join(prefix, "bin/femtoclaw");
    const left = leftAt(link, signed);
    const again = await place.run(install);
    kills.push({ left, again: again.exit, works: leftAt(link, signed) === "whole" } as const);
  }
  return kills;
}

/** Relative paths; links are not followed. */
function filesIn(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true }).map(({ parentPath, name }) =>
    relative(root, join(parentPath, name)),
  );
}

/** Whether others may write to it, or it has a setuid or setgid bit. */
function isLoose(path: string): boolean {
  const status = lstatSync(path);
  return !status.isSymbolicLink() && (status.mode & 0o6022) !== 0;
}

/** What stands where the command should. A link that leads nowhere is nothing that could be run. */
function leftAt(path: string, signed: string): Whole["kills"][number]["left"] {
  if (!existsSync(path)) return "none";
  return isExecutable(path) && digestOf(path) === signed ? "whole" : "part";
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // It does not exist, is a broken link, or may not be run.
    return false;
  }
}

const modeOf = (path: string): string => ((lstatSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o7777).toString(8);

function signedDigest(file: string): string {
  const { binary } = JSON.parse(readFileSync(`${file}${MANIFEST}`, "utf8")) as { binary: { sha256: string } };
  return binary.sha256;
}
