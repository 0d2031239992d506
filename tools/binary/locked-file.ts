/**
 * Files of packages for any target, with the very contents that the lock file names: Node.js itself and native code.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { targetOf } from "./targets.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
}

export function lockFile(): LockFile {
  return JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as LockFile;
}

/** The Node.js that an executable is made of: the one for its target, in the same version as the one that builds it. */
export function nodeProgram(target: string): Buffer {
  const { name, program } = targetOf(target).node;
  if (lockFile().packages[`node_modules/${name}`]?.version !== process.versions.node) {
    throw new Error(`the lock file names no Node.js ${process.versions.node} for ${target}`);
  }
  return lockedFile(name, program);
}

/** Read from node_modules, or fetched from npm if it is not installed because it is for another processor. */
export function lockedFile(name: string, path: string): Buffer {
  const locked = lockFile().packages[`node_modules/${name}`];
  if (locked === undefined) throw new Error(`the lock file names no ${name}`);
  const installed = join(ROOT, "node_modules", name, path);
  return existsSync(installed) ? readFileSync(installed) : fetchFile(name, path, locked);
}

function fetchFile(name: string, path: string, { version, integrity = "" }: LockFile["packages"][string]): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "femtoclaw-package-"));
  try {
    const stdio: ["ignore", "ignore", "inherit"] = ["ignore", "ignore", "inherit"];
    execFileSync("npm", ["pack", `${name}@${version}`, "--pack-destination", folder, "--loglevel=error"], { stdio });
    const archive = join(folder, `${name.replace(/^@/, "").replace("/", "-")}-${version}.tgz`);
    const digest = createHash("sha512").update(readFileSync(archive)).digest("base64");
    if (integrity !== `sha512-${digest}`) throw new Error(`${name}@${version} is not what the lock file names`);
    execFileSync("tar", ["-xzf", archive, "-C", folder, `package/${path}`], { stdio });
    return readFileSync(join(folder, "package", path));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
