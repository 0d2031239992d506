/**
 * `npm run agents -- [NAME…] [--cache DIR]`: the real agents, in the versions that are pinned, each launched with a model
 * that was written in advance. Prints what held, what did not, and which of them this machine cannot have.
 */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { errorText } from "@femtoclaw/protocol";
import { agentStory } from "./agent-story.ts";
import type { Check } from "./check.ts";
import { commitStory } from "./commit-story.ts";
import { installAgent, USUAL_CACHE } from "./install-agent.ts";
import { KNOWN_AGENTS, type KnownAgent } from "./known-agents.ts";

const { values, positionals } = parseArgs({
  options: { cache: { type: "string", default: USUAL_CACHE } },
  allowPositionals: true,
});
const chosen = KNOWN_AGENTS.filter(({ kind }) => positionals.length === 0 || positionals.includes(kind));
const unknown = positionals.filter((name) => !KNOWN_AGENTS.some(({ kind }) => kind === name));

async function checksOf(agent: KnownAgent, folder: string): Promise<Check[]> {
  try {
    const programs = join(folder, "node_modules/.bin");
    return [...(await agentStory(agent, programs, folder)), ...(await commitStory(agent, programs, folder))];
  } catch (error) {
    return [{ name: "it is launched", fault: errorText(error) }];
  }
}

/** Under CI once more where something does not hold, as with tests there; what did not hold the first time is told. */
async function checksUnderCi(agent: KnownAgent, folder: string): Promise<Check[]> {
  const checks = await checksOf(agent, folder);
  const faults = checks.filter(({ fault }) => fault !== null);
  if (process.env["CI"] === undefined || faults.length === 0) return checks;
  for (const { name, fault } of faults) process.stdout.write(`again  ${agent.kind}: ${name}: ${fault}\n`);
  return await checksOf(agent, folder);
}

let [passed, failed, skipped] = [0, 0, 0];
for (const agent of chosen) {
  const folder = await installAgent(agent, resolve(values.cache)).catch((error: unknown) => {
    process.stdout.write(`left out  ${agent.kind} ${agent.version}: it cannot be installed: ${errorText(error)}\n`);
    return null;
  });
  if (folder === null) skipped += 1;
  for (const { name, fault } of folder === null ? [] : await checksUnderCi(agent, folder)) {
    if (fault === null) passed += 1;
    else failed += 1;
    process.stdout.write(`${fault === null ? "ok  " : "FAIL"}  ${agent.kind} ${agent.version}: ${name}\n`);
    if (fault !== null) process.stdout.write(`${fault.replace(/^/gm, "      ")}\n`);
  }
}
for (const name of unknown) process.stdout.write(`FAIL  there is no agent ${name} here\n`);
failed += unknown.length;
process.stdout.write(`${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}\n`);
process.exitCode = failed === 0 ? 0 : 1;
