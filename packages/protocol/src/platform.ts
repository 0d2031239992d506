/**
 * What is different where FemtoClaw does not run on Linux. Whose a file is, and by which descriptor one is reached, is
 * asked of the system; where that cannot say it, what rests on the answer is refused and not done with less.
 */
import { FemtoError } from "./errors.ts";

/** What gives a user's number; null stands for a system that has none. */
type Numbered = (() => number) | null | undefined;

/**
 * The number of the user who runs this, to which owners of files are held. INVARIANT: I3: where users have no numbers, as
 * on Windows, every file has owner 0 and no mode means anything; so no file there is taken for this user's own.
 */
export function ownUser(numberOf: Numbered = process.geteuid): number {
  if (numberOf) return numberOf();
  const reason = `whose a file is, and who else may change it, cannot be told on ${process.platform}`;
  throw new FemtoError("FEMTO_PLATFORM_UNSUPPORTED", reason);
}

/** Whether a path can be named by the descriptor of its folder, so that no name is ever looked up a second time. */
export const namesByDescriptor = (platform: NodeJS.Platform): boolean => platform === "linux";

/** For people: what is refused on this system; null where nothing is. */
export function platformLacks(platform: NodeJS.Platform): string | null {
  switch (platform) {
    case "linux":
      return null;
    case "darwin":
      return "calls on files are refused, and programs are confined by a profile that nobody has tried yet";
    case "win32":
      return "no host runs here; an exported log can be verified";
    default:
      return "calls on files and on programs are refused";
  }
}
