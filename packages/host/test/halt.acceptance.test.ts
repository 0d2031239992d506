/** The operator's switches and tables over sessions, from outside: real hosts, real sockets, real programs, kill -9. */
import type { AgentClient } from "@femtoclaw/client";
import type { RuntimeStatus } from "@femtoclaw/runtime";
import { expect, test } from "vitest";
import { CONFIGURATION, Playground, toolCall } from "./playground.ts";

const message = (tool: string, args: Readonly<Record<string, unknown>>) =>
  Buffer.from(JSON.stringify(toolCall(tool, args)));
const ECHO = message("process_exec", { bin: "echo", argv: ["hello"] });
const SLEEP = message("process_exec", { bin: "sleep", argv: ["60"] });
const READ_SECRET = message("fs_read", { path: "secrets/token.txt" });

const codeOf = async (agent: AgentClient, bytes: Buffer): Promise<string> =>
  (await agent.propose(bytes)).error?.code ?? "done";

test("halt ends one session by its identifier, and neither its client nor a start of the host brings it back", async () => {
  await using place = new Playground();
  await place.up();
  await using hostile = await place.agent();
  await using honest = await place.agent();
  expect(await codeOf(honest, ECHO)).toBe("done");
  const running = hostile.propose(SLEEP);
  await place.untilRunning();
  const { value } = await place.json<RuntimeStatus>(["status"]);
  const [newest] = value.sessions;
  expect(newest).toMatchObject({ channel: "agent", principal: "default", calls: 1, halted: null });
  expect((await place.run(["status"])).stdout).toMatch(/session +[-0-9a-f]{36} agent: 1 call, 0 refused, \d+ s/);

  expect((await place.run(["halt"])).code).toBe(64);
  expect(await place.run(["halt", "nobody"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("FEMTO_SESSION_NOT_FOUND") as string,
  });
  const halted = await place.run(["halt", newest?.id ?? "", "--reason", "it sleeps"]);
  expect(halted).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^halted in record \d+: what was under way ends now, 1 call\n$/) as string,
  });
  expect(await running).toMatchObject({ status: "error", error: { code: "FEMTO_CAPABILITY_CANCELLED" } });
  expect(await hostile.propose(ECHO)).toMatchObject({
    error: { code: "FEMTO_SESSION_HALTED", reason: expect.stringContaining("it sleeps") as string },
  });
  expect(await codeOf(honest, ECHO)).toBe("done");
  expect((await place.run(["status"])).stdout).toContain("halted (FEMTO_SESSION_HALTED)");
  // Said by its own socket it is no verb at all.
  using raw = await place.socket("agent");
  expect(await raw.ask({ id: 1, verb: "sessions.halt", session: newest?.id })).toMatchObject({
    error: { code: "FEMTO_VERB_UNKNOWN" },
  });
  using operator = await place.socket("operator");
  for (const fields of [{}, { session: 1 }, { session: "a", reason: 1 }, { session: "a", more: 1 }]) {
    expect(await operator.ask({ id: 1, verb: "sessions.halt", ...fields })).toMatchObject({
      error: { code: "FEMTO_SOCKET_REQUEST" },
    });
  }
  await place.down();
  await place.up();
  const again = await place.json<{ stopped: number; record: { seq: number } }>(["halt", newest?.id ?? ""]);
  expect(again).toMatchObject({ code: 0, value: { stopped: 0 } });
  expect(halted.stdout).toContain(`record ${again.value.record.seq}:`);
});

test("down --now ends what runs and begins nothing that waits", async () => {
  await using place = new Playground(`${CONFIGURATION}[limits]\nconcurrency = 1\n`);
  await place.up();
  await using agent = await place.agent();
  const running = agent.propose(SLEEP);
  await place.untilRunning();
  const waiting = agent.propose(message("fs_write", { path: "out/waited", content: "x", mode: "create" }));
  expect((await place.run(["down", "--now"])).code).toBe(0);
  expect(await running).toMatchObject({ error: { code: "FEMTO_CAPABILITY_CANCELLED" } });
  expect((await waiting).error?.code).toMatch(/^FEMTO_(EXECUTION_HALTED|DRAINING)$/);
  await place.up();
  expect(await place.propose("fs_read", { path: "out/waited" })).toMatchObject({ status: "denied" });
});

test("what a principal has read is held against it after kill -9, in every session", async () => {
  const configuration = CONFIGURATION.replace('read = ["secrets"]', "").replace("[deny]", "");
  await using place = new Playground(`${configuration}
[sensitive]
secret = ["secrets"]
[after_secret]
run = { echo = ["*"] }
[budgets]
calls = 4
`);
  const shown = await place.run(["policy", "show"]);
  expect(shown.stdout).toContain("toml/after_secret.run.echo/1 (femtoclaw.toml:");
  expect(shown.stdout).toContain("budget/calls (femtoclaw.toml:");
  const host = await place.up();
  await using agent = await place.agent();
  expect(await agent.propose(message("process_exec", { bin: "cat", argv: ["secrets/token.txt"] }))).toMatchObject({
    result: { stdout: "", exit_code: 1 },
  });
  expect(await codeOf(agent, ECHO)).toBe("done");
  expect(await codeOf(agent, READ_SECRET)).toBe("done");
  host.kill("SIGKILL");
  await host.ended;
  await place.up();
  await using later = await place.agent();
  expect(await codeOf(later, ECHO)).toBe("FEMTO_POLICY_FORBIDDEN");
  const read = message("fs_read", { path: "notes.txt" });
  for (let n = 0; n < 4; n += 1) expect(await codeOf(later, read)).toBe("done");
  expect(await codeOf(later, read)).toBe("FEMTO_BUDGET_EXCEEDED");
  expect(await codeOf(later, read)).toBe("FEMTO_SESSION_HALTED");
  expect((await place.run(["replay", "--recompute"])).code).toBe(0);
  expect((await place.run(["audit", "verify"])).code).toBe(0);
});
