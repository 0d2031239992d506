/**
 * `npm run bench`: runs `femtoclaw bench` with the executable of this checkout, because that is what people install.
 * The executable is built first, and its hosts are measured beside those of the sources. `--bin` names another one
 * instead.
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

/** Keeps the build's output apart from the bench's, which a program may read. */
function built(): number {
  return run([join(ROOT, "tools/build-binary.ts"), "--out", join(ROOT, "dist")], ["ignore", "ignore", "inherit"]);
}

function bench(words: readonly string[]): number {
  return run([join(ROOT, "packages/host/src/launch.js"), "bench", ...given, ...words], "inherit");
}

function run(words: readonly string[], stdio: "inherit" | ["ignore", "ignore", "inherit"]): number {
  const { status, error } = spawnSync(process.execPath, words, { stdio, cwd: process.env["INIT_CWD"] ?? ROOT });
  if (error !== undefined) throw error;
  // If it was ended by a signal, the sender has said why.
  return status ?? 1;
}
