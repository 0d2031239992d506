import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const EXPECTED = [
  "model: I look at the notes.",
  "gate: fs_read",
  "  bytes: 13",
  expect.stringMatching(/^ {2}sha256: [0-9a-f]{64}$/),
  "  content:",
  "  buy oat milk",
  "gate: fs_read",
  expect.stringMatching(/^ {2}DENIED_POLICY_VIOLATION: the rule toml\/deny\.read\/1 forbids/),
  "  code: FEMTO_POLICY_FORBIDDEN",
  expect.stringMatching(/^ {2}what to do: /),
  "  rules: toml/deny.read/1",
  "model: Buy oat milk; the key is none of my business.",
];

test("the example runs with one command and shows what it promises", async () => {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main], { timeout: 60_000 });
  expect(stdout.trim().split("\n")).toEqual(EXPECTED);
});
