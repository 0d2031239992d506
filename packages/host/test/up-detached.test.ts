/** A host that cannot be started, or that says nothing, is a fault of the command that wanted it, and no end of its process. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FemtoError } from "@femtoclaw/protocol";
import { expect, onTestFinished, test, vi } from "vitest";
import { CommandContext } from "../src/commands/command-context.ts";
import { startDetached } from "../src/commands/host/up-detached.ts";

/** A command that is about to start this program as its host, and what it has told so far. */
function startOf(program: string | null) {
  const folder = mkdtempSync(join(tmpdir(), "femtoclaw-detached-"));
  const { execPath } = process;
  onTestFinished(() => {
    process.execPath = execPath;
    rmSync(folder, { recursive: true });
  });
  process.execPath = join(folder, "program");
  if (program !== null) writeFileSync(process.execPath, `#!/bin/sh\n${program}\n`);
  if (program !== null) chmodSync(process.execPath, 0o700);
  const told: string[] = [];
  const context = new CommandContext({ quiet: true });
  const load = () => ({ resolved: { stateDirectory: join(folder, "state") } });
  const output = { ...context.output, talk: (line: string) => void told.push(line) };
  return { told, started: () => startDetached(Object.assign(context, { load, output })) };
}

test("a system that starts no process is told of", async () => {
  await expect(startOf(null).started()).rejects.toMatchObject({
    code: "FEMTO_SURROUNDINGS",
    message: expect.stringContaining("ENOENT"),
  });
});

test("a host that says nothing is told of after a while, and is ended after five minutes", async () => {
  const warning = '{"at":"2026-01-01T00:00:00Z","level":"error","event":"memory.changed","reason":"no room"}';
  const { told, started } = startOf(`echo '${warning}' >&2; exec sleep 600`);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const starting = started().catch((error: unknown) => error);
  while (vi.getTimerCount() < 2) await new Promise((resolve) => setImmediate(resolve));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(told[0]).toMatch(/^the host has not come up yet: process \d+, log in .*host\.log$/);
  const pid = Number(/process (\d+)/.exec(told[0] ?? "")?.[1]);
  expect(process.kill(pid, 0)).toBe(true);
  await vi.advanceTimersByTimeAsync(289_000);
  expect(await Promise.race([starting, Promise.resolve("waits")])).toBe("waits");
  await vi.advanceTimersByTimeAsync(1_000);
  const fault = await starting;
  expect(fault).toBeInstanceOf(FemtoError);
  expect(fault).toMatchObject({
    code: "FEMTO_HOST_SILENT",
    message: expect.stringMatching(`^the host did not come up within 300 s, and process ${pid} was ended`),
  });
  vi.useRealTimers();
  await expect.poll(() => isThere(pid)).toBe(false);
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
