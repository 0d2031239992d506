/** `npm run explore`: searches all scenarios and prints how much there was, or the way to what went wrong. */
import { exploreApprovals } from "./approvals.ts";
import { Base } from "./base.ts";
import { explore } from "./explore.ts";
import { Violation } from "./invariants.ts";
import { SCENARIOS } from "./scenarios.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

try {
  const base = await Base.create();
  for (const scenario of SCENARIOS) {
    const { states, steps, interleavings, recoveries } = await explore(base, scenario);
    say(`${scenario.name}: ${states} states, ${steps} steps, ${interleavings} interleavings, ${recoveries} recoveries`);
  }
  const { states, steps } = exploreApprovals(3);
  say(`approvals and policy revisions, on the pure machines alone: ${states} states, ${steps} steps`);
} catch (error) {
  if (!(error instanceof Violation)) throw error;
  say(error.message);
  process.exitCode = 1;
}
