/**
 * `npm run bench:peers -- [load|crash] [--quick] [--json] [--only NAME]`: FemtoClaw beside others, in one run on one
 * disk.
 */
import { chmodSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { VERSION } from "@femtoclaw/protocol";
import { FULL, QUICK } from "../../src/effort.ts";
import { describeMachine, ownCommit } from "../../src/machine.ts";
import { measureCrashes } from "./crash-steps.ts";
import { loadRows, ratioRows } from "./figures.ts";
import { measureLoads } from "./load-rounds.ts";
import { crashLines, loadLines } from "./report.ts";
import { SYSTEM_NAMES, type SystemName } from "./systems.ts";
import { Trials } from "./trials.ts";

const USAGE = 64;
const INTERRUPTED = 130;
/** Linux's number of the tmpfs file system, where a sync costs nothing. */
const TMPFS = 0x01021994;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
  },
});
const [what = "load"] = positionals;
const unknown = values.only.filter((name) => !SYSTEM_NAMES.some((known) => known === name));
if (process.platform !== "linux")
  refuse("processes are found and killed as Linux tells of them, so it runs nowhere else");
if (!["load", "crash"].includes(what) || positionals.length > 1) refuse("what is measured is `load` or `crash`");
if (unknown.length > 0) refuse(`\`--only\` takes ${SYSTEM_NAMES.join(", ")}`);
if (statfsSync(tmpdir()).type === TMPFS) refuse(`${tmpdir()} is in memory: name a folder on a disk by TMPDIR`);

const directory = mkdtempSync(join(tmpdir(), "femtoclaw-peers-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(INTERRUPTED));
// A database that must not run as root has to be able to enter.
chmodSync(directory, 0o711);

const systems: readonly SystemName[] =
  values.only.length === 0 ? SYSTEM_NAMES : SYSTEM_NAMES.filter((name) => values.only.includes(name));
const effort = values.quick ? QUICK : FULL;
const trials = new Trials(systems, (text) => process.stderr.write(`${text}\n`));
const run = { machine: describeMachine(), version: VERSION, commit: await ownCommit(), quick: values.quick };
if (what === "load") {
  const { yardsticks, rounds } = await measureLoads(trials, directory, effort);
  const measured = systems.filter((name) => !trials.missing.some(({ system }) => system === name));
  const rows = loadRows(measured, rounds);
  const report = { ...run, yardsticks, rows, ratios: ratioRows(rows), missing: trials.missing };
  print(report, loadLines(report));
} else {
  const findings = await measureCrashes(trials, directory, effort);
  const report = { ...run, systems, findings, missing: trials.missing };
  print(report, crashLines(report));
}

function print(report: object, lines: readonly string[]): void {
  process.stdout.write(`${values.json ? JSON.stringify(report) : lines.join("\n")}\n`);
}

function refuse(why: string): never {
  process.stderr.write(`${why}\n`);
  process.exit(USAGE);
}
