/**
 * Agents that are known by name, with stand-ins in their place: what is written for a launch, what a project cannot add to
 * it, where their model is reached, and launches that nobody may begin alone. The real ones are tried by `npm run agents`.
 */
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { throwAway } from "../../src/launch/throw-away.ts";
import { HOSTILE_MARK, writeHostileProject } from "../agents/hostile-project.ts";
import { KNOWN_AGENTS } from "../agents/known-agents.ts";
import { Playground } from "../playground.ts";
import { launch, MODEL_KEY, ran, said } from "./launch-place.ts";

/** Says what it was started with, and does what its first argument says after `do:`. */
const STAND_IN = `#!/bin/sh
for word in "$@"; do case "$word" in do:*) eval "\${word#do:}"; exit ;; esac; done
for word in "$@"; do echo "argument $word"; done
env | sed 's/^/variable /'
find /tmp -path '/tmp/fh-*' -prune -o -type f -print | while read -r file; do echo "file $file"; cat "$file"; done
`;

/** Asks for a page at the place where an agent without a proxy finds its model. */
const ASK_MODEL = `perl -e 'use IO::Socket::INET; my $s = IO::Socket::INET->new("127.0.0.1:3129") or die "no tunnel"; print $s "GET /v1/models HTTP/1.0\\r\\n\\r\\n"; print while <$s>'`;

let place: Playground;
let server: Server;
const asked: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(String(request.url));
    response.end("the models");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  place = new Playground("");
  for (const { kind } of KNOWN_AGENTS) chmodSync(place.write(`bin/${kind}`, STAND_IN), 0o755);
  const table = (name: string, more = "") =>
    `[launch.${name}]\nagent = "coder"\nenv = ["MODEL_KEY", "CODEX_HOME"]\nmodel = "m"\nbase_url = "http://${host}/v1"\n${more}\n`;
  place.configure(`workspace = "."
search_path = ${JSON.stringify([join(place.root, "bin"), "/usr/bin", "/bin"])}
[capabilities]
process_exec = true
fs_read = true
fs_write = true
[allow]
read = ["."]
write = ["out"]
${KNOWN_AGENTS.map(({ kind }) => table(kind)).join("")}${table("unlisted", 'program = "claude"').replace(host, "127.0.0.1:9")}
[launch.plain]
program = "codex"
kind = "other"
env = ["MODEL_KEY"]
[launch.asked]
program = "pi"
agent = "guest"
[agent.coder]
[agent.guest]
[sandbox]
read = [${JSON.stringify(join(place.root, "bin"))}]
connect = { codex = ["${host}"], claude = ["${host}"] }
[memory]
path = "../state"
[host]
runtime_dir = "../run"
`);
  place.write(
    "p/policy/launches.cedar",
    `@id("guests")
@reason("a guest is launched by nobody alone")
@approval
forbid (principal == Agent::"guest", action == Action::"agent_run", resource)
unless { context.approved };
`,
  );
  writeHostileProject(place);
  mkdirSync(join(place.project, "inner"));
  place.write("p/inner/.mcp.json", "{}");
  place.write("p/inner/settings/mark.txt", "linked to\n");
  symlinkSync("settings", join(place.project, "inner/.claude"));
  await place.up();
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
  await new Promise((resolve) => server.close(resolve));
});

test("each known agent finds what is written for it, and the record has the digest of each file", async () => {
  await using operator = await place.operator();
  const resolved = await Promise.all(
    KNOWN_AGENTS.map(async ({ kind }) => ({ kind, ...(await ran(place, kind, "hello")) })),
  );
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const { kind, stdout, stderr, reply } of resolved) {
    const program = join(place.root, "bin", kind);
    const setting = { name: kind, kind, program, realPath: program, principal: "coder", source: "" };
    const told = throwAway(
      { ...setting, env: ["MODEL_KEY"], model: "m", baseUrl: `http://${host}/v1` },
      { workspace: place.project, cwd: place.project },
    );
    for (const word of [...told.argv, "hello"]) expect(stdout, stderr).toContain(`argument ${word}\n`);
    for (const [name, value] of Object.entries(told.variables)) expect(stdout).toContain(`variable ${name}=${value}\n`);
    expect(stdout).toContain(`variable MODEL_KEY=${MODEL_KEY}\n`);
    for (const { path, content } of told.settings.files) expect(stdout).toContain(`file ${path}\n${content}`);
    expect(stdout.match(/^file /gm)?.length).toBe(told.settings.files.length);
    const shown = JSON.stringify(await operator.execution(String(reply?.execution_id)));
    const digests = told.settings.files.map(({ content }) => createHash("sha256").update(content).digest("hex"));
    for (const text of [...digests, host]) expect(shown).toContain(text);
    expect(shown).not.toContain(MODEL_KEY);
  }
});

test("what a project tells agents to start is not there for one that is configured, in its folder and above", async () => {
  const script =
    "do:cat .codex/config.toml .mcp.json ../.mcp.json ../opencode.json .claude/mark.txt; ls -A ../.codex ../.pi; cat ../notes.txt";
  const inside = await launch(place, "codex", [script], null, join(place.project, "inner"));
  const hidden = await said(inside.operator);
  await inside.operator.close();
  expect(hidden.stdout.replaceAll(/^\.\.\/\.(codex|pi):\n/gm, "").trim()).toBe("some notes");
  // One that configures itself sees the project as it is.
  const plain = await ran(place, "plain", "do:cat .mcp.json .codex/config.toml; ls -A /tmp");
  expect(plain.stdout).toContain("mcpServers");
  expect(plain.stdout).toContain("codex-server");
  expect(plain.stdout).not.toContain(".codex/");
  expect(readFileSync(join(place.project, ".mcp.json"), "utf8")).toContain("hostile");
  const program = await ran(place, "codex", `do:./hostile by-hand; ls out`);
  expect(program.stdout).toContain(`${HOSTILE_MARK}by-hand`);
});

test("a variable that an operator hands on leads an agent to no other configuration", async () => {
  await using operator = await place.operator();
  const variables = { MODEL_KEY, CODEX_HOME: place.project, HOME: place.project };
  await expect(operator.launched.start({ name: "codex", argv: [], variables, size: null })).rejects.toThrow(
    "does not list `HOME`",
  );
  await operator.launched.start({
    name: "codex",
    argv: ['do:echo "$CODEX_HOME $HOME"'],
    size: null,
    variables: { MODEL_KEY, CODEX_HOME: place.project },
  });
  expect((await said(operator)).stdout).toBe("/tmp/.codex /tmp\n");
});

test("a model without TLS is reached by a tunnel that is decided and recorded, and by nothing else", async () => {
  const named = await ran(place, "codex", `do:${ASK_MODEL}`);
  expect(named.stdout, named.stderr).toContain("the models");
  expect(asked).toEqual(["/v1/models"]);
  await using operator = await place.operator();
  expect(JSON.stringify(await operator.execution(String(named.reply?.execution_id)))).toContain("execution.hop");
  // Its address is told to an agent, and it is let there only where its program is.
  const unlisted = await ran(place, "unlisted", `do:${ASK_MODEL}`);
  expect(unlisted.stdout).toMatch(/^HTTP\/1\.1 403 [\s\S]*femtoclaw: /);
  expect(unlisted.reply?.result).toMatchObject({ refused: [{ host: "127.0.0.1:9" }] });
  // Without a table that says so there is none.
  expect((await ran(place, "plain", `do:${ASK_MODEL}`)).stderr).toContain("no tunnel");
  expect(asked).toHaveLength(1);
});

test("what would be written is shown without a launch, with no value of a variable of the shell", async () => {
  const before = (await place.executions()).length;
  const env = { MODEL_KEY };
  const { code, stdout } = await place.run(["run", "--dry-run", "--", "codex", "exec", "it's"], { env });
  expect(code).toBe(0);
  expect(stdout).toContain(`arguments  exec 'it'\\''s'`);
  expect(stdout).toContain("variable   MODEL_KEY, from this shell\nvariable   HOME=/tmp\n");
  expect(stdout).toContain('file       /tmp/.codex/config.toml\n  model = "m"');
  expect(stdout).not.toContain(MODEL_KEY);
  expect((await place.executions()).length).toBe(before);
});

test("a launch that a policy asks about starts nothing, asks nobody any more, and says why", async () => {
  const { code, stdout, stderr } = await place.run(["run", "--", "asked", "hello"]);
  expect(stdout).toBe("");
  expect(code, stderr).toBe(77);
  expect(stderr).toContain("file/launches/guests");
  await using operator = await place.operator();
  expect(await operator.approvals()).toEqual([]);
  const [own] = await place.executions();
  expect(own).toMatchObject({ tool: "agent_run", status: "error" });
  expect(own?.result).toBeUndefined();
});
