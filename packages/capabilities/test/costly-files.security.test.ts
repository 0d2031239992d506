/** Files that cost the host more to read than their content is worth: they grow meanwhile, or are read for nothing. */
import { readFileSync, truncateSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { Playground } from "./playground.ts";

const MIB = 1024 * 1024;

/** Bytes and calls of what this process has read, as the kernel counts them. */
function counted(): { readonly bytes: number; readonly reads: number } {
  const io = readFileSync("/proc/self/io", "utf8");
  return { bytes: Number(/^rchar: (\d+)$/m.exec(io)?.[1]), reads: Number(/^syscr: (\d+)$/m.exec(io)?.[1]) };
}

test("fs_read reads a file that grows meanwhile in as few steps as any other", async () => {
  using place = new Playground();
  const path = place.file("growing", "");
  const handle = await open(path);
  const prototype = Object.getPrototypeOf(handle) as { stat: FileHandle["stat"] };
  const { stat } = prototype;
  await handle.close();
  onTestFinished(() => {
    prototype.stat = stat;
  });
  prototype.stat = async function (this: FileHandle): Promise<never> {
    const found = await stat.call(this);
    truncateSync(path, MIB / 2);
    return found as never;
  };
  const before = counted();
  const outcome = await place.call("fs_read", { path: "growing" });
  expect(outcome).toMatchObject({ event: "succeeded", result: { bytes: MIB / 2 } });
  expect(counted().reads - before.reads).toBeLessThan(1_000);
});

test("fs_search reads little of a file that is no text, and nothing of one that is too large", async () => {
  using place = new Playground();
  for (let at = 0; at < 40; at += 1) {
    const path = place.file(`${at}`, "");
    truncateSync(path, at % 2 === 0 ? 4 * MIB : 5 * MIB);
  }
  const before = counted();
  const outcome = await place.call("fs_search", { path: ".", pattern: "needle" });
  expect(outcome).toMatchObject({ event: "succeeded", result: { files: 0, skipped: 40, truncated: false } });
  expect(counted().bytes - before.bytes).toBeLessThan(8 * MIB);
});
