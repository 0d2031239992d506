/** `npm run upgrades -- --rounds N`: kills upgrades and prints what was in force, or what was broken. */
import { inspect, parseArgs } from "node:util";
import { toolNumber } from "@femtoclaw/testing";
import { upgradeKills } from "./upgrade-kills.ts";

const PROGRESS_ROUNDS = 20;

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "200" }, scripts: { type: "boolean", default: false } },
});

function onProgress(done: number): void {
  if (done % PROGRESS_ROUNDS === 0) process.stderr.write(`${done} rounds\n`);
}

const rounds = toolNumber("rounds", values.rounds);

try {
  const hosts = values.scripts ? "scripts" : "real";
  const report = await upgradeKills({ rounds, hosts, onProgress });
  for (const [name, value] of Object.entries(report)) process.stdout.write(`${name.padEnd(16)} ${value}\n`);
} catch (error) {
  process.stdout.write(`${inspect(error)}\n`);
  process.exitCode = 1;
}
