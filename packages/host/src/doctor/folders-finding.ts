/**
 * What `doctor` finds out about the folders above configuration and state. Each file is checked when it is read, with
 * the folder that it lies in; who can change a folder above can put another of this user's folders in that place.
 */
import { dirname } from "node:path";
import { configurationHome, FemtoError, stateHome } from "@femtoclaw/protocol";
import { assertKeptInPlace } from "@femtoclaw/runtime/secure-file";
import { type Found, ok } from "./finding.ts";
import type { Project } from "./project-findings.ts";

export function foldersFinding({ context, loaded }: Pick<Project, "context" | "loaded">): Found {
  const homes = [configurationHome(context.environment), stateHome(context.environment)];
  const folders = [dirname(loaded.path), loaded.resolved.stateDirectory, ...homes];
  const faults = folders.flatMap((folder) => (folder === undefined ? [] : faultAbove(folder)));
  if (faults.length === 0) return ok("nobody else can put others in the place of configuration and state");
  return {
    verdict: "warn",
    detail: [...new Set(faults)].join("\n"),
    fix: "Do what the lines above say: anyone who can change such a folder can replace its contents by other folders of yours.",
  };
}

function faultAbove(folder: string): string[] {
  try {
    assertKeptInPlace(folder);
    return [];
  } catch (error) {
    if (error instanceof FemtoError) return [error.message];
    throw error;
  }
}
