/** An executable is built while a host runs from the one before. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { writeExecutable } from "../binary/write-executable.ts";

test("takes the place of one that runs, which goes on", async () => {
  const folder = mkdtempSync(join(tmpdir(), "femtoclaw-written-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "program");
  copyFileSync("/usr/bin/sleep", path);
  const running = spawn(path, ["600"]);
  await once(running, "spawn");
  writeExecutable(path, readFileSync("/usr/bin/echo"));
  expect(String(execFileSync(path, ["built"]))).toBe("built\n");
  expect(readdirSync(folder)).toEqual(["program"]);
  expect(running.exitCode).toBeNull();
  running.kill();
  expect((await once(running, "exit"))[1]).toBe("SIGTERM");
});
