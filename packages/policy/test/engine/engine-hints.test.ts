import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { installedEngine } from "../../src/engine/engine-files.ts";
import { ENGINE_SHA256, HINTS } from "../../src/generated/engine-hints.ts";

const INSTANCE = fileURLToPath(new URL("../../src/engine/cedar-instance.ts", import.meta.url));
/** Kind and length of the section, its name with its length, and how many functions follow, which are two bytes. */
const HEADING_BYTES = 3 + 1 + "metadata.code.compilation_priority".length + 2;

test("what is written down is about the engine that is installed", async () => {
  const installed = await installedEngine();
  expect(createHash("sha256").update(installed).digest("hex")).toBe(ENGINE_SHA256);
});

test("V8 has compiled what a start calls when the engine is open, and nothing else of it", () => {
  const script = `const { setFlagsFromString } = await import("node:v8");
    const { openCedar } = await import(${JSON.stringify(INSTANCE)});
    // Only now, because Node.js runs WebAssembly of its own while it reads sources.
    setFlagsFromString("--trace-wasm-compilation-times");
    await openCedar();`;
  const told = execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  const compiled = [...told.matchAll(/#(\d+) using Liftoff/g)].map(([, index]) => Number(index));
  expect(compiled.sort((left, right) => left - right)).toEqual(hintedFunctions());
  expect(compiled.length).toBeGreaterThan(1_000);
});

function hintedFunctions(): number[] {
  const entries = [...Buffer.from(HINTS, "base64").subarray(HEADING_BYTES)];
  const functions: number[] = [];
  while (entries.length > 0) {
    const [low = 0, high = 0] = entries;
    const long = low >= 0x80;
    functions.push(long ? (low & 0x7f) | (high << 7) : low);
    // Its number, and the three bytes of its hint.
    entries.splice(0, long ? 5 : 4);
  }
  return functions;
}
