import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test("the example runs with one command and shows what it promises", async () => {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main], { timeout: 60_000 });
  // The root, its four subsystems, the parent of executions, and one execution that ran to its end.
  expect(stdout).toContain("7 actors were seen");
  expect(stdout).toMatch(/^ {2}lifecycle: \d+ events, then .*phase terminated/m);
  expect(stdout).toMatch(/^ {2}executions: \d+ events, then stopped$/m);
  expect(stdout).toMatch(/^ {2}[0-9a-f-]{36}: \d+ events, then completed$/m);
  expect(stdout).not.toContain("undefined");
});
