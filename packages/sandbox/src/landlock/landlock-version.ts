/** Whether processes of this host can confine themselves by Landlock, and which version of it the kernel has. */
import { FemtoError, printable } from "@femtoclaw/protocol";
import { launcherCommand } from "#landlock-launcher";
import { faultIn } from "../children/exit-status.ts";
import { saidBy } from "../spawning/said-by.ts";

/** Throws FEMTO_SANDBOX_UNAVAILABLE with what the launcher finds missing, FEMTO_OS_REFUSED if no descriptor is left. */
export async function landlockVersion(timeoutMs: number): Promise<string> {
  const [program = "", ...args] = launcherCommand();
  // Given no plan on its fourth descriptor, the launcher only reports the kernel's version.
  const stdio = ["ignore", "ignore", "ignore", "pipe", "pipe"] as const;
  const { text } = await saidBy({ program, args, stdio }, 4, timeoutMs);
  const version = /"abi": (\d+)/.exec(text)?.[1];
  if (version !== undefined) return `ABI ${version}`;
  throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", printable(faultIn(text) ?? "its launcher does not start", 300));
}
