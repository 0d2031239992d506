/**
 * Entry point of the standalone executable. Its code is stored in chunks, and a process loads only those that it runs:
 * few for a short command, and next to none for what waits inside a sandbox.
 */
import { getRawAsset } from "node:sea";
import { Script } from "node:vm";

type Place = readonly [from: number, to: number];

/**
 * Defined by the build: the chunk that runs first, and for each chunk where its code and V8's compiled form of it are.
 */
declare const FEMTOCLAW_ENTRY: string;
declare const FEMTOCLAW_CHUNKS: Readonly<Record<string, readonly [code: Place, compiled?: Place]>>;
/** What Node.js gives the first script of an executable: only its built-in modules. */
declare const require: (name: string) => unknown;

type Chunk = (exports: object, require: (name: string) => unknown, module: { exports: object }) => void;

const loaded = new Map<string, { exports: object }>();
const parts = new Map<string, ArrayBuffer>();

/**
 * The exports of a chunk. For one that is still being loaded these are the exports so far, as with modules of Node.js.
 */
function load(name: string): object {
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  loaded.set(name, module);
  const [code, compiled] = FEMTOCLAW_CHUNKS[name] ?? missing(name);
  const options = {
    filename: `femtoclaw/${name}`,
    ...(compiled === undefined ? {} : { cachedData: bytesAt("compiled", compiled) }),
  };
  // The code is pure ASCII.
  const chunk = new Script(bytesAt("code", code).toString("latin1"), options).runInThisContext() as Chunk;
  chunk(module.exports, (wanted) => (wanted.startsWith("./") ? load(wanted.slice(2)) : require(wanted)), module);
  return module.exports;
}

function bytesAt(part: string, [from, to]: Place): Buffer {
  return Buffer.from(partOf(part), from, to - from);
}

/**
 * Gets each part only once. No part is copied, but V8 counts the whole of it as memory in use each time. A start that
 * asked for each chunk anew marked its heap six times because of hundreds of megabytes that did not exist.
 */
function partOf(name: string): ArrayBuffer {
  const known = parts.get(name);
  if (known !== undefined) return known;
  const part = getRawAsset(name) as ArrayBuffer;
  parts.set(name, part);
  return part;
}

function missing(name: string): never {
  throw new Error(`the build has left ${name} out`);
}

load(FEMTOCLAW_ENTRY);
