/**
 * What somebody does on the first day, with the preset `git` as `init` writes it: the agent mends a file, has the tests
 * run, and commits. The operator is asked before the tests, before what is staged, and before the commit.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { ScriptedEndpoint } from "../../../agent/test/scripted-endpoint.ts";
import { presetTests, presetText } from "../../src/configuration/presets.ts";
import { Playground } from "../playground.ts";
import { allowing } from "./allowing.ts";
import { type Check, checked } from "./check.ts";
import type { KnownAgent } from "./known-agents.ts";
import { launchTables, NODE_FOLDER } from "./launch-tables.ts";

const KEY = "sk-a-key-of-no-use-0123456789";
const LAST_WORDS = "The sum is right, and committed.";
const BEFORE = "export const sum = (a, b) => a - b;\n";
const AFTER = "export const sum = (a, b) => a + b;\n";
const TEST = 'import { sum } from "./sum.js";\nif (sum(2, 3) !== 5) throw new Error("two and three are five");\n';

const run = (bin: string, ...argv: string[]) => ({ calls: [{ tool: "process_exec", args: { bin, argv } }] });

/** `folder` is where the agent's program lies, `modules` whatever else it needs to be seen. */
export async function commitStory(agent: KnownAgent, folder: string, modules: string): Promise<Check[]> {
  await using place = new Playground("");
  const git = (...words: string[]): string => execFileSync("git", ["-C", place.project, ...words]).toString();
  const path = place.write("p/sum.js", BEFORE);
  place.write("p/sum.test.js", TEST);
  place.write("p/package.json", '{ "type": "module", "scripts": { "test": "node sum.test.js" } }\n');
  git("init", "--quiet");
  git("config", "user.name", "Somebody");
  git("config", "user.email", "somebody@example.com");
  git("add", "sum.js", "sum.test.js", "package.json");
  git("commit", "--quiet", "--message", "add a sum");
  await using endpoint = await ScriptedEndpoint.start(
    [
      { calls: [{ tool: "fs_edit", args: { path, old: "a - b", new: "a + b" } }] },
      run("npm", "test"),
      run("git", "add", "sum.js"),
      run("git", "commit", "--message", "mend the sum"),
      { text: LAST_WORDS },
    ],
    { text: "A title" },
  );
  place.configure(`${searching(presetText("git"), folder)}${launchTables(agent, endpoint.url, modules)}`);
  place.write("p/policy/first.test.toml", presetTests("git"));
  await place.up();
  const [finished, questions] = await Promise.all([
    place.run(["run", "--", agent.kind, ...agent.argv("do what the script says")], { env: { [agent.key]: KEY } }),
    allowing(place),
  ]);
  return await checked([
    [
      "under the preset git it mends a file, runs the test and commits",
      async () => {
        assert.ok(finished.stdout.includes(LAST_WORDS), finished.stdout + finished.stderr);
        assert.equal(readFileSync(path, "utf8"), AFTER);
        assert.equal(git("log", "-1", "--format=%s %an"), "mend the sum Somebody\n");
        assert.equal(git("show", "--format=", "--name-only"), "sum.js\n");
        const told = (await place.executions()).toReversed().map(({ tool, status }) => `${tool} ${status}`);
        const calls = ["fs_edit", "process_exec", "process_exec", "process_exec", "agent_run"];
        assert.deepEqual(
          told,
          calls.map((tool) => `${tool} completed`),
        );
      },
    ],
    ["with three questions to the operator", () => assert.equal(questions, 3)],
  ]);
}

/** The preset as it is written, but that the agent's own program is found where it was installed. */
function searching(preset: string, folder: string): string {
  const added = [folder, NODE_FOLDER].map((path) => `${JSON.stringify(path)}, `).join("");
  return preset.replace(/^search_path = \[/m, (begin) => `${begin}${added}`);
}
