import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const EXPECTED = [
  "model: I look at the notes.",
  expect.stringMatching(/^gate: .*"type":"text","value":".*buy oat milk/),
  expect.stringMatching(/^gate: .*"error-text","value":"DENIED_POLICY_VIOLATION: .*toml\/deny\.read\/1/),
  "model: Buy oat milk; the key is none of my business.",
];

test("the example runs with one command and shows what it promises", async () => {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main], { timeout: 60_000 });
  expect(stdout.trim().split("\n")).toEqual(EXPECTED);
});
