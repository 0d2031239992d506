/** `npm run crash -- --rounds M`: kills hosts and prints what was found, or what was broken. */
import { inspect, parseArgs } from "node:util";
import { toolNumber } from "@femtoclaw/testing";
import { crashRounds } from "./crash-rounds.ts";

const PROGRESS_ROUNDS = 20;

const { values } = parseArgs({ options: { rounds: { type: "string", default: "50" } } });
const rounds = toolNumber("rounds", values.rounds);

function onProgress(done: number): void {
  if (done % PROGRESS_ROUNDS === 0) process.stderr.write(`${done} rounds\n`);
}

try {
  const report = await crashRounds({ rounds, onProgress });
  for (const [name, value] of Object.entries(report)) process.stdout.write(`${name.padEnd(16)} ${value}\n`);
} catch (error) {
  process.stdout.write(`${inspect(error)}\n`);
  process.exitCode = 1;
}
