/**
 * Lets go of the memory that only a start needs: pages of the executable, such as most of Node.js and the compiler of the
 * policy engine, and what the C library keeps of freed memory. The kernel has the file in its cache, and maps each page
 * again when it is used.
 */
import { readFileSync } from "node:fs";
import { cLibrary } from "@femtoclaw/sandbox/foreign-functions";
import { OWN_CODE } from "#own-code";

/** After this time, a process that has nothing to do has also done what a start leaves for later. */
const SETTLED_MS = 2_000;
const MADV_DONTNEED = 4;

interface Mapping {
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * Does so once, some time from now. A clone keeps its memory, because its pages are those of a Node.js that other
 * processes use as well.
 */
export function releaseOnceSettled(): void {
  if (!("release" in OWN_CODE)) return;
  setTimeout(() => {
    try {
      releaseUnusedPages();
    } catch {
      // Where /proc is hidden or the C library is another one, the process keeps its memory, and works as well.
    }
  }, SETTLED_MS).unref();
}

/** Does so now. Throws where that is impossible. */
export function releaseUnusedPages(): void {
  if (process.platform !== "linux") return;
  const library = cLibrary();
  const advise = library.getFunction("madvise", { arguments: ["uint64", "uint64", "int32"], return: "int32" });
  for (const { start, end } of ownMappings()) advise(start, end - start, MADV_DONTNEED);
  library.getFunction("malloc_trim", { arguments: ["uint64"], return: "int32" })(0n);
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
