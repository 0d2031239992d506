/** Hosts of the bench end with it, also where a measurement fails. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { COMMAND } from "../../packages/host/test/playground.ts";

const MODULE = join(import.meta.dirname, "../src/host-start.ts");

/** Empty for a process that is gone, or that nobody has waited for. */
function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

test("a measurement that fails leaves no host running", async () => {
  const directory = mkdtempSync("/tmp/fb-");
  const script = `
    import { mkdirSync } from "node:fs";
    import { BenchHost } from ${JSON.stringify(MODULE)};
    mkdirSync(${JSON.stringify(join(directory, "workspace"))});
    const host = new BenchHost(${JSON.stringify(COMMAND)}, ${JSON.stringify(directory)});
    await host.start();
    await using operator = await host.operator();
    console.log((await operator.status()).pid);
    throw new Error("it fails");
  `;
  try {
    const { stdout, status } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
      encoding: "utf8",
    });
    const pid = Number(stdout);
    expect([status, pid > 0]).toEqual([1, true]);
    const isGone = () => commandLineOf(pid) === "";
    if (!isGone()) await new Promise((resolve) => setTimeout(resolve, 2_000));
    const left = !isGone();
    if (left) process.kill(pid, "SIGKILL");
    expect(left).toBe(false);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
