/** Files that are made or moved while the file system fails at a step, or somebody else takes a name away meanwhile. */
import { constants, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { Playground } from "./playground.ts";

/** What happens before or after a step of the file system, by its name. */
type Meanwhile = Readonly<
  Partial<Record<"link" | "unlink" | "mkdir" | "lstat" | "rename", (path: string) => void>> & {
    readonly open?: (flags: number) => void;
  }
>;
let before: Meanwhile = {};
let after: Meanwhile = {};

const { link, unlink, mkdir, lstat, rename, open } = fs;
beforeAll(() => {
  fs.link = async (from, to) => {
    before.link?.(String(to));
    await link(from, to);
    after.link?.(String(to));
  };
  fs.unlink = async (path) => {
    before.unlink?.(String(path));
    await unlink(path);
    after.unlink?.(String(path));
  };
  Object.assign(fs, {
    mkdir: async (path: string) => {
      before.mkdir?.(path);
      await mkdir(path);
      after.mkdir?.(path);
    },
    rename: async (from: string, to: string) => {
      before.rename?.(to);
      await rename(from, to);
    },
    lstat: async (path: string | Buffer, options: object) => {
      before.lstat?.(String(path));
      return await lstat(path, options);
    },
    open: async (path: string, flags: number, mode?: number) => {
      before.open?.(flags);
      return await open(path, flags, mode);
    },
  });
  syncBuiltinESMExports();
});
afterAll(() => {
  Object.assign(fs, { link, unlink, mkdir, lstat, rename, open });
  syncBuiltinESMExports();
});

const fails = (code: string) => (): never => {
  throw Object.assign(new Error(`${code}: injected`), { code });
};
const names = (place: Playground): string[] => readdirSync(join(place.workspace, "out")).sort();

beforeEach(() => {
  before = {};
  after = {};
});

it("a file whose old name goes away while it is moved does not stay under the new one", async () => {
  using place = new Playground();
  const old = place.file("out/a", "words");
  after = { link: () => rmSync(old) };
  const outcome = await place.call("fs_move", { from: "out/a", to: "out/b" });
  expect(outcome).toMatchObject({ event: "failed", code: "FEMTO_FILE_CHANGED" });
  expect(names(place)).toEqual([]);
});

it("a file whose old name cannot be taken away stays where it was", async () => {
  using place = new Playground();
  place.file("out/a", "words");
  before = { unlink: (path) => void (path.endsWith("/a") && fails("EPERM")()) };
  const outcome = await place.call("fs_move", { from: "out/a", to: "out/b" });
  expect(outcome).toMatchObject({ event: "failed", code: "FEMTO_OS_REFUSED" });
  expect(names(place)).toEqual(["a"]);
  expect(readFileSync(join(place.workspace, "out/a"), "utf8")).toBe("words");
});

it("a file whose old name goes away at the last step has been moved", async () => {
  using place = new Playground();
  const old = place.file("out/a", "words");
  before = { unlink: (path) => void (path.endsWith("/a") && rmSync(old)) };
  expect(await place.call("fs_move", { from: "out/a", to: "out/b" })).toMatchObject({ event: "succeeded" });
  expect(names(place)).toEqual(["b"]);
});

it("why a file could not be made is told, even where its temporary name cannot be taken away", async () => {
  using place = new Playground();
  place.file("out/a", "words");
  before = { link: fails("ENOSPC"), unlink: fails("EIO") };
  const outcome = await place.call("fs_write", { path: "out/b", content: "x", mode: "create" });
  expect(outcome).toMatchObject({ event: "failed", reason: expect.stringContaining("ENOSPC") as string });
});

it.each([
  ["fs_write", { path: "out/b", content: "x", mode: "create" }],
  ["fs_move", { from: "out/a", to: "out/b" }],
])("%s says that the file system has no hard links", async (tool, args) => {
  using place = new Playground();
  place.file("out/a", "words");
  before = { link: fails("EPERM") };
  const outcome = await place.call(tool, args);
  expect(outcome).toMatchObject({
    ...{ event: "failed", code: "FEMTO_OS_REFUSED" },
    reason: expect.stringContaining("hard link") as string,
  });
  expect(names(place)).toEqual(["a"]);
});

it.each([
  ["fs_write", { path: "out/b", content: "x", mode: "create" }],
  ["fs_write", { path: "out/a", content: "x", mode: "overwrite" }],
  ["fs_edit", { path: "out/a", old: "words", new: "x" }],
  ["fs_move", { from: "out/a", to: "out/b" }],
  ["fs_move", { from: "out/empty", to: "out/b" }],
  ["fs_delete", { path: "out/a" }],
  ["fs_delete", { path: "out/empty" }],
  ["fs_mkdir", { path: "out/b" }],
])("%s changes nothing in a folder that the host may not read (%#)", async (tool, args) => {
  using place = new Playground();
  place.file("out/a", "words");
  mkdirSync(join(place.workspace, "out/empty"));
  before = { open: (flags) => void ((flags & constants.O_DIRECTORY) !== 0 && fails("EACCES")()) };
  const outcome = await place.call(tool, args);
  const reason = expect.stringContaining("may not read the folder") as string;
  expect(outcome).toMatchObject({ event: "failed", code: "FEMTO_OS_REFUSED", reason });
  expect(names(place)).toEqual(["a", "empty"]);
  expect(readFileSync(join(place.workspace, "out/a"), "utf8")).toBe("words");
});

it("a file is made, even where somebody else takes its temporary name away", async () => {
  using place = new Playground();
  before = { unlink: (path) => rmSync(path) };
  const outcome = await place.call("fs_write", { path: "out/b", content: "x", mode: "create" });
  expect(outcome).toMatchObject({ event: "succeeded", result: { bytes: 1 } });
  expect(names(place)).toEqual(["b"]);
});

it("a file that somebody else takes away at its new place has been moved", async () => {
  using place = new Playground();
  place.file("out/a", "words");
  after = { unlink: () => rmSync(join(place.workspace, "out/b")) };
  expect(await place.call("fs_move", { from: "out/a", to: "out/b" })).toMatchObject({ event: "succeeded" });
});

it("nothing is added to a file that has lost its name", async () => {
  using place = new Playground();
  const path = place.file("out/a", "words");
  const between = (): void => rmSync(path);
  const outcome = await place.call("fs_write", { path: "out/a", content: "x", mode: "append" }, { between });
  expect(outcome).toMatchObject({ event: "failed", code: "FEMTO_FILE_CHANGED" });
});

it("a call that has made a folder is not called cancelled", async () => {
  using place = new Playground();
  const cancelled = new AbortController();
  after = { mkdir: () => cancelled.abort() };
  const args = { path: "out/b/c/d", parents: true };
  const outcome = await place.call("fs_mkdir", args, { signal: cancelled.signal });
  expect(outcome).toMatchObject({ event: "succeeded", result: { created: 3 } });
  expect(existsSync(join(place.workspace, "out/b/c/d"))).toBe(true);
});

it.each([
  ["the system refuses", fails("ENOSPC"), "FEMTO_OS_REFUSED"],
  ["somebody else makes", (path: string) => mkdirSync(path), "FEMTO_FILE_EXISTS"],
])("of folders of which %s one, it is said how many were made", async (_, mkdirOf, code) => {
  using place = new Playground();
  before = { mkdir: (path) => void (path.endsWith("/d") && mkdirOf(path)) };
  const outcome = await place.call("fs_mkdir", { path: "out/b/c/d", parents: true });
  const reason = expect.stringContaining("2 of 3 folders were made") as string;
  expect(outcome).toMatchObject({ event: "failed", code, reason });
});

it("a name that cannot be examined keeps nobody from the others", async () => {
  using place = new Playground();
  for (const name of ["a", "broken", "c"]) place.file(`out/${name}`, "");
  before = { lstat: (path) => void (path.endsWith("/broken") && fails("ENOTCONN")()) };
  const outcome = await place.call("fs_list", { path: "out" });
  const entries = [{ name: "a" }, { name: "c" }];
  expect(outcome).toMatchObject({ event: "succeeded", result: { entries, truncated: true } });
});

it.each<[string, () => void, { readonly name: string; readonly reason: string }]>([
  ["is moved back", () => undefined, { name: "a", reason: "changed after the decision" }],
  ["is named where it cannot be moved back", fails("EBUSY"), { name: "b", reason: "out/b now" }],
])("another folder that takes the old name in the last moment %s", async (_, back, expected) => {
  using place = new Playground();
  place.file("out/a/words");
  place.file("other/else");
  const old = join(place.workspace, "out/a");
  before = {
    rename: (to) => {
      if (to.endsWith("/a")) back();
      else {
        renameSync(old, join(place.workspace, "taken"));
        renameSync(join(place.workspace, "other"), old);
      }
    },
  };
  const outcome = await place.call("fs_move", { from: "out/a", to: "out/b" });
  const reason = expect.stringContaining(expected.reason) as string;
  expect(outcome).toMatchObject({ event: "failed", code: "FEMTO_FILE_CHANGED", reason });
  expect(names(place)).toEqual([expected.name]);
  expect(readdirSync(join(place.workspace, "out", expected.name))).toEqual(["else"]);
});
