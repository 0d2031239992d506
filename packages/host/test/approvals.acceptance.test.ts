/** An agent asks, the host is killed, an operator answers on the command line, and the call runs once. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ApprovalCard, Reply, TypedRecord } from "@femtoclaw/protocol";
import { expect, test } from "vitest";
import { Playground } from "./playground.ts";

const CONFIGURATION = `
workspace = "."
[capabilities]
fs_write = true
process_exec = true
[allow]
read = ["."]
[ask]
write = ["./out"]
run = { echo = ["*"] }
[memory]
path = "../state"
[host]
runtime_dir = "../run"
`;

const NOTE = { path: "out/note", content: "once\n", mode: "append" };

const approvalsOf = (place: Playground) => place.json<ApprovalCard[]>(["approvals", "list"]);

test("a call that waits outlives kill -9, and is executed exactly once after the yes", async () => {
  await using place = new Playground(CONFIGURATION);
  let host = await place.up();
  const trace = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "rojo=1" };
  const said = ["--traceparent", trace.traceparent, "--tracestate", trace.tracestate];
  const asking = ["call", "fs_write", JSON.stringify(NOTE), ...said];
  const { code, value: pending } = await place.json<Reply>(asking);
  expect(code).toBe(75);
  expect(pending).toMatchObject({ status: "pending", decision: null, approval: { id: expect.any(String) } });
  const id = pending.approval?.id ?? "";
  for (let round = 0; round < 2; round += 1) {
    host.kill("SIGKILL");
    await host.ended;
    host = await place.up();
    expect((await place.run(["status"])).stdout).toContain("1 call waits for an operator");
  }
  expect(existsSync(join(place.project, "out/note"))).toBe(false);

  const listed = await approvalsOf(place);
  expect(listed).toMatchObject({
    code: 0,
    value: [
      { id, tool: "fs_write", rule: "toml/ask.write/1", self_approvable: true, execution_id: pending.execution_id },
    ],
  });
  const card = (await place.run(["approvals", "show", id])).stdout;
  for (const line of [
    "question",
    "fs_write",
    "toml/ask.write/1",
    join(place.project, "out/note"),
    '"once\\n"',
    "expires",
  ]) {
    expect(card).toContain(line);
  }
  // Who waits at the command line gets the outcome of the very call.
  const wrong = await place.run(["approvals", "allow", id, "--digest", "0".repeat(64)]);
  expect(wrong.code).toBe(77);
  const allowed = await place.run(["approvals", "allow", id, "--reason", "fine"]);
  expect(allowed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^allowed in record \d+/) });
  await using client = await place.agent();
  expect(await client.wait(pending.execution_id)).toMatchObject({ status: "completed", decision: "AUTHORIZED" });
  host.kill("SIGKILL");
  await host.ended;
  await place.up();
  expect((await place.run(["approvals", "allow", id])).code).toBe(1);
  expect((await approvalsOf(place)).value).toEqual([]);
  expect(readFileSync(join(place.project, "out/note"), "utf8")).toBe("once\n");
  const shown = await place.json<{ records: TypedRecord[] }>(["executions", "show", pending.execution_id]);
  // Whose trace it is part of is known when it runs, two boots later.
  expect(shown.value.records).toMatchObject([
    { type: "approval.asked", body: { trace } },
    { type: "approval.answered" },
    { type: "execution.intent", body: { trace } },
    { type: "execution.outcome" },
  ]);
  await place.down();
  for (const args of [
    ["audit", "verify"],
    ["replay", "--recompute"],
  ]) {
    expect((await place.run(args)).code, args.join(" ")).toBe(0);
  }
});

test("a caller that has time waits for the answer, and an agent has no word in it", async () => {
  await using place = new Playground(CONFIGURATION);
  await place.up();
  const echo = JSON.stringify({ bin: "echo", argv: ["a b", "\u202egnp.exe", "\u001b[2J"] });
  const waiting = place.json<Reply>(["call", "process_exec", echo, "--timeout", "60000"]);
  await expect.poll(async () => (await approvalsOf(place)).value.length).toBe(1);
  const [question] = (await approvalsOf(place)).value;
  const id = question?.id ?? "";
  const { stdout } = await place.run(["approvals", "show", id]);
  expect(stdout).toMatch(/program +\S*\/echo/);
  expect(stdout).toContain('"a b"');
  expect(stdout).not.toContain("\u202e");
  expect(stdout).not.toContain("\u001b[2J");
  using agent = await place.socket("agent");
  for (const verb of ["approvals.list", "approvals.show", "approvals.answer", "stop", "capabilities.enable"]) {
    const answer = await agent.ask({ id: 1, verb, approval: id, digest: question?.digest, answer: "granted" });
    expect(answer, verb).toMatchObject({ ok: false, error: { code: "FEMTO_VERB_UNKNOWN" } });
  }
  expect((await place.run(["approvals", "deny", id, "--reason", "no art"])).code).toBe(0);
  expect(await waiting).toMatchObject({
    code: 77,
    value: { status: "denied", error: { code: "FEMTO_APPROVAL_REFUSED", reason: "no art" } },
  });
});
