/** Files that are made or moved while the file system fails at a step, or somebody else takes a name away meanwhile. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { Playground } from "./playground.ts";

/** What happens before or after a step of the file system, by its name. */
type Meanwhile = Readonly<Partial<Record<"link" | "unlink", (path: string) => void>>>;
let before: Meanwhile = {};
let after: Meanwhile = {};

const { link, unlink } = fs;
beforeAll(() => {
  fs.link = async (from, to) => {
    before.link?.(String(to));
    await link(from, to);
    after.link?.(String(to));
  };
  fs.unlink = async (path) => {
    before.unlink?.(String(path));
    await unlink(path);
  };
  syncBuiltinESMExports();
});
afterAll(() => {
  Object.assign(fs, { link, unlink });
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
