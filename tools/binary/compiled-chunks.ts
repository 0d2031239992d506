/** What V8 makes of the chunks when it reads them, so that no process of the executable has to do it again. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ENGINE_FLAGS } from "../../packages/policy/src/engine-compilation.ts";
import type { Chunks } from "./chunks.ts";
import { HERE } from "./targets.ts";

/** What V8 is told, in the executable and where its code is compiled: compiled code counts under the same flags alone. */
export const V8_FLAGS = [
  // With keys for memory V8 looks up each place of a stack that it walks in a book of compiled code, and ends the process where
  // it finds none: so a start was ended once, when the engine asked for better code. The keys guard compiled code from other
  // code in the process, of which there is none.
  "--no-memory-protection-keys",
  // Nearly all that a start makes stays, so there is little to collect in it. V8 counts the engine and the chunks, which lie
  // outside of its heap, against the second of these; with half of it, it marked the whole heap before a host took calls.
  "--min-semi-space-size=4",
  "--initial-old-space-size=128",
  // From its start, so that what is read while the engine is compiled counts as well.
  ...ENGINE_FLAGS,
];

/** What Node.js is told that builds. With a fixed seed the same code compiles to the same bytes; V8 minds neither of these two. */
export const BUILD_FLAGS = [...V8_FLAGS, "--random-seed=42", "--predictable"];

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
