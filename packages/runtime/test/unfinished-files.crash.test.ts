/** A runtime that is killed while a call puts a file in its place leaves nothing that the next start does not remove. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { leaveReserve } from "@femtoclaw/testing";
import { expect, test } from "vitest";
import { recordsOf, temporaryHome } from "./runtime-fixture.ts";

const RUNTIME = fileURLToPath(new URL("../src/index.ts", import.meta.url));
const CONFIGURATION = {
  workspace: "workspace",
  memory: { path: "state" },
  host: { runtime_dir: "run" },
  capabilities: { fs_write: true as const },
  allow: { read: ["workspace"], write: ["workspace"] },
};

/** Kills itself before the step by which a file gets its name. */
const KILLED = `
  import fs from "node:fs/promises";
  import { syncBuiltinESMExports } from "node:module";
  const [runtimeModule, root, configuration, mode, path] = process.argv.slice(1);
  for (const step of ["link", "rename"]) {
    const real = fs[step];
    fs[step] = async (from, to) => {
      if (String(from).includes("/.femtoclaw-")) process.kill(process.pid, "SIGKILL");
      return await real(from, to);
    };
  }
  syncBuiltinESMExports();
  const { createRuntime, resolveConfiguration } = await import(runtimeModule);
  const runtime = await createRuntime({
    configuration: resolveConfiguration({
      configuration: JSON.parse(configuration),
      baseDirectory: root,
      environment: { HOME: root },
    }),
  });
  await using session = runtime.openSession({ channel: "agent" });
  await session.propose({ tool_call: { tool: "fs_write", args: { path, content: "new", mode } } });`;

test.each([
  ["create", "new"],
  ["overwrite", "old"],
])("with mode %s, of %s, and what only looks like a leftover stays", async (mode, path) => {
  const home = temporaryHome();
  const workspace = join(home.root, "workspace");
  const strangers = ".femtoclaw-0123456789abcdef.tmp";
  writeFileSync(join(workspace, "old"), "old");
  writeFileSync(join(workspace, strangers), "of another host, which may still write it");
  leaveReserve(home.state);
  const args = ["--input-type=module", "-e", KILLED, RUNTIME, home.root, JSON.stringify(CONFIGURATION), mode, path];
  const killed = promisify(execFile)(process.execPath, args);
  await expect(killed).rejects.toMatchObject({ signal: "SIGKILL" });
  expect(readdirSync(workspace)).toHaveLength(3);

  const runtime = await home.start({ configuration: CONFIGURATION });
  await expect.poll(() => readdirSync(workspace).toSorted()).toEqual([strangers, "old"]);
  expect(readFileSync(join(workspace, "old"), "utf8")).toBe("old");
  const records = await recordsOf(runtime.reader);
  expect(records.filter(({ type }) => type === "execution.interrupted")).toHaveLength(1);
  await runtime.close();
});
