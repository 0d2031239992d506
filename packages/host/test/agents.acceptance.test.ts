/** Agents with tables of their own, known by the socket that they were given. */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { AgentClient, LogMemory } from "@femtoclaw/client";
import type { RuntimeStatus } from "@femtoclaw/runtime";
import { expect, test } from "vitest";
import { CONFIGURATION, Playground, proposal, RawConnection, toolCall } from "./playground.ts";

const TABLES = `
[agent.reviewer]
allow = { read = ["docs"], write = [], run = { cat = ["*"], tee = ["*"] } }
[agent.reviewer.deny]
read = ["docs/private"]
[agent.writer.ask]
run = { echo = ["*"] }
`;

const message = (tool: string, args: Readonly<Record<string, unknown>>) =>
  Buffer.from(JSON.stringify(toolCall(tool, args)));

test("an agent has what its tables leave it, in calls and in programs, and its name from nobody but the host", async () => {
  await using place = new Playground(CONFIGURATION + TABLES);
  place.write("p/docs/open.txt", "open");
  place.write("p/docs/private/key.txt", "private");
  await place.up();
  const { value: status } = await place.json<RuntimeStatus & { agent_sockets: Record<string, string> }>(["status"]);
  expect(status.agent_sockets).toEqual({
    reviewer: join(place.runtime, "agent-reviewer.sock"),
    writer: join(place.runtime, "agent-writer.sock"),
  });
  expect(lstatSync(status.agent_sockets["reviewer"] ?? "").mode & 0o777).toBe(0o600);
  expect((await place.run(["status"])).stdout).toMatch(/agent reviewer +\S+agent-reviewer\.sock/);

  const memory = new LogMemory({ environment: place.environment, place: place.runtime, warn: () => undefined });
  await using reviewer = await AgentClient.connect(place.runtime, memory, { agent: "reviewer" });
  await using anybody = await place.agent();
  const cat = message("process_exec", { bin: "cat", argv: ["docs/open.txt", "docs/private/key.txt"] });
  const calls: [Buffer, string, string][] = [
    [message("fs_read", { path: "docs/open.txt" }), "done", "done"],
    [message("fs_read", { path: "notes.txt" }), "FEMTO_POLICY_FORBIDDEN", "done"],
    [message("fs_read", { path: "docs/private/key.txt" }), "FEMTO_POLICY_FORBIDDEN", "done"],
    [message("fs_write", { path: "out/a", content: "x", mode: "overwrite" }), "FEMTO_POLICY_FORBIDDEN", "done"],
    [message("process_exec", { bin: "echo", argv: ["x"] }), "FEMTO_POLICY_FORBIDDEN", "done"],
  ];
  for (const [bytes, bound, free] of calls) {
    expect((await reviewer.propose(bytes)).error?.code ?? "done", bytes.toString()).toBe(bound);
    expect((await anybody.propose(bytes)).error?.code ?? "done", bytes.toString()).toBe(free);
  }
  // What its calls may not read, its programs do not see; what it may not write, they cannot.
  expect(await reviewer.propose(cat)).toMatchObject({ result: { stdout: "open", exit_code: 1 } });
  expect(await anybody.propose(cat)).toMatchObject({ result: { stdout: "openprivate", exit_code: 0 } });

  const tee = message("process_exec", { bin: "tee", argv: ["out/b"], stdin: "x" });
  expect(await reviewer.propose(tee)).toMatchObject({ result: { exit_code: 1 } });
  expect(await anybody.propose(tee)).toMatchObject({ result: { exit_code: 0 } });

  // What one principal's call brought is told to no other, whoever knows its identifier.
  const { execution_id } = await anybody.propose(message("fs_read", { path: "notes.txt" }));
  expect(await anybody.wait(execution_id)).toMatchObject({ result: { content: "some notes\n" } });
  await expect(reviewer.wait(execution_id)).rejects.toMatchObject({ code: "FEMTO_EXECUTION_NOT_FOUND" });

  const asReviewer = await place.run(["call", "fs_read", '{"path":"notes.txt"}', "--agent", "reviewer"]);
  expect(asReviewer).toMatchObject({ code: 77, stdout: expect.stringContaining("toml/agent.reviewer.allow.read") });
  const nobody = await place.run(["call", "fs_read", '{"path":"notes.txt"}', "--agent", "revewer"]);
  expect(nobody).toMatchObject({
    code: 64,
    stderr: expect.stringContaining("Name one that has tables: reviewer, writer."),
  });

  // A client that calls itself something else stays who its socket says.
  using raw = await RawConnection.open(status.agent_sockets["reviewer"] ?? "");
  const claimed = { ...proposal(1, toolCall("fs_read", { path: "notes.txt" })), principal: "default" };
  expect(await raw.ask(claimed)).toMatchObject({ error: { code: "FEMTO_SOCKET_REQUEST" } });
  expect(await raw.ask({ id: 2, verb: "stop" })).toMatchObject({ error: { code: "FEMTO_VERB_UNKNOWN" } });
  const labelled = { ...proposal(3, toolCall("fs_read", { path: "notes.txt" })), label: "default" };
  expect(await raw.ask(labelled)).toMatchObject({ value: { decision: "DENIED_POLICY_VIOLATION" } });
  const { value } = await place.json<RuntimeStatus>(["status"]);
  expect(new Set(value.sessions.map(({ principal }) => principal))).toEqual(new Set(["default", "reviewer"]));
  expect((await place.run(["replay", "--recompute"])).code).toBe(0);
});

test("a policy's own tests can say which agent proposes, and what its session did before", async () => {
  const secret = '[sensitive]\nsecret = ["private"]\n[after_secret]\nrun = { echo = ["*"] }\n';
  await using place = new Playground(`${CONFIGURATION}${secret}${TABLES}`);
  const write = 'call = { tool = "fs_write", args = { path = "out/a", content = "", mode = "create" } }';
  const echo = 'call = { tool = "process_exec", args = { bin = "echo" } }';
  const cases = (agent: string) => `
[[case]]
name = "anybody writes"
${write}
expect = "allow"
[[case]]
name = "the reviewer does not"
agent = "${agent}"
${write}
expect = "deny"
[[case]]
name = "nobody is echoed after a secret"
${echo}
history = { has_read_secret = true }
expect = "deny"
rule = "toml/after_secret.run.echo/1"
[tool.process_exec]
match = ["echo"]
`;
  place.write("p/private/key", "x");
  place.write("p/policy/agents.test.toml", cases("reviewer"));
  expect(await place.run(["policy", "test"])).toMatchObject({ code: 0, stdout: "all 4 tests hold\n" });
  // An agent that the configuration does not know is denied as well, but proves nothing.
  place.write("p/policy/agents.test.toml", cases("revewer"));
  const { code, stdout } = await place.run(["policy", "test"]);
  expect(code).toBe(1);
  expect(stdout).toContain("the configuration has no [agent.revewer]");
});

test("a table for an agent that is misspelt, or named like everybody, keeps the host from starting", async () => {
  for (const [table, said] of [
    ["[agent.default.deny]\nread = ['.']\n", "default"],
    ["[agent.Reviewer.deny]\nread = ['.']\n", "Reviewer"],
    ["[agent.reviewer]\npermit = {}\n", "permit"],
  ] as const) {
    await using place = new Playground(CONFIGURATION + table);
    const { code, stderr } = await place.run(["policy", "check"]);
    expect(code).toBe(78);
    expect(stderr).toContain(said);
  }
});
