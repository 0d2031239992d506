/** Why a file could not be written is told, even where what was written of it cannot be removed either. */
import fs from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { expect, onTestFinished, test } from "vitest";
import { initProject } from "../src/configuration/init-project.ts";
import { replaceFile, replaceLink, writeNewFile } from "../src/installation/durable-files.ts";
import { writeNew } from "../src/new-file.ts";
import { TemporaryHome } from "./configuration/temporary-home.ts";

const fault = (code: string): Error => Object.assign(new Error(`${code}: injected`), { code });

/** From now on files lack room, and none can be removed because the disk fails. */
async function failing({ sync: isSyncFull }: { readonly sync: boolean }): Promise<void> {
  const { linkSync, renameSync, rmSync } = fs;
  const { rm } = promises;
  await using handle = await promises.open("/dev/null");
  const prototype = Object.getPrototypeOf(handle) as { sync(): Promise<void> };
  const { sync } = prototype;
  const full = (): never => {
    throw fault("ENOSPC");
  };
  const broken = (): never => {
    throw fault("EIO");
  };
  Object.assign(fs, { linkSync: full, renameSync: full, rmSync: broken });
  Object.assign(promises, { rm: async () => broken() });
  if (isSyncFull) Object.assign(prototype, { sync: async () => full() });
  syncBuiltinESMExports();
  onTestFinished(() => {
    Object.assign(fs, { linkSync, renameSync, rmSync });
    Object.assign(promises, { rm });
    Object.assign(prototype, { sync });
    syncBuiltinESMExports();
  });
}

test("of an installation", async () => {
  const home = new TemporaryHome();
  onTestFinished(() => home[Symbol.dispose]());
  await failing({ sync: false });
  expect(() => writeNewFile(home.path("a"), "x", 0o600)).toThrow("ENOSPC");
  expect(() => replaceFile(home.path("b"), "x")).toThrow("ENOSPC");
  expect(() => replaceLink(home.path("c"), "x")).toThrow("ENOSPC");
});

test("of a project", async () => {
  const home = new TemporaryHome();
  onTestFinished(() => home[Symbol.dispose]());
  await failing({ sync: false });
  const { environment } = home;
  const project = initProject({ directory: "p", preset: "read-only", cwd: home.root, environment });
  await expect(project).rejects.toThrow("first.test.toml cannot be written (ENOSPC)");
});

test("of an output", async () => {
  const home = new TemporaryHome();
  onTestFinished(() => home[Symbol.dispose]());
  await failing({ sync: true });
  await expect(writeNew(home.path("out"), "x")).rejects.toThrow("cannot be written: ENOSPC");
});
