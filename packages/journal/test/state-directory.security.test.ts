/** Who may own the state, and who may write to it. Attacks by another user need root to stage them. */
import { chmod, chown, lstat, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openStateDirectory } from "../src/index.ts";
import { temporaryDirectory } from "./journal-fixture.ts";

const STRANGER = 65_534;
const asRoot = it.runIf(process.geteuid?.() === 0);

async function made(): Promise<string> {
  const root = join(await temporaryDirectory(), "state");
  await openStateDirectory(root, { create: true });
  return root;
}

const opening = (path: string, create = false): Promise<unknown> => openStateDirectory(path, { create });

describe("openStateDirectory", () => {
  it("makes what is missing for its user alone, whatever the umask, and opens it again", async () => {
    const before = process.umask(0);
    try {
      const root = join(await temporaryDirectory(), "deep", "state");
      const directory = await openStateDirectory(root, { create: true });
      expect(directory).toEqual({ root, journal: join(root, "journal"), keys: join(root, "keys") });
      for (const path of [join(root, ".."), root, directory.journal, directory.keys]) {
        expect((await lstat(path)).mode & 0o777).toBe(0o700);
      }
      expect(await openStateDirectory(`${root}/`, { create: false })).toEqual(directory);
    } finally {
      process.umask(before);
    }
  });

  it("makes nothing unless asked to", async () => {
    const root = join(await temporaryDirectory(), "state");
    await expect(opening(root)).rejects.toMatchObject({ code: "FEMTO_STATE_NOT_FOUND" });
    await expect(lstat(root)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it.each([0o750, 0o705, 0o701, 0o770, 0o777, 0o1777, 0o500, 0o000])("refuses mode %o", async (mode) => {
    const root = await made();
    await chmod(root, mode);
    await expect(opening(root, true)).rejects.toMatchObject({
      code: "FEMTO_STATE_MODE",
      message: expect.stringContaining(`chmod 700 ${root}`) as string,
    });
    await chmod(root, 0o700);
  });

  it.each([0o720, 0o702, 0o777])("refuses a journal folder of mode %o", async (mode) => {
    const root = await made();
    await chmod(join(root, "journal"), mode);
    await expect(opening(root)).rejects.toMatchObject({ code: "FEMTO_STATE_MODE" });
  });

  it("refuses links, with and without a slash behind them", async () => {
    const root = await made();
    const link = `${root}-link`;
    await symlink(root, link);
    for (const path of [link, `${link}/`, `${link}/.`, `${link}//`]) {
      await expect(opening(path, true)).rejects.toMatchObject({ code: "FEMTO_STATE_OWNER" });
    }
    await rename(join(root, "journal"), `${root}-journal`);
    await symlink(`${root}-journal`, join(root, "journal"));
    await expect(opening(root, true)).rejects.toMatchObject({ code: "FEMTO_STATE_OWNER" });
  });

  it("refuses at once what a file system makes no folders in", async () => {
    for (const path of ["/proc/missing/state", "/proc/self/fd/state"]) {
      await expect(openStateDirectory(path, { create: true })).rejects.toMatchObject({
        code: "FEMTO_STATE_NOT_FOUND",
        cause: { code: "ENOENT", syscall: "mkdir" },
      });
    }
  });

  it("refuses a link or a file in the place of the earlier logs", async () => {
    const root = await made();
    await symlink(await temporaryDirectory(), join(root, "epochs"));
    await expect(opening(root, true)).rejects.toMatchObject({ code: "FEMTO_STATE_OWNER" });
    await rm(join(root, "epochs"));
    await writeFile(join(root, "epochs"), "");
    await expect(opening(root, true)).rejects.toMatchObject({ code: "FEMTO_STATE_OWNER" });
  });

  it("refuses a dangling link and a file", async () => {
    const folder = await temporaryDirectory();
    await symlink(join(folder, "nowhere"), join(folder, "link"));
    await writeFile(join(folder, "file"), "");
    for (const name of ["link", "file"]) {
      await expect(opening(join(folder, name), true)).rejects.toMatchObject({ code: "FEMTO_STATE_OWNER" });
    }
    await expect(lstat(join(folder, "nowhere"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  asRoot("refuses what belongs to another user", async () => {
    const root = await made();
    await chown(join(root, "journal"), STRANGER, STRANGER);
    await expect(opening(root, true)).rejects.toMatchObject({ code: "FEMTO_STATE_OWNER" });
    await chown(join(root, "journal"), 0, 0);
    await chown(root, STRANGER, STRANGER);
    await expect(opening(root, true)).rejects.toMatchObject({ code: "FEMTO_STATE_OWNER" });
  });

  asRoot("is not helped into a folder that a stranger made first", async () => {
    const root = join(await temporaryDirectory(), "state");
    await mkdir(root, { mode: 0o700 });
    await chown(root, STRANGER, STRANGER);
    await expect(opening(root, true)).rejects.toMatchObject({ code: "FEMTO_STATE_OWNER" });
    await expect(lstat(join(root, "journal"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
