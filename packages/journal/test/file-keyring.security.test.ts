/** Keys on a disk: who may read them, and what each step of a rotation leaves behind when it is the last. */
import type { KeyObject } from "node:crypto";
import {
  chmod,
  chown,
  link,
  lstat,
  open,
  readdir,
  readFile,
  rename,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { FileKeyring } from "@femtoclaw/journal";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "./journal-fixture.ts";

const STRANGER = 65_534;
const asRoot = it.runIf(process.geteuid?.() === 0);
const privately = (key: KeyObject | null): unknown => key?.export({ format: "jwk" }).d;

async function made(): Promise<{ folder: string; keyring: FileKeyring; file: string; key: unknown }> {
  const folder = join(await temporaryDirectory(), "..", "keys");
  const keyring = new FileKeyring(folder);
  const key = privately(await keyring.prepare());
  await keyring.install();
  return { folder, keyring, file: join(folder, "log.pem"), key };
}

describe("FileKeyring", () => {
  it("makes a key for its user alone, whatever the umask, and gives it back", async () => {
    const before = process.umask(0);
    try {
      const { folder, keyring, file, key } = await made();
      expect((await lstat(file)).mode & 0o777).toBe(0o600);
      expect(await readdir(folder)).toEqual(["log.pem"]);
      expect(await readFile(file, "latin1")).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
      expect(privately(await keyring.current())).toBe(key);
      expect(await keyring.next()).toBeNull();
    } finally {
      process.umask(before);
    }
  });

  it.each([0o640, 0o604, 0o660, 0o601, 0o777])("refuses mode %o", async (mode) => {
    const { keyring, file } = await made();
    await chmod(file, mode);
    await expect(keyring.current()).rejects.toMatchObject({
      code: "FEMTO_STATE_MODE",
      fix: expect.stringContaining(`chmod 600 ${file}`) as string,
    });
  });

  it("refuses links, folders and what is no key", async () => {
    const { folder, keyring, file } = await made();
    await rename(file, join(folder, "elsewhere"));
    await symlink(join(folder, "elsewhere"), file);
    await expect(keyring.current()).rejects.toMatchObject({ code: "FEMTO_STATE_OWNER" });
    await unlink(file);
    for (const text of [
      "",
      "no key",
      "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
      "x".repeat(100_000),
    ]) {
      await writeFile(file, text, { mode: 0o600 });
      await expect(keyring.current()).rejects.toMatchObject({ code: "FEMTO_KEY_MISMATCH" });
    }
    expect(await new FileKeyring(join(folder, "nowhere")).current()).toBeNull();
  });

  asRoot("refuses a stranger's file", async () => {
    const { keyring, file } = await made();
    await chown(file, STRANGER, STRANGER);
    await expect(keyring.current()).rejects.toMatchObject({ code: "FEMTO_STATE_OWNER" });
  });

  it("overwrites the key that another one takes the place of", async () => {
    const { folder, keyring, file, key } = await made();
    const old = await open(file, "r");
    const next = privately(await keyring.prepare());
    expect((await lstat(join(folder, "next.pem"))).mode & 0o777).toBe(0o600);
    expect(privately(await keyring.current())).toBe(key);
    await keyring.install();
    expect(privately(await keyring.current())).toBe(next);
    expect(await readdir(folder)).toEqual(["log.pem"]);
    expect((await old.readFile()).every((byte) => byte === 0)).toBe(true);
    await old.close();
  });

  it("forgets a next key that was never named, also one that is cut", async () => {
    const { folder, keyring, key } = await made();
    await keyring.prepare();
    await writeFile(join(folder, "next.pem"), "-----BEGIN PRIV", { mode: 0o600 });
    expect(await keyring.next()).toBeNull();
    const next = privately(await keyring.prepare());
    expect(privately(await keyring.next())).toBe(next);
    await keyring.discard();
    expect(await readdir(folder)).toEqual(["log.pem"]);
    expect(privately(await keyring.current())).toBe(key);
  });

  // The steps of `install` are link, rename, overwrite, unlink: a crash after each.
  it("never overwrites the key in force, whose second name a crash left behind", async () => {
    const { folder, keyring, file, key } = await made();
    await link(file, join(folder, "retired.pem"));
    await keyring.discard();
    expect(privately(await keyring.current())).toBe(key);
    expect(await readdir(folder)).toEqual(["log.pem"]);

    await link(file, join(folder, "retired.pem"));
    const next = privately(await keyring.prepare());
    await link(file, join(folder, "retired.pem"));
    await keyring.install();
    expect(privately(await keyring.current())).toBe(next);
    expect(await readdir(folder)).toEqual(["log.pem"]);
  });

  it("destroys an old key that a crash kept from being destroyed", async () => {
    const { folder, keyring, file } = await made();
    const next = privately(await keyring.prepare());
    await link(file, join(folder, "retired.pem"));
    await rename(join(folder, "next.pem"), file);
    await keyring.discard();
    expect(privately(await keyring.current())).toBe(next);
    expect(await readdir(folder)).toEqual(["log.pem"]);
  });

  it("says so when it cannot write", async () => {
    const keyring = new FileKeyring(join(await temporaryDirectory(), "nowhere"));
    await expect(keyring.prepare()).rejects.toMatchObject({ code: "FEMTO_JOURNAL_WRITE_FAILED" });
  });
});
