/** A fork or a restore that is there is done, whether anybody can look at its log or not. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { CommandContext } from "../src/commands/command-context.ts";
import { meetBegun } from "../src/commands/recovery/begun-log.ts";

test("a log that cannot be looked at once it was begun is told of, and its maker has not failed", async () => {
  const folder = mkdtempSync("/tmp/fb-");
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const context = new CommandContext({}, { HOME: folder });
  const said: string[] = [];
  Object.assign(context, { output: { ...context.output, talk: (text: string) => said.push(text) } });
  await meetBegun(context, join(folder, "nothing-there"));
  expect(said).toEqual([expect.stringMatching(/^the new log could not be remembered, .*nothing-there/)]);
});
