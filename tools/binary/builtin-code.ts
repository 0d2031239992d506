/**
 * The modules of Node.js are in it as code that V8 compiled when it was built, and V8 takes such code only under the very flags
 * that it was compiled under. Ours are others, so every process compiled those modules again.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { V8_FLAGS } from "./compiled-chunks.ts";

/** What V8 puts in front of compiled code: which V8 it was, a digest of the source, and one of the flags. */
const VERSION_BYTES = 8;
const FLAGS_AT = 12;
const FLAGS_END = 16;
/** What Node.js brings is some 440 modules. */
const FEWEST_MODULES = 300;

/**
 * The program with its own modules marked as compiled under the executable's flags. None of those flags changes what V8 compiles
 * JavaScript to: they are about the sizes of the heap, keys of memory and WebAssembly.
 */
export function withBuiltinsUnderFlags(node: Buffer): Buffer {
  const [plain, flagged] = [headerUnder([]), headerUnder(V8_FLAGS)];
  const version = plain.subarray(0, VERSION_BYTES);
  assert.deepEqual(flagged.subarray(0, VERSION_BYTES), version, "the flags leave V8 what it is");
  const from = plain.subarray(FLAGS_AT, FLAGS_END);
  const marked = Buffer.from(node);
  let modules = 0;
  for (let at = marked.indexOf(version); at !== -1; at = marked.indexOf(version, at + 1)) {
    if (!marked.subarray(at + FLAGS_AT, at + FLAGS_END).equals(from)) continue;
    flagged.copy(marked, at + FLAGS_AT, FLAGS_AT, FLAGS_END);
    modules += 1;
  }
  if (modules < FEWEST_MODULES) {
    throw new Error(`${modules} modules of Node.js were found compiled; this version brings them in another form`);
  }
  return marked;
}

function headerUnder(flags: readonly string[]): Buffer {
  const program = 'process.stdout.write(new (require("node:vm").Script)("0").createCachedData())';
  return execFileSync(process.execPath, [...flags, "-e", program]);
}
