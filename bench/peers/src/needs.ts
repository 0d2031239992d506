/** What a system needs and may be missing. Packages of npm are installed here; those of Debian are only named. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { postgresqlPrograms } from "./postgresql.ts";

const FOLDER = join(import.meta.dirname, "..");
const MODULES = join(FOLDER, "node_modules");
/** Records the lock file for which the packages were installed. */
const STAMP = join(MODULES, ".femtoclaw-lock");
const SQLITE = join(MODULES, "better-sqlite3/build/Release/better_sqlite3.node");

export type Need = keyof typeof NEEDS;

/** Each function meets a need if it can, and returns null, or the reason why not. */
export const NEEDS = {
  packages: installPackages,
  sqlite: compileSqlite,
  postgresql: () => (postgresqlPrograms() === null ? "PostgreSQL is missing: apt-get install postgresql" : null),
  redis: () => (isOnPath("redis-server") ? null : "Redis is missing: apt-get install redis-server"),
} satisfies Record<string, () => string | null>;

/** Installs what the lock file names, without running any package's scripts: some phone home, or download more. */
function installPackages(): string | null {
  const digest = createHash("sha256")
    .update(readFileSync(join(FOLDER, "package-lock.json")))
    .digest("hex");
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === digest) return null;
  if (!npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]))
    return "npm ci failed in bench/peers";
  writeFileSync(STAMP, digest);
  return null;
}

/** Compiled against the headers that come with this Node.js; nothing is downloaded. It takes minutes. */
function compileSqlite(): string | null {
  if (existsSync(SQLITE) || !existsSync(STAMP)) return null;
  process.stderr.write("compiling SQLite for LangGraph …\n");
  const headers = dirname(dirname(process.execPath));
  const environment = { npm_config_nodedir: headers, npm_config_build_from_source: "true" };
  if (npm(["rebuild", "better-sqlite3", "--loglevel=error"], environment) && existsSync(SQLITE)) return null;
  return "better-sqlite3 cannot be compiled: apt-get install g++ make python3";
}

/** Runs the npm that runs this command, on this Node.js. Its output goes where progress goes. */
function npm(args: readonly string[], environment: Readonly<Record<string, string>> = {}): boolean {
  const cli = process.env["npm_execpath"];
  const [program, ...words] = cli === undefined ? ["npm"] : [process.execPath, cli];
  const { status } = spawnSync(program ?? "npm", [...words, ...args], {
    cwd: FOLDER,
    stdio: ["ignore", 2, 2],
    env: { ...process.env, ...environment },
  });
  return status === 0;
}

function isOnPath(name: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, name)));
}
