/** A tool that looks for faults ends with a fault of its own where it is told to look for none. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const PACKAGES = join(import.meta.dirname, "../..");

test.each([
  ["testing/src/simulation", "rounds", "many"],
  ["testing/src/simulation", "rounds", "0"],
  ["testing/src/simulation", "seed", ""],
  ["host/test/crash", "rounds", "1e9999"],
  ["host/test/installation", "rounds", "-1"],
  ["host/test/telemetry", "executions", "1.5"],
  ["host/test/endurance", "executions", "many"],
  ["host/test/endurance", "minutes", "0"],
])("%s refuses --%s %j", (folder, option, text) => {
  const main = join(PACKAGES, folder, "main.ts");
  const { status, stderr } = spawnSync(process.execPath, [main, `--${option}=${text}`], {
    encoding: "utf8",
    timeout: 60_000,
  });
  expect(stderr).toContain(`--${option} must be a`);
  expect(status).toBe(64);
});
