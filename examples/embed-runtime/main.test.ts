import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const EXPECTED = [
  expect.stringMatching(/^notes\.txt: AUTHORIZED by toml\/allow\.read\/1 \(record \d+\): "buy oat milk\\n"$/),
  expect.stringMatching(/^secrets\/key\.txt: DENIED_POLICY_VIOLATION by toml\/deny\.read\/1 \(record \d+\): /),
  expect.stringMatching(/^the journal holds 2 executions in \d+ records$/),
];

test("the example runs with one command and shows what it promises", async () => {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main], { timeout: 60_000 });
  expect(stdout.trim().split("\n")).toEqual(EXPECTED);
});
