/**
 * One real agent, launched by the real command line in a project that is against it, with a model that was written in
 * advance: it tries its own tools, makes a call that is allowed, one that is denied, and one that waits for an operator.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { offeredTools } from "../../../agent/test/offered-tools.ts";
import { ScriptedEndpoint } from "../../../agent/test/scripted-endpoint.ts";
import { type Finished, Playground } from "../playground.ts";
import { allowing } from "./allowing.ts";
import { type Check, checked, type Story } from "./check.ts";
import { HOSTILE_MARK, writeHostileProject } from "./hostile-project.ts";
import type { KnownAgent } from "./known-agents.ts";
import { launchTables, NODE_FOLDER } from "./launch-tables.ts";

const KEY = "sk-nobody-may-see-this-key-0123456789";
/** What a shell makes of it is in no text that anybody wrote. */
const COMMAND_MARK = "own-$((6*7))-mark";
const OWN_MARK = "own-42-mark";
/** What a project says to agents, and may. */
const PROJECT_WORDS = "Whoever works here indents by seven spaces.";
const LAST_WORDS = "The story has come to its end.";
const TOOLS = ["fs_read", "fs_write", "process_exec", "femtoclaw_wait"];

const run = (bin: string, ...argv: string[]) => ({ calls: [{ tool: "process_exec", args: { bin, argv } }] });

/** `folder` is where the agent's program lies, `modules` whatever else it needs to be seen. */
export async function agentStory(agent: KnownAgent, folder: string, modules: string): Promise<Check[]> {
  const own = agent.own(COMMAND_MARK);
  await using endpoint = await ScriptedEndpoint.start(
    [
      ...own.map((call) => ({ calls: [call] })),
      run("echo", "hello from the agent"),
      run("rm", "-rf", "/"),
      run("date", "+%Y"),
      { text: LAST_WORDS },
    ],
    { text: "A title" },
  );
  await using place = new Playground("");
  place.configure(configurationFor(agent, endpoint.url, folder, modules));
  writeHostileProject(place);
  for (const name of ["AGENTS.md", "CLAUDE.md"]) place.write(`p/${name}`, `${PROJECT_WORDS}\n`);
  await place.up();
  const [finished] = await Promise.all([
    place.run(["run", "--", agent.kind, ...agent.argv("do what the script says")], { env: { [agent.key]: KEY } }),
    allowing(place),
  ]);
  return await checked(storyOf(agent, place, endpoint, finished));
}

function configurationFor(agent: KnownAgent, url: string, folder: string, modules: string): string {
  return `workspace = "."
search_path = ${JSON.stringify([folder, NODE_FOLDER, "/usr/local/bin", "/usr/bin", "/bin"])}
[capabilities]
process_exec = true
fs_read = true
fs_write = true
[allow]
read = ["."]
write = ["out"]
run = { echo = ["*"] }
[ask]
run = { date = ["*"] }
[deny]
read = ["secrets"]
${launchTables(agent, url, modules)}`;
}

function storyOf({ kind, kept }: KnownAgent, place: Playground, endpoint: ScriptedEndpoint, finished: Finished): Story {
  const { code, stdout, stderr } = finished;
  const bodies = endpoint.asked.map(({ body }) => body);
  const said = JSON.stringify(bodies);
  return [
    [
      "it works to the end of the script",
      () => {
        assert.equal(code, 0, stdout + stderr);
        assert.ok(stdout.includes(LAST_WORDS), stdout + stderr);
      },
    ],
    [
      "its model is offered our tools, and nothing of its own",
      () => {
        const offered = new Set(bodies.flatMap(({ tools }) => offeredTools(tools).map(({ name }) => name)));
        const ours = [...offered].filter((name) => TOOLS.some((tool) => name.endsWith(tool)));
        assert.equal(ours.length, TOOLS.length, [...offered].join(" "));
        assert.deepEqual(
          [...offered].filter((name) => !ours.includes(name)),
          kept,
        );
      },
    ],
    [
      "its own tools do nothing when they are called by name",
      () => {
        assert.ok(!said.includes(OWN_MARK), "its shell ran");
        assert.ok(!said.includes("some notes"), "its file tool read");
      },
    ],
    [
      "one call was done, one denied, one waited for an operator and went on in the same turn",
      async () => {
        const executions = (await place.executions()).toReversed();
        const told = executions.map(({ tool, status }) => `${tool} ${status}`);
        const calls = ["process_exec completed", "process_exec denied", "process_exec completed"];
        assert.deepEqual(told, [...calls, "agent_run completed"]);
        assert.equal(new Set(executions.map(({ session }) => session)).size, 1);
        const shown = await place.run(["executions", "show", String(executions[2]?.execution_id)]);
        assert.match(shown.stdout, /approval\.asked[\s\S]*answer +granted[\s\S]*execution\.intent/);
        assert.ok(said.includes("hello from the agent"));
      },
    ],
    [
      "what the project tells agents to start was not started",
      () => {
        const left = readdirSync(join(place.project, "out")).filter((name) => name.startsWith(HOSTILE_MARK));
        assert.deepEqual(left, []);
      },
    ],
    ["what the project says in words is read", () => assert.ok(said.includes(PROJECT_WORDS))],
    [
      "its key reached the model, and is in no file and no record",
      () => {
        assert.ok(JSON.stringify(endpoint.asked.map(({ headers }) => headers)).includes(KEY));
        const found = execFileSync("sh", ["-c", 'grep -rlaF -- "$0" "$1" || true', KEY, place.root]).toString();
        assert.equal(found, "");
      },
    ],
    [
      "the records and the command tell of its configuration",
      async () => {
        const launch = (await place.executions()).find(({ tool }) => tool === "agent_run");
        const shown = await place.run(["executions", "show", String(launch?.execution_id)]);
        assert.match(shown.stdout, /sha256/);
        assert.match(stderr, new RegExp(`configured as ${kind} for this launch[\\s\\S]*gone with it: .*/tmp/`));
      },
    ],
  ];
}
