/** Whether processes of this host can confine themselves by Landlock, and which version of it the kernel has. */
import { type IOType, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { FemtoError, printable } from "@femtoclaw/protocol";
import { launcherCommand } from "#landlock-launcher";
import { requireStreams } from "../confined-child.ts";
import { faultIn } from "../exit-status.ts";

/** Throws FEMTO_SANDBOX_UNAVAILABLE with what the launcher finds missing, FEMTO_OS_REFUSED if no descriptor is left. */
export async function landlockVersion(timeout: number): Promise<string> {
  const [program = "", ...args] = launcherCommand();
  const stdio: IOType[] = ["ignore", "ignore", "ignore", "pipe", "pipe"];
  const launcher = spawn(program, args, { cwd: "/", env: {}, stdio, timeout, killSignal: "SIGKILL" });
  requireStreams(launcher);
  // Given no plan, the launcher only reports the kernel's version.
  (launcher.stdio[3] as Writable).on("error", () => undefined).end();
  const [said] = await Promise.all([text(launcher.stdio[4] as Readable), once(launcher, "exit")]);
  const version = /"abi": (\d+)/.exec(said)?.[1];
  if (version !== undefined) return `ABI ${version}`;
  throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", printable(faultIn(said) ?? "its launcher does not start", 300));
}
