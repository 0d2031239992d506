/**
 * Differences on systems other than Linux. The system is asked who owns a file, and by which descriptor a file is
 * reached. If it cannot answer, whatever depends on the answer is refused instead of being done with less security.
 */
import { FemtoError } from "./faults/errors.ts";

/** Returns a user's number; null for a system that has none. */
type Numbered = (() => number) | null | undefined;

/**
 * The number of the current user, which the owners of files are compared with. INVARIANT: I3: on systems where users
 * have no numbers, such as Windows, every file has owner 0 and no mode means anything. So no file there is taken for
 * this user's own.
 */
export function ownUser(numberOf: Numbered = process.geteuid): number {
  if (numberOf) return numberOf();
  const reason = `on ${process.platform}, FemtoClaw cannot determine who owns a file and who may change it`;
  throw new FemtoError("FEMTO_PLATFORM_UNSUPPORTED", reason);
}

/** Whether a path can be named by the descriptor of its folder, so that no name is ever looked up a second time. */
export const namesByDescriptor = (platform: NodeJS.Platform): boolean => platform === "linux";

/** For people: what is refused on this system; null if nothing is. */
export function platformLacks(platform: NodeJS.Platform): string | null {
  switch (platform) {
    case "linux":
      return null;
    case "darwin":
      return "calls on files are refused, and programs are confined by a profile that was never tested";
    case "win32":
      return "no host runs here; an exported log can be verified";
    default:
      return "calls on files and on programs are refused";
  }
}
