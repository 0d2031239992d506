/** What people who live in a terminal look at: what happens as it happens, and questions that are answered as they come. */

import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { ExecutionView } from "@femtoclaw/protocol";
import { expect, test } from "vitest";
import { COMMAND, CONFIGURATION, Playground, toolCall } from "./playground.ts";

/** For a shell, from a clone in any folder. */
const WORDS = COMMAND.map((word) => `'${word}'`).join(" ");

function gathered(stream: Readable): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

/** What is left on a screen is without what moved there. */
const plain = (text: string): string => text.replaceAll(/\u001b\[[0-9;]*[A-Za-z]/g, "").replaceAll("\r", "\n");

test("no row of a list is wider than the terminal, and in a pipe all of it is there", async () => {
  await using place = new Playground();
  await place.up();
  await place.propose("process_exec", { bin: "echo", argv: ["x"] });
  const onTerminal = async (columns: number, args: string): Promise<string[]> => {
    const command = `stty cols ${columns}; exec ${WORDS} ${args}`;
    const screen = spawn("script", ["-qec", command, "/dev/null"], { cwd: place.project, env: place.environment });
    const seen = gathered(screen.stdout);
    await expect.poll(() => plain(seen())).toContain("process_exec");
    screen.kill();
    return plain(seen()).split("\n");
  };
  const registry = await onTerminal(60, "capabilities list");
  expect(registry.find((row) => /process_exec +enabled +configuration/.test(row))).toBeDefined();
  expect(Math.max(...registry.map((row) => row.length))).toBeLessThanOrEqual(60);
  const { stdout } = await place.run(["executions", "list"]);
  expect(stdout).toMatch(/process_exec +echo x +completed +AUTHORIZED +[0-9.]+ ms +[0-9a-f-]{36}\n/);
  for (const args of ["executions list", "executions list --follow"]) {
    const rows = await onTerminal(80, args);
    expect(rows.find((row) => /\d+ .*process_exec +echo x +completed/.test(row))).toBeDefined();
    expect(Math.max(...rows.map((row) => row.length))).toBeLessThanOrEqual(80);
    expect((await onTerminal(200, args)).join("\n")).toContain("AUTHORIZED");
  }
});

test("executions are followed on a terminal and in a pipe, and questions are answered where they are shown", async () => {
  await using place = new Playground(`${CONFIGURATION}[ask]\nread = ["notes.txt"]\n`);
  await place.up();
  await place.propose("fs_read", { path: "secrets/token.txt" });
  /** The same on a terminal of its own. */
  const onTerminal = (args: string) =>
    spawn("script", ["-qec", `exec ${WORDS} ${args}`, "/dev/null"], {
      cwd: place.project,
      env: { ...place.environment, COLUMNS: "120" },
    });
  const followed = place.spawn(["--json", "executions", "list", "--follow"]);
  const values = gathered(followed.stdout);
  const screen = onTerminal("executions list --follow");
  const seen = gathered(screen.stdout);
  const desk = onTerminal("approvals watch");
  const asked = gathered(desk.stdout);
  await expect.poll(() => plain(seen())).toContain("following; Ctrl-C ends");
  await expect.poll(() => plain(asked())).toContain("nothing is asked");
  await expect.poll(() => values().split("\n").length).toBeGreaterThan(1);

  await using client = await place.agent();
  const propose = (tool: string, args: Readonly<Record<string, unknown>>) =>
    client.propose(Buffer.from(JSON.stringify(toolCall(tool, args))));
  const slow = propose("process_exec", { bin: "sleep", argv: ["3"] });
  // A name that would like to move the cursor, and to answer.
  await propose("no\u001b[2J\r\nallow 1\n\u009b", {});
  const { approval, execution_id } = await propose("fs_read", { path: "notes.txt" });
  await expect.poll(() => plain(asked())).toContain(`question ${approval?.id}  fs_read`);
  await expect.poll(() => plain(seen())).toMatch(/running: process_exec \d s · 1 for operators to answer/);
  desk.stdin.write("allow 999999\n");
  await expect.poll(() => plain(asked())).toContain("no open question 999999 was shown here");
  desk.stdin.write(`allow ${approval?.id}\n`);
  expect(await client.wait(execution_id)).toMatchObject({ status: "completed", decision: "AUTHORIZED" });
  // Who looks between the answer and the outcome sees it run.
  await expect
    .poll(() => plain(asked()))
    .toMatch(new RegExp(`question ${approval?.id} is settled: (?:completed, AUTHORIZED|allowed, and runs)`));
  await slow;

  const rows = (): string[] =>
    plain(seen())
      .split("\n")
      .filter((line) => /^ +\d+ {2}\d\d:/.test(line));
  await expect
    .poll(() => rows().map((row) => row.split(/ {2,}/)[5]))
    .toEqual(expect.arrayContaining(["denied", "pending", "completed"]));
  expect(plain(seen())).toContain("FEMTO_POLICY_FORBIDDEN: ");
  expect(seen()).not.toContain("\u001b[2J");
  expect(seen()).toContain("no\\u{1b}[2J\\u{d}");
  const views = (): ExecutionView[] =>
    values()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as ExecutionView);
  await expect
    .poll(() =>
      views()
        .filter((view) => view.execution_id === execution_id)
        .map(({ status }) => status),
    )
    .toEqual(["pending", "completed"]);
  expect(values()).not.toContain("\u009b");
  expect(values()).toContain("\\u009b");
  for (const child of [screen, desk]) child.stdin.end("\u0003");
  followed.kill("SIGTERM");
});

test("what waits for words on stdin says so on a terminal, and how it ends", async () => {
  await using place = new Playground();
  await place.up();
  for (const [args, said] of [
    ["mcp", "serving one MCP client on stdin and stdout, until ^D; an agent starts it itself"],
    ["send", "one message a line, such as `femtoclaw send --help` shows, until ^D"],
  ] as const) {
    const child = spawn("script", ["-qec", `exec ${WORDS} ${args}`, "/dev/null"], {
      cwd: place.project,
      env: place.environment,
    });
    const seen = gathered(child.stdout);
    await expect.poll(() => plain(seen())).toContain(said);
    child.stdin.write("\u0004");
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
  }
  // In a pipe there is nobody to tell.
  expect(await place.run(["send"], { input: "" })).toMatchObject({ code: 0, stderr: "" });
});
