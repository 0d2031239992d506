/** The machine, without which the figures mean nothing. */
import { execFile } from "node:child_process";
import { arch, cpus, platform, release, totalmem } from "node:os";
import { promisify } from "node:util";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gib: number;
  readonly system: string;
  readonly node: string;
}

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
  };
}

/** Null for an installed package, which may lie within a clone of something else. */
export async function ownCommit(): Promise<string | null> {
  if (import.meta.dirname.includes("/node_modules/")) return null;
  const args = ["-C", import.meta.dirname, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"];
  try {
    const { stdout } = await promisify(execFile)("git", args);
    return stdout.trim();
  } catch {
    return null;
  }
}
