/**
 * Lets go of the executable's pages that only a start needs, such as most of Node.js and the compiler of the policy
 * engine. The kernel keeps them in its cache of files, and maps each of them again when it is used.
 */
import { readFileSync } from "node:fs";

/** After this time, a host that has nothing to do has also done what a start leaves for later. */
const SETTLED_MS = 2_000;
const MADV_DONTNEED = 4;

interface ForeignFunctions {
  readonly DynamicLibrary: new (
    path: null,
  ) => {
    getFunction(
      name: "madvise",
      shape: { readonly arguments: readonly string[]; readonly return: string },
    ): (address: bigint, bytes: bigint, advice: number) => number;
  };
}

interface Mapping {
  readonly start: bigint;
  readonly end: bigint;
}

/** Lets go of them once, after the host has settled. Where that is impossible, the process keeps its pages. */
export function releaseUnusedPages(): void {
  setTimeout(() => {
    try {
      release();
    } catch {
      // Whoever hides /proc or forbids the call has a larger host, and one that works as well.
    }
  }, SETTLED_MS).unref();
}

function release(): void {
  const name: string = "node:ffi";
  const foreign = process.getBuiltinModule(name) as ForeignFunctions | undefined;
  if (process.platform !== "linux" || foreign === undefined) return;
  const shape = { arguments: ["uint64", "uint64", "int32"], return: "int32" };
  const advise = new foreign.DynamicLibrary(null).getFunction("madvise", shape);
  for (const { start, end } of ownMappings()) advise(start, end - start, MADV_DONTNEED);
}

/**
 * Where the executable's file is mapped for reading or running. The kernel would throw away what was changed in memory.
 * INVARIANT: no such page is in these mappings, and as they are not writable, none can be added.
 */
function ownMappings(): Mapping[] {
  const mappings: Mapping[] = [];
  for (const told of readFileSync("/proc/self/smaps", "latin1").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const [, start, end, path] = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ \S+ +(.*)$/m.exec(told) ?? [];
    if (path !== process.execPath || !/^Anonymous: +0 kB$/m.test(told)) continue;
    mappings.push({ start: BigInt(`0x${start}`), end: BigInt(`0x${end}`) });
  }
  return mappings;
}
