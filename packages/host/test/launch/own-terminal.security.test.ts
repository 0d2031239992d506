/** Output that has no reader any more holds nobody up. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";

/** More than a stream holds before it asks its writer to wait. */
const SCRIPT = `
import { OwnTerminal } from ${JSON.stringify(join(import.meta.dirname, "../../src/launch/own-terminal.ts"))};
process.stderr.on("error", () => undefined);
await new Promise((resolve) => process.stdin.once("data", resolve));
using terminal = new OwnTerminal();
for (let piece = 0; piece < 3; piece += 1) await terminal.write("stderr", Buffer.alloc(65536, "x"));
console.log("it went on");
process.exit();
`;

test("an agent's errors that nobody reads any more do not hold up its launch", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", SCRIPT], { stdio: "pipe" });
  let said = "";
  child.stdout.on("data", (text) => {
    said += String(text);
  });
  child.stderr.destroy();
  await once(child.stderr, "close");
  child.stdin.write("go\n");
  const late = setTimeout(() => child.kill(), 15_000);
  await once(child, "close");
  clearTimeout(late);
  expect(said).toBe("it went on\n");
});
