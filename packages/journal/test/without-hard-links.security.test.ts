/** Keys on a file system that has no hard links, such as FAT. */
import type { KeyObject } from "node:crypto";
import fs, { open, readdir, stat } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FileKeyring } from "../src/index.ts";
import { temporaryDirectory } from "./journal-fixture.ts";

const { link } = fs;
beforeAll(() => {
  // The kernel looks the old name up before it refuses the new one.
  fs.link = async (from) => {
    await stat(from);
    throw Object.assign(new Error("EPERM: operation not permitted, link"), { code: "EPERM" });
  };
  syncBuiltinESMExports();
});
afterAll(() => {
  fs.link = link;
  syncBuiltinESMExports();
});

const privately = (key: KeyObject | null): unknown => key?.export({ format: "jwk" }).d;

it("takes the next key into use there too, and overwrites the one before it", async () => {
  const folder = join(await temporaryDirectory(), "..", "keys");
  const keyring = new FileKeyring(folder);
  await keyring.prepare();
  await keyring.install();
  await using old = await open(join(folder, "log.pem"));
  const next = privately(await keyring.prepare());
  await keyring.install();
  expect(privately(await keyring.current())).toBe(next);
  expect(await readdir(folder)).toEqual(["log.pem"]);
  expect((await old.readFile()).every((byte) => byte === 0)).toBe(true);
});
