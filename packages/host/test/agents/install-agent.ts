/** Installs the pinned version of a real agent, once for all runs, outside of every checkout. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { KnownAgent } from "./known-agents.ts";

/** LIMIT: time after which a registry that does not give the package is one that does not have it. */
const INSTALL_MS = 240_000;

export const USUAL_CACHE = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "femtoclaw-agents");

/** The folder that it is installed in, which no link leads to: a sandbox shows places, not names. Throws with what npm said. */
export async function installAgent({ kind, package: name, version }: KnownAgent, cache: string): Promise<string> {
  const folder = join(cache, `${kind}-${version}`);
  if (existsSync(join(folder, "node_modules/.bin", kind))) return realpathSync(folder);
  mkdirSync(cache, { recursive: true });
  // Under its name there is a whole installation or none, whatever ends this process.
  const begun = mkdtempSync(join(cache, `${kind}-`));
  try {
    const words = ["install", "--prefix", begun, "--no-audit", "--no-fund", `${name}@${version}`];
    await promisify(execFile)("npm", words, { cwd: begun, timeout: INSTALL_MS });
    rmSync(folder, { recursive: true, force: true });
    renameSync(begun, folder);
    return realpathSync(folder);
  } finally {
    rmSync(begun, { recursive: true, force: true });
  }
}
