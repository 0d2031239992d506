/** Looks up on this machine the paths and programs that Cedar files name. */
import { existsSync } from "node:fs";
import type { NameLookup } from "@femtoclaw/policy";
import { canonicalPath } from "./configuration/canonical-path.ts";
import { findProgram } from "./configuration/resolve-programs.ts";

export function machineNames(searchPath: readonly string[]): NameLookup {
  return {
    path(path) {
      const found = canonicalPath(path, { directory: "/", home: undefined });
      return "problem" in found ? found : { canonical: found.path, exists: existsSync(found.path) };
    },
    program: (path) => findProgram(path, searchPath),
  };
}
