/**
 * `npm run agents -- [NAME…] [--cache DIR]`: the real agents, in the versions that are pinned, each launched with a model
 * that was written in advance. Prints what held and what did not.
 */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { agentStory, type Check } from "./agent-story.ts";
import { installAgent, USUAL_CACHE } from "./install-agent.ts";
import { KNOWN_AGENTS, type KnownAgent } from "./known-agents.ts";

const { values, positionals } = parseArgs({
  options: { cache: { type: "string", default: USUAL_CACHE } },
  allowPositionals: true,
});
const chosen = KNOWN_AGENTS.filter(({ kind }) => positionals.length === 0 || positionals.includes(kind));
const unknown = positionals.filter((name) => !KNOWN_AGENTS.some(({ kind }) => kind === name));

async function checksOf(agent: KnownAgent): Promise<Check[]> {
  try {
    const folder = await installAgent(agent, resolve(values.cache));
    return await agentStory(agent, join(folder, "node_modules/.bin"), folder);
  } catch (error) {
    return [{ name: "it is installed and launched", fault: error instanceof Error ? error.message : String(error) }];
  }
}

let [passed, failed] = [0, 0];
for (const agent of chosen) {
  const checks = await checksOf(agent);
  for (const { name, fault } of checks) {
    if (fault === null) passed += 1;
    else failed += 1;
    process.stdout.write(`${fault === null ? "ok  " : "FAIL"}  ${agent.kind} ${agent.version}: ${name}\n`);
    if (fault !== null) process.stdout.write(`${fault.replace(/^/gm, "      ")}\n`);
  }
}
for (const name of unknown) process.stdout.write(`FAIL  there is no agent ${name} here\n`);
failed += unknown.length;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
