/** `npm run simulate -- --seed N --rounds M`: plays the rounds and prints what happened, or what went wrong. */
import { parseArgs } from "node:util";
import { toolNumber } from "../tool-number.ts";
import { Divergence } from "./oracle.ts";
import { simulate } from "./simulate.ts";

const PROGRESS_ROUNDS = 1_000;

const { values } = parseArgs({
  options: { seed: { type: "string", default: "1" }, rounds: { type: "string", default: "500" } },
});
const seed = toolNumber("seed", values.seed, { least: 0 });
const rounds = toolNumber("rounds", values.rounds);
let told = 0;

function onProgress(done: number): void {
  if (done < told + PROGRESS_ROUNDS) return;
  told = done;
  process.stderr.write(`${done} rounds\n`);
}

try {
  const report = await simulate({ seed, rounds, onProgress });
  for (const [name, value] of Object.entries(report)) process.stdout.write(`${name.padEnd(16)} ${value}\n`);
} catch (error) {
  if (!(error instanceof Divergence)) throw error;
  process.stdout.write(`${error.message}\n`);
  process.exitCode = 1;
}
