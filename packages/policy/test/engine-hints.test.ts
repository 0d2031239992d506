import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { engineBytes } from "../src/engine-files.ts";
import { withStartHints } from "../src/engine-hints.ts";
import { ENGINE_SHA256, FUNCTIONS_OF_START } from "../src/generated/engine-start.ts";

const INSTANCE = fileURLToPath(new URL("../src/cedar-instance.ts", import.meta.url));

test("what is written down is about the engine that is installed", async () => {
  expect(
    createHash("sha256")
      .update(await engineBytes())
      .digest("hex"),
  ).toBe(ENGINE_SHA256);
  expect(FUNCTIONS_OF_START).toEqual([...new Set(FUNCTIONS_OF_START)].sort((left, right) => left - right));
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
  expect(compiled.sort((left, right) => left - right)).toEqual(FUNCTIONS_OF_START);
});

test("takes nothing away from the module, and adds a section before its code", () => {
  // A function that answers 7: type, function, export and code sections.
  const module = Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 5, 1, 0x60, 0, 1, 0x7f],
    ...[3, 2, 1, 0],
    ...[7, 5, 1, 1, 0x66, 0, 0],
    ...[10, 6, 1, 4, 0, 0x41, 7, 0x0b],
  ]);
  const hinted = withStartHints(module, [0]);
  const code = module.length - 8;
  expect(hinted.subarray(0, code)).toEqual(Buffer.from(module.subarray(0, code)));
  expect(hinted.subarray(hinted.length - 8)).toEqual(Buffer.from(module.subarray(code)));
  expect(hinted.subarray(code, hinted.length - 8).toString("latin1")).toBe(
    "\x00\x28\x22metadata.code.compilation_priority\x01\x00\x00\x01\x00",
  );
});

test("a module that ends early, or has no code, is refused", () => {
  expect(() => withStartHints(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), [0])).toThrow(/no section 10/);
  expect(() => withStartHints(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 0x80]), [0])).toThrow(
    /within a number/,
  );
});
