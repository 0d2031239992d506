/** The Node.js that an executable is made of: the one of its target, in the very version that builds it. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./bundle.ts";

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
}

export function lockFile(): LockFile {
  return JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as LockFile;
}

/** From node_modules; a Node.js for another processor comes from npm, as the lock file names it. */
export function nodeProgram(target: string): Buffer {
  const folder = join("node_modules", `node-${target}`);
  const locked = lockFile().packages[folder];
  if (locked?.version !== process.versions.node) {
    throw new Error(`the lock file names no Node.js ${process.versions.node} for ${target}`);
  }
  const installed = join(ROOT, folder, "bin/node");
  return existsSync(installed) ? readFileSync(installed) : fetchProgram(`node-${target}`, locked);
}

function fetchProgram(name: string, { version, integrity = "" }: LockFile["packages"][string]): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "femtoclaw-node-"));
  try {
    const stdio: ["ignore", "ignore", "inherit"] = ["ignore", "ignore", "inherit"];
    execFileSync("npm", ["pack", `${name}@${version}`, "--pack-destination", folder, "--loglevel=error"], { stdio });
    const archive = join(folder, `${name}-${version}.tgz`);
    const digest = createHash("sha512").update(readFileSync(archive)).digest("base64");
    if (integrity !== `sha512-${digest}`) throw new Error(`${name}@${version} is not what the lock file names`);
    execFileSync("tar", ["-xzf", archive, "-C", folder, "package/bin/node"], { stdio });
    return readFileSync(join(folder, "package/bin/node"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
