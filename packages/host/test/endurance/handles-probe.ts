/** Loaded into a host in front of it: says on SIGUSR2 what keeps its event loop busy, which nobody can see from outside. */
import { writeFileSync } from "node:fs";

process.on("SIGUSR2", () => {
  globalThis.gc?.();
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  const { heapUsed } = process.memoryUsage();
  writeFileSync(`${process.env["ENDURANCE_PROBE"]}`, JSON.stringify({ counts, heapUsed }));
});
