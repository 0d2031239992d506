/** An ordinary user, as whom parts of the tests run that root cannot be. */
import { spawnSync } from "node:child_process";
import { openSync } from "node:fs";
import { join } from "node:path";

export const STRANGER = 65_534;
/** Another one, because the kernel counts the processes of a user wherever they are. */
export const OTHER_STRANGER = 65_531;
const isRoot = process.getuid?.() === 0;
const asOrdinary = isRoot ? { uid: STRANGER, gid: STRANGER } : {};
const LAUNCHER = join(import.meta.dirname, "../src/landlock/launcher.js");

/** The sources lie where others may read them; elsewhere an ordinary user can run the tests itself. */
export const canBeStranger = isRoot && spawnSync(process.execPath, ["--check", LAUNCHER], asOrdinary).status === 0;

/** Whether this kernel has Landlock as an ordinary user needs it, who is this one or can be. */
export const hasLandlock =
  (canBeStranger || !isRoot) &&
  spawnSync(
    process.execPath,
    ["--no-warnings", "--eval", `import(${JSON.stringify(LAUNCHER)}).then(({ launch }) => launch())`],
    { ...asOrdinary, env: {}, stdio: ["ignore", "ignore", "ignore", openSync("/dev/null", "r"), "pipe"] },
  ).output[4]?.includes('"abi"') === true;
