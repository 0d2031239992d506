/** What a capability of others logs is looked at while it runs by every way by which the output of a program is. */
import { once } from "node:events";
import type { WatchedOutput } from "@femtoclaw/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CONFIGURATION, Playground, proposal, toolCall } from "./playground.ts";

/** Logs a line and the beginning of a key, waits, and logs the rest of both. */
const MAIN = `export default {
  async run({ args }) {
    console.log("begun \\u001b]0;title\\u0007");
    process.stderr.write("a key: ghp_a1B2");
    await new Promise((resolve) => setTimeout(resolve, args.wait_ms));
    process.stderr.write("a1B2".repeat(9) + "\\nover");
    return { done: true };
  },
};
`;
const MANIFEST = {
  name: "slow_count",
  version: "1.0.0",
  description: "logs while it works",
  input: { type: "object", additionalProperties: false, properties: { wait_ms: { type: "integer" } } },
  output: { type: "object", properties: { done: { type: "boolean" } } },
  arguments: [],
  effect: "none",
  idempotent: true,
  limits: { timeout_ms: 600_000, output_bytes: 65_536 },
};

let place: Playground;
beforeAll(async () => {
  const entry = 'fs_list = false\nslow_count = { package = "caps", pins = "first_use", timeout_ms = 600_000 }';
  place = new Playground(CONFIGURATION.replace("fs_list = false", entry));
  place.write("p/caps/capability.json", JSON.stringify(MANIFEST));
  place.write("p/caps/package.json", '{"type":"module","main":"main.js"}');
  place.write("p/caps/main.js", MAIN);
  place.write("p/policy/slow.cedar", '@id("slow")\npermit (principal, action == Action::"slow_count", resource);\n');
  await place.up();
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

/** A command that goes on, with what it has said so far. */
function going(args: readonly string[]) {
  const child = place.spawn(args);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (piece) => {
      said += String(piece);
    });
  }
  return { child, said: () => said, ended: once(child, "close") };
}

test("people follow it by commands, agents by their socket, and what is half a secret is not told", async () => {
  using agent = await place.socket("agent");
  // It does not end before everybody has looked.
  agent.write(`${JSON.stringify(proposal(1, toolCall("slow_count", { wait_ms: 590_000 })))}\n`);
  const first = await agent.ask({ id: 2, verb: "watch", request: 1, from: 0, wait_ms: 10_000 });
  const { execution, parts } = first.value as WatchedOutput;
  expect(parts[0]?.stream).toBe("stderr");
  expect(parts[0]?.text).toMatch(/^begun \u001b\]0;title\u0007\n/);
  const follow = going(["executions", "follow", execution]);
  await expect.poll(follow.said).toContain("begun \\u{1b}]0;title\\u{7}");
  const stream = going(["call", "slow_count", '{"wait_ms":590000}', "--stream"]);
  await expect.poll(stream.said).toContain("begun \\u{1b}]0;title\\u{7}");
  const list = going(["executions", "list", "--follow", "--output"]);
  await expect.poll(list.said).toContain("following");
  const call = going(["--json", "call", "slow_count", '{"wait_ms":500}', "--stream"]);
  await call.ended;
  const lines = call.said().trimEnd().split("\n");
  const values = lines.map((line) => JSON.parse(line));
  expect(values.at(-1)).toMatchObject({ status: "completed", result: { done: true } });
  expect(
    values
      .slice(0, -1)
      .map(({ output }) => output.text)
      .join(""),
  ).toMatch(/^begun .*\na key: \[redacted:github-token\]\nover$/);
  await expect.poll(list.said).toMatch(/a key: \[redacted:github-token\]\n[\s\S]*over\n[\s\S]*completed/);
  for (const { child, ended } of [list, follow, stream]) {
    child.kill("SIGINT");
    await ended;
  }
  expect(JSON.stringify([follow, stream, list, call].map(({ said }) => said()))).not.toContain("a1B2");
  expect(await agent.ask({ id: 3, verb: "cancel", execution })).toMatchObject({ ok: true });
  await expect
    .poll(async () => (await agent.ask({ id: 4, verb: "watch", execution, from: 0, wait_ms: 0 })).value)
    .toMatchObject({ state: "ended" });
});

test("a client of the MCP server that asks for progress is shown the last line that it logged", async () => {
  const { child, said, ended } = going(["mcp"]);
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "shell", version: "1" } };
  const call = { name: "slow_count", arguments: { wait_ms: 590_000 }, _meta: { progressToken: "here" } };
  for (const message of [
    { jsonrpc: "2.0", id: 1, method: "initialize", params },
    { jsonrpc: "2.0", method: "notifications/initialized" },
    { jsonrpc: "2.0", id: 2, method: "tools/call", params: call },
  ]) {
    child.stdin.write(`${JSON.stringify(message)}\n`);
  }
  await expect.poll(said).toMatch(/notifications\/progress.*output: (begun|a key: )/);
  child.stdin.end();
  child.kill("SIGTERM");
  await ended;
  expect(said()).not.toContain("a1B2");
});
