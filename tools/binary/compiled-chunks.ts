/** What V8 makes of the chunks when it reads them, so that no process of the executable has to do it again. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Chunks } from "./chunks.ts";
import { HERE } from "./targets.ts";

/**
 * What Node.js is told that builds. With a fixed seed the same code compiles to the same bytes, and V8 leaves these two
 * out of the flags that have to be the same where the code is used.
 */
export const BUILD_FLAGS = ["--random-seed=42", "--predictable"];

/** For another processor or system nothing can be compiled here. */
export const isCompiledFor = (target: string): boolean => target === HERE;

/** The compiled form of each chunk by its name. Those of a start have all their functions, of the others V8 takes its pick. */
export function compiledChunks({ scripts, atStart }: Chunks): Map<string, Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "femtoclaw-compile-"));
  try {
    for (const name of ["code", "compiled"]) mkdirSync(join(folder, name));
    for (const [name, script] of scripts) writeFileSync(join(folder, "code", name), script);
    execFileSync(process.execPath, [...BUILD_FLAGS, join(import.meta.dirname, "compile-chunks.cjs"), ...atStart], {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
    });
    return new Map([...scripts.keys()].map((name) => [name, readFileSync(join(folder, "compiled", name))]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
