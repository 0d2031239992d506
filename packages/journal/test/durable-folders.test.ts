/** Names of new folders are as durable as what is put into them: each folder that got a new name in it is synced. */
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
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
  mkdirSync(join(home, "there/in-use"), { recursive: true });
  const synced = await watchSyncs();
  await openStateDirectory(join(home, "there/a/b/c"), { create: true });
  for (const folder of ["there", "there/a", "there/a/b", "there/a/b/c"]) expect(synced).toContain(join(home, folder));
  expect(synced).not.toContain(home);
});

it("of an empty state directory, which a process may have left that was killed before it synced it", async () => {
  const home = temporary();
  mkdirSync(join(home, "there/state"), { recursive: true, mode: 0o700 });
  mkdirSync(join(home, "in-use"));
  const synced = await watchSyncs();
  await openStateDirectory(join(home, "there/state"), { create: true });
  for (const folder of [home, join(home, "there"), join(home, "there/state")]) expect(synced).toContain(folder);
  expect(synced).not.toContain(tmpdir());
});

it.each(["journal", "keys"])("of an empty folder %s in it, for the same reason", async (left) => {
  const home = temporary();
  const { root, ...folders } = await openStateDirectory(join(home, "state"), { create: true });
  for (const [name, folder] of Object.entries(folders)) if (name !== left) writeFileSync(join(folder, "file"), "");
  const synced = await watchSyncs();
  await openStateDirectory(root, { create: true });
  expect(synced).toEqual([root]);
});

it("of a folder above the new ones that holds nothing else, because a killed process may have left it", async () => {
  const home = temporary();
  mkdirSync(join(home, "left"));
  mkdirSync(join(home, "in-use"));
  const synced = await watchSyncs();
  await replaceFile(join(home, "left/new"), "name", "text");
  for (const folder of [home, join(home, "left"), join(home, "left/new")]) expect(synced).toContain(folder);
});

it("of none, once the state directory is in use", async () => {
  const home = temporary();
  const { journal, keys } = await openStateDirectory(join(home, "state"), { create: true });
  for (const folder of [journal, keys]) writeFileSync(join(folder, "file"), "");
  const synced = await watchSyncs();
  await openStateDirectory(join(home, "state"), { create: true });
  expect(synced).toEqual([]);
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
