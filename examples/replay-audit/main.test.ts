import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const EXPECTED = [
  "the agent reads notes.txt: AUTHORIZED",
  "the agent reads secrets/key.txt: DENIED_POLICY_VIOLATION",
  expect.stringMatching(/^the log: verified, \d+ records, the known key matches$/),
  expect.stringMatching(/^after record \d+: the runtime is executing, fs_read is permitted and has no outcome yet$/),
  "a copy in which a refusal says something else: tampered",
  expect.stringMatching(/^the snapshot after record \d+: proved by record \d+ of the signed log$/),
  "the records before it: recomputed, snapshots as recorded: 1",
  "the records after it: recomputed, and the same end as from the first record on",
];

test("the example runs with one command and shows what it promises", async () => {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main], { timeout: 60_000 });
  expect(stdout.trim().split("\n")).toEqual(EXPECTED);
});
