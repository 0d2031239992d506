/** Finds the configuration: the one named by flag or variable, else the nearest one upward, else the user's own. */
import { lstatSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { configurationHome, FemtoError, type HostEnvironment, printable, systemErrorCode } from "@femtoclaw/protocol";
import { CONFIGURATION_NAME } from "./project-files.ts";

export interface LocatedConfiguration {
  readonly path: string;
  /** INVARIANT: a configuration that was merely found in a folder takes effect only after an operator trusted it. */
  readonly needsTrust: boolean;
}

export interface ConfigurationSearch {
  readonly cwd: string;
  readonly environment: HostEnvironment;
  /** Value of --config. */
  readonly configFlag?: string | undefined;
}

export function locateConfiguration({ cwd, environment, configFlag }: ConfigurationSearch): LocatedConfiguration {
  const named = configFlag ?? (environment["FEMTOCLAW_CONFIG"] || undefined);
  if (named !== undefined) {
    // A missing file that was named is a mistake, which falling back to another one would hide.
    const path = resolve(cwd, named);
    if (isThere(path)) return { path, needsTrust: false };
    const how = configFlag === undefined ? "FEMTOCLAW_CONFIG" : "--config";
    throw new FemtoError("FEMTO_CONFIG_NOT_FOUND", `there is no file ${printable(path)}, which ${how} names`);
  }
  const found = nearestUpward(realpathSync.native(cwd));
  const userPath = userConfigurationPath(environment);
  if (found !== undefined && found !== userPath) return { path: found, needsTrust: true };
  if (userPath !== undefined && isThere(userPath)) return { path: userPath, needsTrust: false };
  const places = [`${CONFIGURATION_NAME} in ${printable(cwd)} or above`, ...(userPath === undefined ? [] : [userPath])];
  throw new FemtoError("FEMTO_CONFIG_NOT_FOUND", `there is no configuration: no ${places.join(", no ")}`);
}

/**
 * Canonical paths where the configuration is or was, in order of precedence; if one exists, that one alone. No file is
 * read.
 */
export function configurationPlaces(search: ConfigurationSearch): readonly string[] {
  const { cwd, environment, configFlag } = search;
  const named = configFlag ?? (environment["FEMTOCLAW_CONFIG"] || undefined);
  if (named !== undefined) return [canonicalPlace(resolve(cwd, named))];
  const user = userConfigurationPath(environment);
  const places = [...placesUpward(realpathSync.native(cwd)), ...(user === undefined ? [] : [canonicalPlace(user)])];
  const there = places.find(isThere);
  return there === undefined ? places : [there];
}

function placesUpward(folder: string): readonly string[] {
  const path = join(folder, CONFIGURATION_NAME);
  return folder === dirname(folder) ? [path] : [path, ...placesUpward(dirname(folder))];
}

/** A link in the place of the file itself is not followed; loading will refuse it. */
function canonicalPlace(path: string): string {
  try {
    return join(realpathSync.native(dirname(path)), basename(path));
  } catch {
    return path;
  }
}

/** The configuration in the user's own configuration directory, whether it exists or not. */
export function userConfigurationPath(environment: HostEnvironment): string | undefined {
  const home = configurationHome(environment);
  return home === undefined ? undefined : join(home, CONFIGURATION_NAME);
}

function nearestUpward(folder: string): string | undefined {
  const path = join(folder, CONFIGURATION_NAME);
  if (isThere(path)) return path;
  return folder === dirname(folder) ? undefined : nearestUpward(dirname(folder));
}

/** A dangling link or a folder of that name counts as well. Opening will refuse it; it is never skipped. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    const code = systemErrorCode(error) ?? "unknown cause";
    // There is nothing below a file, such as a HOME that is /dev/null.
    if (code === "ENOTDIR") return false;
    throw new FemtoError("FEMTO_CONFIG_INVALID", `${printable(path, 4_096)} cannot be examined (${code})`, {
      fix: "Set HOME or XDG_CONFIG_HOME to a folder that you may look into, or name the configuration with --config.",
      cause: error,
    });
  }
}
