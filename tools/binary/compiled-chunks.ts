/** Compiles the chunks with V8 ahead of time, so that no process of the executable has to. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ENGINE_FLAGS } from "../../packages/policy/src/engine/engine-compilation.ts";
import type { Chunks } from "./chunks.ts";
import { HERE } from "./targets.ts";

/**
 * The V8 flags of the executable and of the process that compiles its code, because V8 accepts compiled code only under
 * equal flags.
 */
export const V8_FLAGS = [
  // With memory protection keys, V8 looks up each frame of a stack that it walks in its registry of compiled code, and
  // ends the process if it finds none. That once ended a start, when the engine was being optimized. The keys protect
  // compiled code from untrusted code in the same process, and there is none.
  "--no-memory-protection-keys",
  // Nearly everything that a start allocates stays alive, so collecting garbage gains little. V8 counts the engine and
  // the chunks, which lie outside its heap, against the second of these limits; with half of it, V8 marked the whole
  // heap before a host took calls.
  "--min-semi-space-size=4",
  "--initial-old-space-size=128",
  // V8 makes machine code of warm functions in batches, and changes the rights of memory for each batch. A start makes
  // many; of this size, four times as large as usual, it makes fewer.
  "--baseline-batch-compilation-threshold=16384",
  // From the very start, so that what is read while the engine is compiled is counted too.
  ...ENGINE_FLAGS,
];

/**
 * Flags for the building Node.js only. The fixed seed makes the same code compile to the same bytes; V8 does not
 * compare these two flags.
 */
export const BUILD_FLAGS = [...V8_FLAGS, "--random-seed=42", "--predictable"];

/** Code for another processor or system cannot be compiled here. */
export const isCompiledFor = (target: string): boolean => target === HERE;

/**
 * The compiled form of each chunk, by name. Chunks of a start are compiled with all functions; for the others V8
 * chooses.
 */
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
