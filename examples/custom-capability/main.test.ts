import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const EXPECTED = [
  "DENIED_CAPABILITY_DISABLED: the capability word_count was not accepted by an operator yet",
  'AUTHORIZED: {"words":6}',
  "DENIED_POLICY_VIOLATION: the rule toml/deny.read/1 forbids this use of word_count; other uses of it may be permitted",
];

test("the example runs with one command and shows what it promises", async () => {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main], { timeout: 60_000 });
  expect(stdout.trim().split("\n")).toEqual(EXPECTED);
});
