import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const EXPECTED = [
  'AUTHORIZED: {"words":6}',
  "DENIED_ARGUMENT_INVALID: arguments: the value has the unknown field `language`",
];

test("the example runs with one command and shows what it promises", async () => {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main], { timeout: 60_000 });
  expect(stdout.trim().split("\n")).toEqual(EXPECTED);
});
