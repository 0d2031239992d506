/**
 * The list of what an installation would make on this machine. A dry run prints it, and an installation carries it out.
 */
import { createHash } from "node:crypto";
import { lstatSync, readFileSync, type Stats, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { FemtoError, printable } from "@femtoclaw/protocol";
import { resolveProject } from "../configuration/load-configuration.ts";
import { presetTests, presetText } from "../configuration/presets.ts";
import { CONFIGURATION_NAME, POLICY_FOLDER, readProjectFiles } from "../configuration/project-files.ts";
import { linkTarget } from "./durable-files.ts";
import { assertKept, type Layout } from "./layout.ts";
import { Library } from "./library.ts";
import type { InstalledFile, Owner } from "./receipt.ts";
import { dataFolders, unitText } from "./service-unit.ts";

export type Step =
  | { readonly kind: "folder"; readonly path: string; readonly mode: number; readonly owner: Owner | null }
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly content: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

export interface InstallPlan {
  readonly layout: Layout;
  readonly owner: Owner | null;
  /** The configuration that the host is started with. */
  readonly configuration: string;
  /** Whether the configuration existed before. If so, it stays as it is, even when everything else is removed. */
  readonly keepsConfiguration: boolean;
  /** In the order in which they are carried out, without those whose result exists already. */
  readonly steps: readonly Step[];
}

export interface PlanOptions {
  readonly layout: Layout;
  readonly owner: Owner | null;
  readonly service: boolean;
  readonly environment: NodeJS.ProcessEnv;
  /** The files of the installation in force, perhaps made by an earlier version that wrote other files. */
  readonly installed: readonly InstalledFile[];
}

/** Looks, and changes nothing. Throws if something is in the way, because nothing that exists is ever replaced. */
export function planInstallation({ layout, owner, service, environment, installed }: PlanOptions): InstallPlan {
  const { library, command, data, unit } = layout;
  for (const path of [library, dirname(command), layout.configuration, dirname(data)]) assertKept(path);
  const configuration = join(layout.configuration, CONFIGURATION_NAME);
  const keepsConfiguration = lstatSync(configuration, { throwIfNoEntry: false }) !== undefined;
  if (keepsConfiguration) resolveProject(readProjectFiles(configuration), { cwd: "/", environment });
  const steps: Step[] = [];
  const folder: AddFolder = (path, mode = 0o755, of = null) => addFolder(steps, { path, mode, owner: of });
  // The unit names these folders, and the service's user cannot make them where the folder above belongs to root.
  if (!keepsConfiguration || owner !== null) addData(folder, layout, owner);
  if (!keepsConfiguration) addConfiguration(steps, folder, layout);
  if (service) {
    folder(dirname(unit));
    const program = new Library(library).program();
    steps.push({ kind: "file", path: unit, mode: 0o644, content: unitText({ layout, program, configuration, owner }) });
  }
  folder(dirname(command));
  steps.push({ kind: "link", path: command, target: new Library(library).program() });
  return {
    layout,
    owner,
    configuration,
    keepsConfiguration,
    steps: steps.filter((step) => isMissing(step, installed)),
  };
}

/** Adds a folder and all missing folders above it. */
export function addFolder(steps: Step[], folder: Omit<Extract<Step, { kind: "folder" }>, "kind">): void {
  const { path } = folder;
  if (steps.some((step) => step.path === path) || isFolder(path)) return;
  addFolder(steps, { path: dirname(path), mode: 0o755, owner: null });
  steps.push({ kind: "folder", ...folder });
}

type AddFolder = (path: string, mode?: number, owner?: Owner | null) => void;

function addData(folder: AddFolder, { data }: Layout, owner: Owner | null): void {
  const { workspace, state, sockets, home } = dataFolders(data);
  // INVARIANT: I8: the folder above those of the service's user belongs to root, so that none of them can be exchanged
  // for a link.
  folder(data);
  if (owner !== null) folder(home, 0o700, owner);
  folder(workspace, 0o700, owner);
  folder(state, 0o700, owner);
  folder(sockets, 0o700, owner);
}

function addConfiguration(steps: Step[], folder: AddFolder, { configuration, data }: Layout): void {
  const { workspace, state, sockets } = dataFolders(data);
  folder(join(configuration, POLICY_FOLDER));
  const path = join(configuration, CONFIGURATION_NAME);
  const tests = join(configuration, POLICY_FOLDER, "first.test.toml");
  const folders = { configuration: path, workspace, state, sockets };
  steps.push({ kind: "file", path: tests, mode: 0o644, content: presetTests("read-only", folders) });
  steps.push({ kind: "file", path, mode: 0o644, content: presetText("read-only", folders) });
}

/** Throws if something else is there. */
function isMissing(step: Step, installed: readonly InstalledFile[]): boolean {
  if (step.kind === "folder") return true;
  const status = lstatSync(step.path, { throwIfNoEntry: false });
  if (status === undefined) return true;
  const known = [installedBy(step), ...installed.filter(({ path }) => path === step.path)];
  if (known.some((file) => isAsInstalled(file, status))) return false;
  throw new FemtoError("FEMTO_INSTALL_REFUSED", `${printable(step.path, 4_096)} is there already, and is another one`, {
    fix: "Look at what it is and move it away, or install below another folder with --prefix.",
  });
}

/** What the receipt says about a step that was carried out. */
export function installedBy(step: Step): InstalledFile {
  const { path } = step;
  if (step.kind === "folder") return { kind: "folder", path };
  if (step.kind === "link") return { kind: "link", path, target: step.target };
  return { kind: "file", path, sha256: createHash("sha256").update(step.content).digest("hex") };
}

/** Whether a file is still as it was installed. */
export function isAsInstalled(file: InstalledFile, status: Stats): boolean {
  if (file.kind === "folder") return status.isDirectory();
  if (file.kind === "link") return linkTarget(file.path) === file.target;
  return status.isFile() && createHash("sha256").update(readFileSync(file.path)).digest("hex") === file.sha256;
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
