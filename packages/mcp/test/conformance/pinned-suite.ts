/**
 * The official suite and the inspector, installed in a folder of the user's cache by the lock file beside this one: no
 * script of theirs runs, and nothing of them is a dependency of the project.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const SUITE = join(import.meta.dirname, "suite");

/** The folder of the packages. Throws where they cannot be installed. */
export function installedSuite(): string {
  const lock = createHash("sha256")
    .update(readFileSync(join(SUITE, "package-lock.json")))
    .digest("hex");
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "femtoclaw");
  const folder = join(cache, `mcp-suite-${lock.slice(0, 16)}`);
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    process.stderr.write(`installs the suite in ${folder}\n`);
    const making = mkdtempSync(join(cache, "mcp-suite-"));
    cpSync(SUITE, making, { recursive: true });
    const flags = ["--ignore-scripts", "--no-audit", "--no-fund"];
    const { status, stderr } = spawnSync("npm", ["ci", ...flags], { cwd: making, encoding: "utf8" });
    if (status !== 0) {
      rmSync(making, { recursive: true });
      throw new Error(`npm could not install the suite: ${stderr}`);
    }
    // Whole, or not there: whoever comes next takes it as it is.
    renameSync(making, folder);
  }
  return join(folder, "node_modules/@modelcontextprotocol");
}
