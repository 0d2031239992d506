/**
 * Entry of the standalone executable. Its code lies there in chunks, of which a process loads those that it runs: a short
 * command reads little of it, and what waits inside a sandbox next to nothing.
 */
import { getRawAsset } from "node:sea";
import { Script } from "node:vm";

type Place = readonly [from: number, to: number];

/** Put here by the build: the chunk that runs first, and where the code of each lies, and what V8 compiled it to. */
declare const FEMTOCLAW_ENTRY: string;
declare const FEMTOCLAW_CHUNKS: Readonly<Record<string, readonly [code: Place, compiled?: Place]>>;
/** What Node.js gives the first script of an executable: its own modules, and nothing else. */
declare const require: (name: string) => unknown;

type Chunk = (exports: object, require: (name: string) => unknown, module: { exports: object }) => void;

const loaded = new Map<string, { exports: object }>();
const parts = new Map<string, ArrayBuffer>();

/** What a chunk exports. One that is being loaded gives what it has by then, as modules of Node.js do. */
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
  // It is ASCII alone.
  const chunk = new Script(bytesAt("code", code).toString("latin1"), options).runInThisContext() as Chunk;
  chunk(module.exports, (wanted) => (wanted.startsWith("./") ? load(wanted.slice(2)) : require(wanted)), module);
  return module.exports;
}

function bytesAt(part: string, [from, to]: Place): Buffer {
  return Buffer.from(partOf(part), from, to - from);
}

/**
 * A part is asked for once. No part is copied, but V8 counts the whole of it as memory in use each time, and a start that
 * asked for each chunk marked its heap six times because of hundreds of megabytes that nobody holds.
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
