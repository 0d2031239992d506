/** A process that lets go of its executable's pages has fewer of them, and works as before. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const MODULE = join(import.meta.dirname, "../src/process/unused-pages.ts");
const MIB = 1_024;

/** Tells how much of its executable's file is in memory, before and after, and what it computes then. */
const SCRIPT = `
  import { readFileSync } from "node:fs";
  import { releaseUnusedPages } from ${JSON.stringify(MODULE)};
  const fileKib = () => {
    let kib = 0;
    for (const told of readFileSync("/proc/self/smaps", "latin1").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
      if (told.split("\\n", 1)[0].endsWith(process.execPath)) kib += Number(/^Rss: +(\\d+)/m.exec(told)[1]);
    }
    return kib;
  };
  const before = fileKib();
  releaseUnusedPages();
  const after = fileKib();
  const worked = JSON.stringify([..."cab"].sort()) + new Intl.NumberFormat("de").format(1234.5);
  console.log(JSON.stringify({ before, after, worked }));
`;

test("half of them are gone, and what is used comes back", () => {
  const args = ["--no-warnings", "--input-type=module", "--eval", SCRIPT];
  const { before, after, worked } = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
  expect(before).toBeGreaterThan(20 * MIB);
  expect(after).toBeLessThan(before / 2);
  expect(worked).toBe('["a","b","c"]1.234,5');
});
