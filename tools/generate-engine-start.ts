/**
 * Writes down which functions of the policy engine a start calls, as V8 tells when it compiles them. `--check` compares
 * instead of writing.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { engineBytes } from "../packages/policy/src/engine-files.ts";

const NAME = "packages/policy/src/generated/engine-start.ts";
const FILE = join(import.meta.dirname, "..", NAME);

const told = execFileSync(process.execPath, [join(import.meta.dirname, "ask-engine.ts")], {
  encoding: "utf8",
  maxBuffer: 64 << 20,
});
const functions = new Set([...told.matchAll(/#(\d+) using Liftoff/g)].map(([, index]) => Number(index)));
if (functions.size === 0) throw new Error("V8 tells of no function that it compiled");
const text = `// Generated from what a start asks the engine by \`npm run generate\`. Do not edit.

/** The WebAssembly that this is about. */
export const ENGINE_SHA256 = "${createHash("sha256")
  .update(await engineBytes())
  .digest("hex")}";

/** Its functions that a start calls, by their numbers. */
export const FUNCTIONS_OF_START: readonly number[] = [
${[...functions]
  .sort((left, right) => left - right)
  .join(", ")
  .replace(/.{1,116}(?:,|$) ?/g, (line) => `  ${line.trimEnd()}\n`)
  .trimEnd()},
];
`;
if (process.argv.includes("--check")) {
  if (readFileSync(FILE, "utf8") !== text) {
    console.error(`stale: ${NAME}; run \`npm run generate\``);
    process.exitCode = 1;
  }
} else {
  writeFileSync(FILE, text);
}
