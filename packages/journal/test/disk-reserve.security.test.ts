/** The reserve is real room, taken only where there is enough of it, and nobody else's file. */
import { existsSync } from "node:fs";
import { chown, link, lstat, mkdir, mkdtemp, readdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyState, HAS_SMALL_DISK, leaveReserve, SmallDisk } from "@femtoclaw/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { DiskReserve, MARGIN_BYTES, RESERVE_BYTES } from "../src/index.ts";

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "femtoclaw-reserve-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function takenIn(folder: string): Promise<DiskReserve> {
  const reserve = await DiskReserve.open(folder);
  expect(await reserve.take()).toBe(true);
  return reserve;
}

describe("the reserve", () => {
  it("is bytes on the disk, found again by the next host, and gone when it is given up", async () => {
    const folder = await temporaryFolder();
    const reserve = await takenIn(folder);
    const status = await lstat(join(folder, "reserve"));
    expect([status.size, status.mode & 0o777]).toEqual([RESERVE_BYTES, 0o600]);
    expect(status.blocks * 512).toBeGreaterThanOrEqual(RESERVE_BYTES);
    const next = await DiskReserve.open(folder);
    expect(next.held).toBe(true);
    await Promise.all([reserve.giveUp(), reserve.giveUp()]);
    expect([reserve.held, await readdir(folder)]).toEqual([false, []]);
    await next.giveUp();
    expect((await DiskReserve.open(folder)).held).toBe(false);
  });

  it.runIf(existsSync("/usr/bin/fallocate"))("that tests leave, and copy, is one that a host has taken", async () => {
    const [state, copy] = [join(await temporaryFolder(), "state"), join(await temporaryFolder(), "copy")];
    leaveReserve(state);
    await writeFile(join(state, "identity"), "its own");
    copyState(state, copy);
    for (const folder of [state, copy]) {
      expect((await lstat(join(folder, "reserve"))).mode & 0o777).toBe(0o600);
      expect((await DiskReserve.open(folder)).held).toBe(true);
      expect(await readdir(folder)).toEqual(["identity", "reserve"]);
    }
  });

  it.each<readonly [string, (path: string) => Promise<void>]>([
    ["cut short by a crash", (path) => truncate(path, RESERVE_BYTES - 1)],
    ["full of holes", async (path) => truncate(path, 0).then(() => truncate(path, RESERVE_BYTES))],
    ["with a second name", (path) => link(path, `${path}-elsewhere`)],
  ])("%s is no room, and is made anew", async (_, spoil) => {
    const folder = await temporaryFolder();
    await takenIn(folder);
    await spoil(join(folder, "reserve"));
    const reserve = await DiskReserve.open(folder);
    expect(reserve.held).toBe(false);
    expect(await reserve.take()).toBe(true);
    const { blocks, nlink } = await lstat(join(folder, "reserve"));
    expect([blocks * 512 >= RESERVE_BYTES, nlink]).toEqual([true, 1]);
  });

  it.each<readonly [string, (path: string) => Promise<void>]>([
    ["a link to somebody's file", async (path) => symlink("/etc/hostname", path)],
    ["a link that leads nowhere", async (path) => symlink("/nowhere", path)],
    ["a folder", async (path) => void (await mkdir(path))],
    ...(process.geteuid?.() === 0
      ? [
          [
            "a file of another user",
            async (path: string): Promise<void> => writeFile(path, "theirs").then(() => chown(path, 65_534, 65_534)),
          ] as const,
        ]
      : []),
  ])("in whose place there is %s is refused, and that stays as it is", async (_, put) => {
    const folder = await temporaryFolder();
    const path = join(folder, "reserve");
    await put(path);
    const before = await lstat(path);
    await expect(DiskReserve.open(folder)).rejects.toMatchObject({ code: "FEMTO_STATE_OWNER" });
    expect((await lstat(path)).ino).toBe(before.ino);
  });

  it("that is put away while a host runs does not keep it from going on", async () => {
    const folder = await temporaryFolder();
    const reserve = await takenIn(folder);
    await rm(join(folder, "reserve"));
    await reserve.giveUp();
    expect(await reserve.take()).toBe(true);
  });
});

describe.runIf(HAS_SMALL_DISK)("the reserve on a small disk", () => {
  it("is not taken where it would leave no margin, and is when there is one", async () => {
    using disk = new SmallDisk(RESERVE_BYTES + 2 * MARGIN_BYTES);
    const reserve = await DiskReserve.open(disk.path);
    expect(await reserve.freeBytes()).toBe(disk.freeBytes);
    disk.fill();
    expect(await reserve.take()).toBe(false);
    expect(await readdir(disk.path)).toEqual(["ballast"]);
    disk.clear();
    expect(await reserve.take()).toBe(true);
    expect(disk.freeBytes).toBeLessThanOrEqual(2 * MARGIN_BYTES);
    disk.fill();
    await reserve.giveUp();
    expect(disk.freeBytes).toBe(RESERVE_BYTES);
    // There is room for the reserve now and none beside it.
    expect(await reserve.take()).toBe(false);
  });

  it("that the disk has no room for in the middle leaves nothing behind", async () => {
    using disk = new SmallDisk(RESERVE_BYTES + 2 * MARGIN_BYTES);
    const reserve = await DiskReserve.open(disk.path);
    const taken = reserve.take();
    disk.fill();
    if (await taken) await reserve.giveUp();
    expect([reserve.held, await readdir(disk.path)]).toEqual([false, ["ballast"]]);
  });
});
