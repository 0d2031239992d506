/** An ordinary user, as whom parts of the tests run that root cannot be. */
import { execFile, spawnSync } from "node:child_process";
import { openSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

export const STRANGER = 65_534;
/** Another one, because the kernel counts the processes of a user wherever they are. */
export const OTHER_STRANGER = 65_531;
/** A third one, for the terminals that are tried while the others run. */
export const TERMINAL_STRANGER = 65_528;
const isRoot = process.getuid?.() === 0;
const LAUNCHER = join(import.meta.dirname, "../src/landlock/launcher.js");
export const LAUNCH = `import(${JSON.stringify(LAUNCHER)}).then(({ launch }) => launch())`;
/** Takes a defence away in the processes of strangers too, where the defences are tried. */
const WITHOUT = join(import.meta.dirname, "../../host/test/corpus/defences/without-a-defence.ts");

/** The rights of another user, where this one may give them. */
export const ordinary = (user: number): { readonly uid?: number; readonly gid?: number } =>
  isRoot ? { uid: user, gid: user } : {};

export function environmentOf(temporary: string): Record<string, string> {
  const { DEFENCE } = process.env;
  if (DEFENCE === undefined) return { TMPDIR: temporary };
  return { TMPDIR: temporary, DEFENCE, NODE_OPTIONS: `--no-warnings --import=${WITHOUT}` };
}

/** What a program of ours says, run by another user. */
export async function saidTo(user: number, program: string, ...args: readonly string[]): Promise<unknown> {
  const options = { ...ordinary(user), env: environmentOf("/tmp"), maxBuffer: 10_000_000 };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, ...args], options);
  if (stderr !== "") throw new Error(stderr);
  return JSON.parse(stdout);
}

/** The sources lie where others may read them; elsewhere an ordinary user can run the tests itself. */
export const canBeStranger =
  isRoot && spawnSync(process.execPath, ["--check", LAUNCHER], ordinary(STRANGER)).status === 0;

/** What the launcher says when nothing is planned, to an ordinary user. */
export function launcherSays(...options: readonly string[]): string {
  const { output } = spawnSync(process.execPath, ["--no-warnings", ...options, "--eval", LAUNCH], {
    ...ordinary(OTHER_STRANGER),
    env: {},
    stdio: ["ignore", "ignore", "ignore", openSync("/dev/null", "r"), "pipe"],
  });
  return String(output?.[4] ?? "");
}

/** The same to one with these rights, in words of `setpriv`. */
export function launcherSaysWith(...rights: readonly string[]): string {
  const user = ["--reuid", OTHER_STRANGER, "--regid", OTHER_STRANGER, "--clear-groups"].map(String);
  const { output } = spawnSync("setpriv", [...user, ...rights, process.execPath, "--no-warnings", "--eval", LAUNCH], {
    env: {},
    stdio: ["ignore", "ignore", "ignore", openSync("/dev/null", "r"), "pipe"],
  });
  return String(output?.[4] ?? "");
}

/** Whether such a user may make namespaces, as `unshare` makes them. */
export const hasNamespaces = (): boolean =>
  spawnSync("unshare", ["--user", "--map-current-user", "--net", "--", "true"], ordinary(OTHER_STRANGER)).status === 0;

/** Whether this kernel has Landlock as an ordinary user needs it, who is this one or can be. */
export const hasLandlock = (canBeStranger || !isRoot) && launcherSays().includes('"abi"');
