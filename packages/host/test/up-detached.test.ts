/** A host that cannot even be started is a fault of the command that wanted it, and no end of its process. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { CommandContext } from "../src/commands/command-context.ts";
import { startDetached } from "../src/commands/host/up-detached.ts";

test("a system that starts no process is told of", async () => {
  const folder = mkdtempSync(join(tmpdir(), "femtoclaw-detached-"));
  const { execPath } = process;
  onTestFinished(() => {
    process.execPath = execPath;
    rmSync(folder, { recursive: true });
  });
  process.execPath = join(folder, "none");
  const context = new CommandContext({ quiet: true });
  const loaded = { resolved: { stateDirectory: join(folder, "state") } };
  await expect(startDetached(Object.assign(context, { load: () => loaded }))).rejects.toMatchObject({
    code: "FEMTO_SURROUNDINGS",
    message: expect.stringContaining("ENOENT"),
  });
});
