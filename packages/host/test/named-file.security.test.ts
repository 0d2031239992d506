/** Keys, checkpoints, proofs and records that an auditor is handed are files of strangers. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { chatModel } from "../src/chat/chat-model.ts";
import { fileText } from "../src/commands/audit/audit.ts";

test("a file that is larger than any of them is not read into memory", () => {
  const folder = mkdtempSync("/tmp/fn-");
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "proof");
  writeFileSync(path, "a key\n");
  expect(fileText(path)).toBe("a key");
  truncateSync(path, 1_048_576);
  expect(fileText(path, { trim: false })).toHaveLength(1_048_576);
  truncateSync(path, 1_048_577);
  expect(() => fileText(path)).toThrow(/has more than 1048576 bytes/);
  // What has no end has no size either.
  expect(() => fileText("/dev/zero")).toThrow(/has more than 1048576 bytes/);
});

test("a script of a chat that is larger than any is not read into memory", async () => {
  const folder = mkdtempSync("/tmp/fn-");
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const place = { cwd: folder, environment: {} };
  writeFileSync(join(folder, "script"), '[{"text":"Hello."}]');
  expect((await chatModel({ script: "script" }, undefined, place)).about).toContain("a script of 1 answer,");
  truncateSync(join(folder, "script"), 16_777_217);
  for (const script of ["script", "/dev/zero"]) {
    await expect(chatModel({ script }, undefined, place)).rejects.toThrow(/has more than 16777216 bytes/);
  }
});
