/**
 * `npm run bench`: `femtoclaw bench` with the executable of this checkout, which is what people install. It is built first,
 * and its hosts are measured beside those of the sources. One that `--bin` names is measured in its place.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./binary/locked-file.ts";
import { HERE, targetOf } from "./binary/targets.ts";

const given = process.argv.slice(2);
const isNamed = given.some((word) => word === "--bin" || word.startsWith("--bin="));
process.exitCode = isNamed || given.includes("--help") ? bench([]) : built() || bench(["--bin", executable()]);

function executable(): string {
  return join(ROOT, "dist", `femtoclaw-${HERE}${targetOf(HERE).suffix}`);
}

/** What the build says is not what the bench says, whose output may be read by a program. */
function built(): number {
  return run([join(ROOT, "tools/build-binary.ts"), "--out", join(ROOT, "dist")], ["ignore", "ignore", "inherit"]);
}

function bench(words: readonly string[]): number {
  return run([join(ROOT, "packages/host/src/launch.js"), "bench", ...given, ...words], "inherit");
}

function run(words: readonly string[], stdio: "inherit" | ["ignore", "ignore", "inherit"]): number {
  const { status, error } = spawnSync(process.execPath, words, { stdio, cwd: process.env["INIT_CWD"] ?? ROOT });
  if (error !== undefined) throw error;
  // Whatever ended it by a signal has said why.
  return status ?? 1;
}
