/** Makes sure that records, values, a key or a token are only written where no call can read them. */
import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { type Authority, type ErrorCode, FemtoError } from "@femtoclaw/protocol";
import { loadConfiguration } from "../configuration/load-configuration.ts";
import { refuseReachedPlace } from "../configuration/reached-by-calls.ts";
import type { CommandContext } from "./command-context.ts";

/**
 * INVARIANT: I8: records hold what other sessions and agents have read. A call that could reach a copy would learn what
 * is denied to it, or what its session would be marked for reading. Throws `code` for a place that a call could reach.
 */
export function unreachedPlace(
  context: CommandContext,
  given: string,
  code: ErrorCode = "FEMTO_EXPORT_FAILED",
): string {
  const path = resolve(context.cwd, given);
  const authority = presentAuthority(context);
  if (authority === null) return path;
  refuseReachedPlace(canonicalPlace(path), authority, code);
  return path;
}

/**
 * The authority of the present configuration, with the state directory that it names. Null if there is no
 * configuration, as on a new machine, or none that counts.
 */
export function presentAuthority({ cwd, environment, options }: CommandContext): Authority | null {
  try {
    const loaded = loadConfiguration({ cwd, environment, configFlag: options.config, stateFlag: undefined });
    return loaded.resolved.authority;
  } catch (error) {
    if (error instanceof FemtoError) return null;
    throw error;
  }
}

/** If the folder does not exist, the write will fail and say so. */
function canonicalPlace(path: string): string {
  try {
    return join(realpathSync.native(dirname(path)), basename(path));
  } catch {
    return path;
  }
}
