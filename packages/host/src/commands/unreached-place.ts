/** Where a command keeps records, values, a key or a token: what no call reads here is put where no call reads it. */
import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { type Authority, type ErrorCode, FemtoError } from "@femtoclaw/protocol";
import { loadConfiguration } from "../configuration/load-configuration.ts";
import { refuseReachedPlace } from "../configuration/reached-by-calls.ts";
import type { CommandContext } from "./command-context.ts";

/**
 * INVARIANT: I8: records hold what other sessions and agents read, so that a copy of them in reach of a call would say what
 * is denied to it, and what it is marked for having read. Throws the code for a place that a call could reach.
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
 * By the configuration here as it is, with the state directory of its host; null where there is none, as on a new machine,
 * or none that counts.
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

/** A folder that is not there is found out by whoever writes. */
function canonicalPlace(path: string): string {
  try {
    return join(realpathSync.native(dirname(path)), basename(path));
  } catch {
    return path;
  }
}
