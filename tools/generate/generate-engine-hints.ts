/**
 * Records which functions of the policy engine a start calls, as V8 logs when it compiles them, in the form of a
 * compilation hint for V8. With `--check` it compares instead of writing.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installedEngine } from "../../packages/policy/src/engine/engine-files.ts";
import { compilationHints } from "./compilation-hints.ts";

const NAME = "packages/policy/src/generated/engine-hints.ts";
const FILE = join(import.meta.dirname, "../..", NAME);

const told = execFileSync(process.execPath, [join(import.meta.dirname, "ask-engine.ts")], {
  encoding: "utf8",
  maxBuffer: 64 << 20,
});
const called = new Set([...told.matchAll(/#(\d+) using Liftoff/g)].map(([, index]) => Number(index)));
if (called.size === 0) throw new Error("V8 tells of no function that it compiled");
const engine = await installedEngine();
const { at, section } = compilationHints(
  engine,
  [...called].sort((left, right) => left - right),
);
const text = `// Generated from what a start asks the engine by \`npm run generate\`. Do not edit.

/** The WebAssembly of the engine that this is about. */
export const ENGINE_SHA256 = "${createHash("sha256").update(engine).digest("hex")}";

/** Before which of its bytes the hints have to stand. */
export const HINTS_AT = ${at};

/** A section that names the ${called.size} functions that a start calls, in base64. */
export const HINTS =
  "${section.toString("base64")}";
`;
if (process.argv.includes("--check")) {
  if (readFileSync(FILE, "utf8") !== text) {
    console.error(`stale: ${NAME}; run \`npm run generate\``);
    process.exitCode = 1;
  }
} else {
  writeFileSync(FILE, text);
}
