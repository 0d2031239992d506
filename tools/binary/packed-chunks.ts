/**
 * Packs all chunks into one part of the executable and their compiled forms into another. Few parts are better, because
 * Node.js looks at the beginning of each when a process starts, and the kernel maps the pages around it.
 */
import type { Chunks } from "./chunks.ts";
import { compiledChunks, isCompiledFor } from "./compiled-chunks.ts";

export interface PackedChunks {
  /**
   * Where each chunk lies, for the executable's entry: the range of its code, and of its compiled form if there is one.
   */
  readonly places: Readonly<Record<string, readonly [code: Place, compiled?: Place]>>;
  /** Parts by name. */
  readonly parts: ReadonlyMap<string, Uint8Array>;
}

type Place = readonly [from: number, to: number];

/** V8 uses compiled code in place if it is aligned to this, and copies it otherwise. */
const ALIGNMENT = 8;

export function packChunks(chunks: Chunks, target: string): PackedChunks {
  const code = pack(chunks.scripts);
  if (!isCompiledFor(target)) {
    const places = Object.entries(code.places).map(([name, place]) => [name, [place]] as const);
    return { places: Object.fromEntries(places), parts: new Map([["code", code.bytes]]) };
  }
  const compiled = pack(compiledChunks(chunks));
  const places = Object.entries(code.places).map(([name, place]) => [name, [place, compiled.places[name]]] as const);
  return {
    places: Object.fromEntries(places) as PackedChunks["places"],
    parts: new Map([
      ["code", code.bytes],
      ["compiled", compiled.bytes],
    ]),
  };
}

function pack(files: ReadonlyMap<string, Uint8Array>): { places: Record<string, Place>; bytes: Buffer } {
  const places: Record<string, Place> = {};
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const [name, bytes] of files) {
    const padding = -bytes.length & (ALIGNMENT - 1);
    places[name] = [at, at + bytes.length];
    pieces.push(bytes, Buffer.alloc(padding));
    at += bytes.length + padding;
  }
  return { places, bytes: Buffer.concat(pieces) };
}
