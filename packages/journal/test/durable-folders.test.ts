/** Names of new folders are as durable as what is put into them: each folder that got a new name in it is synced. */
import { mkdirSync, mkdtempSync, readlinkSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { replaceFile } from "../src/state-directory/replace-file.ts";
import { openStateDirectory } from "../src/state-directory/state-directory.ts";

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "femtoclaw-durable-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The paths that are synced from now on. */
async function watchSyncs(): Promise<string[]> {
  const synced: string[] = [];
  await using any = await open(tmpdir());
  const spy = vi.spyOn(Object.getPrototypeOf(any) as FileHandle, "sync").mockImplementation(async function (
    this: FileHandle,
  ) {
    synced.push(readlinkSync(`/proc/self/fd/${this.fd}`));
  });
  onTestFinished(() => spy.mockRestore());
  return synced;
}

it("of a state directory and all folders above it that were missing", async () => {
  const home = temporary();
  mkdirSync(join(home, "there"));
  const synced = await watchSyncs();
  await openStateDirectory(join(home, "there/a/b/c"), { create: true });
  for (const folder of ["there", "there/a", "there/a/b", "there/a/b/c"]) expect(synced).toContain(join(home, folder));
  expect(synced).not.toContain(home);
});

it("of the folder of a file that is replaced", async () => {
  const home = temporary();
  const synced = await watchSyncs();
  await replaceFile(join(home, "a/b"), "name", "text");
  for (const folder of [home, join(home, "a"), join(home, "a/b")]) expect(synced).toContain(folder);
  synced.length = 0;
  await replaceFile(join(home, "a/b"), "name", "text");
  expect(synced).not.toContain(join(home, "a"));
});
