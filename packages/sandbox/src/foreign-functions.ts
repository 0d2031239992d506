/** Functions of the C library, which are called where Node.js itself has none. */
import assert from "node:assert/strict";

/** The part of node:ffi that is used; its types are not published yet. */
interface ForeignFunctions {
  readonly DynamicLibrary: new (
    name: string,
  ) => {
    getFunction(name: string, signature: { arguments: string[]; return: string }): (...args: unknown[]) => unknown;
  };
  getRawPointer(memory: ArrayBuffer): bigint;
  getInt32(address: bigint): number;
}

/** Throws if this Node.js lacks the module, which is experimental. */
export function foreignFunctions(): ForeignFunctions {
  const name: string = "node:ffi";
  const module: unknown = process.getBuiltinModule(name);
  assert(module !== undefined, `this Node.js has no ${name}`);
  return module as ForeignFunctions;
}

/** Throws if this system has no such library. */
export function cLibrary(): InstanceType<ForeignFunctions["DynamicLibrary"]> {
  return new (foreignFunctions().DynamicLibrary)("libc.so.6");
}
