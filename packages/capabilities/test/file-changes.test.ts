import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CHANGES_OF_A, Playground } from "./playground.ts";

const sha256 = (bytes: string | Buffer): string => createHash("sha256").update(bytes).digest("hex");
const code = (name: string): unknown => expect.objectContaining({ event: "failed", code: name, sandbox: null });
const text = (place: Playground, name: string): string => readFileSync(join(place.workspace, name), "utf8");
const names = (place: Playground): string[] =>
  (readdirSync(place.workspace, { recursive: true, encoding: "utf8" }) as string[]).sort();

describe("fs_edit", () => {
  const edit = (place: Playground, args: object, call = {}): Promise<unknown> =>
    place.call("fs_edit", { path: "out/a", ...args }, call);

  it("replaces a text that the file holds once, and keeps all other bytes and the mode", async () => {
    using place = new Playground();
    const bytes = Buffer.concat([Buffer.from([0, 0xff]), Buffer.from("one two\r\nthree"), Buffer.from([0xfe])]);
    chmodSync(place.file("out/a", bytes), 0o640);
    const after = Buffer.concat([Buffer.from([0, 0xff]), Buffer.from("one $& ü\r\nthree"), Buffer.from([0xfe])]);
    expect(await edit(place, { old: "two", new: "$& ü" })).toMatchObject({
      result: { bytes: after.length, sha256: sha256(after) },
      left: { sha256: sha256(after) },
    });
    expect(readFileSync(join(place.workspace, "out/a"))).toEqual(after);
    expect(lstatSync(join(place.workspace, "out/a")).mode & 0o777).toBe(0o640);
    expect(names(place)).toEqual(["out", "out/a"]);
  });

  it("takes a NUL for a character like any other", async () => {
    using place = new Playground();
    place.file("out/a", "one\0two");
    expect(await edit(place, { old: "e\0t", new: "\0\0" })).toMatchObject({ event: "succeeded" });
    expect(text(place, "out/a")).toBe("on\0\0wo");
  });

  it.each([
    ["not at all", "zzz", "FEMTO_CAPABILITY_FAILED"],
    ["twice", "two", "FEMTO_CAPABILITY_FAILED"],
    ["twice, overlapping", "aa", "FEMTO_CAPABILITY_FAILED"],
  ])("changes nothing where the text stands there %s", async (_, old, expected) => {
    using place = new Playground();
    place.file("out/a", "two two aaa");
    expect(await edit(place, { old, new: "x" })).toEqual(code(expected));
    expect(text(place, "out/a")).toBe("two two aaa");
  });

  it("changes nothing where the file is another one than was expected", async () => {
    using place = new Playground();
    place.file("out/a", "one");
    expect(await edit(place, { old: "one", new: "x", sha256: sha256("two") })).toEqual(code("FEMTO_FILE_CHANGED"));
    expect(await edit(place, { old: "one", new: "x", sha256: sha256("one") })).toMatchObject({ event: "succeeded" });
    expect(text(place, "out/a")).toBe("x");
  });

  it("refuses what is missing, a folder, and a file that is too large", async () => {
    using place = new Playground();
    expect(await edit(place, { path: "out/b", old: "a", new: "b" })).toEqual(code("FEMTO_FILE_NOT_FOUND"));
    expect(await edit(place, { path: "out", old: "a", new: "b" })).toEqual(code("FEMTO_FILE_TYPE"));
    place.file("out/a", Buffer.alloc(16_777_217, "a"));
    expect(await edit(place, { old: "b", new: "c" })).toEqual(code("FEMTO_FILE_TOO_LARGE"));
  });

  it("cannot be undone where the file changed between the decision and the effect", async () => {
    using place = new Playground();
    const path = place.file("out/a", "one");
    const between = (): void => appendFileSync(path, "+");
    const outcome = await edit(place, { old: "one", new: "two" }, { between });
    expect(outcome).toMatchObject({ event: "succeeded" });
    expect(outcome).not.toHaveProperty("left");
    expect(text(place, "out/a")).toBe("two+");
  });
});

describe("fs_write with an expected digest", () => {
  it("overwrites only the content that is expected", async () => {
    using place = new Playground();
    place.file("out/a", "one");
    const write = (args: object): Promise<unknown> =>
      place.call("fs_write", { path: "out/a", content: "two", mode: "overwrite", ...args });
    expect(await write({ sha256: sha256("other") })).toEqual(code("FEMTO_FILE_CHANGED"));
    expect(await write({ sha256: sha256("one"), path: "out/missing" })).toEqual(code("FEMTO_FILE_NOT_FOUND"));
    expect(await write({ sha256: sha256("one"), mode: "append" })).toEqual(code("FEMTO_CAPABILITY_FAILED"));
    expect(await write({ sha256: sha256("one") })).toMatchObject({ left: { sha256: sha256("two") } });
  });
});

describe("fs_stat", () => {
  it("tells what stands there, and another version after each change", async () => {
    using place = new Playground();
    const path = place.file("out/a", "12345");
    chmodSync(path, 0o640);
    const stat = async () => {
      const outcome = await place.call("fs_stat", { path: "out/a" });
      if (outcome?.event !== "succeeded") throw new Error(JSON.stringify(outcome));
      return outcome.result;
    };
    const first = await stat();
    expect(first).toMatchObject({ path, type: "file", bytes: 5, mode: "0640", links: 1 });
    writeFileSync(path, "123456");
    expect((await stat())["version"]).not.toBe(first["version"]);
    expect(await place.call("fs_stat", { path: "out" })).toMatchObject({
      result: { type: "directory", bytes: 0, links: 0 },
    });
    expect(await place.call("fs_stat", { path: "out/b" })).toBeNull();
  });
});

describe("fs_delete", () => {
  const remove = (place: Playground, path: string, args = {}, call = {}): Promise<unknown> =>
    place.call("fs_delete", { path, ...args }, call);

  it("takes away a file and an empty folder, and nothing else", async () => {
    using place = new Playground();
    place.file("out/a");
    mkdirSync(join(place.workspace, "out/full/sub"), { recursive: true });
    expect(await remove(place, "out/a")).toMatchObject({ result: { type: "file" }, left: {} });
    expect(await remove(place, "out/full")).toEqual(code("FEMTO_FILE_TYPE"));
    expect(await remove(place, "out/full/sub")).toMatchObject({ result: { type: "directory" }, left: {} });
    expect(await remove(place, "out/a")).toEqual(code("FEMTO_FILE_NOT_FOUND"));
    expect(names(place)).toEqual(["out", "out/full"]);
  });

  it("takes away only the version that is expected", async () => {
    using place = new Playground();
    const path = place.file("out/a");
    const { ino, size, mtimeNs } = statSync(path, { bigint: true });
    expect(await remove(place, "out/a", { version: `${ino}.${size}.${mtimeNs + 1n}` })).toEqual(
      code("FEMTO_FILE_CHANGED"),
    );
    expect(await remove(place, "out/a", { version: `${ino}.${size}.${mtimeNs}` })).toMatchObject({
      event: "succeeded",
    });
  });

  it.each(CHANGES_OF_A)("refuses when %s after the decision", async (_, change) => {
    using place = new Playground();
    place.file("out/a");
    expect(await remove(place, "out/a", {}, { between: () => change(place) })).toEqual(code("FEMTO_FILE_CHANGED"));
    expect(existsSync(join(place.root, "outside/file"))).toBe(true);
  });

  it("cannot be undone where not all was kept", async () => {
    using place = new Playground();
    const cases = {
      linked: () => linkSync(place.file("first"), join(place.workspace, "out/a")),
      large: () => place.file("out/a", Buffer.alloc(524_289)),
      secret: () => place.file("out/a", "holds the-secret-that-nobody-may-see"),
    };
    for (const prepare of Object.values(cases)) {
      prepare();
      const outcome = await remove(place, "out/a");
      expect(outcome).toMatchObject({ event: "succeeded" });
      expect(outcome).not.toHaveProperty("left");
    }
    place.file("out/a", Buffer.alloc(524_288));
    expect(await remove(place, "out/a")).toHaveProperty("left");
  });
});

describe("fs_mkdir", () => {
  const make = (place: Playground, path: string, parents?: boolean): Promise<unknown> =>
    place.call("fs_mkdir", { path, ...(parents === undefined ? {} : { parents }) });

  it("makes a folder, and those on the way only where it is asked to", async () => {
    using place = new Playground();
    expect(await make(place, "out/a")).toMatchObject({ result: { created: 1 }, left: {} });
    expect(await make(place, "out/a")).toEqual(code("FEMTO_FILE_EXISTS"));
    expect(await make(place, "out/a", true)).toMatchObject({ result: { created: 0 } });
    expect(await make(place, "out/b/c/d")).toBeNull();
    const several = await make(place, "out/b/c/d", true);
    expect(several).toMatchObject({ result: { created: 3 } });
    expect(several).not.toHaveProperty("left");
    place.file("out/file");
    expect(await make(place, "out/file", true)).toEqual(code("FEMTO_FILE_EXISTS"));
    expect(await make(place, "out/file/x", true)).toBeNull();
    expect(names(place)).toEqual(["out", "out/a", "out/b", "out/b/c", "out/b/c/d", "out/file"]);
  });

  it("asks about each folder that it would make", async () => {
    using place = new Playground();
    const taken = await place.facts("fs_mkdir", { path: "x/y/z", parents: true });
    if (!taken.ok) throw new Error(taken.reason);
    await using _ = taken.bound;
    const asked = taken.facts.questions.map((question) => question.kind === "path" && question.path);
    expect(asked).toEqual(["x", "x/y", "x/y/z"].map((name) => join(place.workspace, name)));
  });

  it.each([
    ["a step upwards", "out/new/../../x"],
    ["a step that goes nowhere", "out/new/./x"],
    ["an empty name", "out/new//x"],
    ["no name", "out/new/"],
    ["a link to nothing on the way", "out/dangling/x"],
  ])("is refused for %s", async (_, path) => {
    using place = new Playground();
    symlinkSync("../../outside/new", join(place.workspace, "out/dangling"));
    expect(await make(place, path, true)).toBeNull();
    expect(readdirSync(join(place.root, "outside"))).toEqual(["file"]);
  });
});

describe("fs_move", () => {
  const move = (place: Playground, from: string, to: string, args = {}, call = {}): Promise<unknown> =>
    place.call("fs_move", { from, to, ...args }, call);

  it("moves a file and a folder, and never onto anything", async () => {
    using place = new Playground();
    place.file("out/a", "one");
    place.file("out/b", "two");
    place.file("out/d/sub/c", "three");
    expect(await move(place, "out/a", "out/b")).toEqual(code("FEMTO_FILE_EXISTS"));
    expect(await move(place, "out/a", "out/d")).toEqual(code("FEMTO_FILE_EXISTS"));
    expect(await move(place, "out/a", "out/d/a")).toMatchObject({ result: { type: "file" } });
    expect(await move(place, "out/d", "out/e")).toMatchObject({ result: { type: "directory" } });
    expect(await move(place, "out/e", "out/e/sub/f")).toEqual(code("FEMTO_CAPABILITY_FAILED"));
    expect(await move(place, "out/gone", "out/x")).toEqual(code("FEMTO_FILE_NOT_FOUND"));
    expect(names(place)).toEqual(["out", "out/b", "out/e", "out/e/a", "out/e/sub", "out/e/sub/c"]);
    expect(text(place, "out/e/a")).toBe("one");
  });

  it("keeps what appears at the new place after the decision", async () => {
    using place = new Playground();
    for (const [from, appear] of [
      ["out/file", () => place.file("out/to", "theirs")],
      ["out/folder", () => place.file("out/to", "theirs")],
      ["out/folder", () => mkdirSync(join(place.workspace, "out/to"))],
    ] as const) {
      place.file("out/file", "ours");
      place.file("out/folder/inner", "ours");
      expect(await move(place, from, "out/to", {}, { between: appear })).toEqual(code("FEMTO_FILE_EXISTS"));
      rmSync(join(place.workspace, "out/to"), { recursive: true });
    }
  });

  it("moves no folder with something below it that may not leave, or may not arrive", async () => {
    using place = new Playground();
    place.file("out/d/sub/kept");
    for (const kept of ["out/d/sub/kept", "out/e/sub/kept", "out/d/sub", "out/e/sub"]) {
      const mayReach = (path: string): boolean => path !== join(place.workspace, kept);
      expect(await move(place, "out/d", "out/e", {}, { mayReach })).toEqual(code("FEMTO_CAPABILITY_FAILED"));
    }
    expect(names(place)).toEqual(["out", "out/d", "out/d/sub", "out/d/sub/kept"]);
  });

  it("moves only the version that is expected", async () => {
    using place = new Playground();
    place.file("out/a");
    expect(await move(place, "out/a", "out/b", { version: "1.2.3" })).toEqual(code("FEMTO_FILE_CHANGED"));
  });

  it("says so where the two ends are on different file systems", async () => {
    using place = new Playground();
    place.file("out/a", "one");
    const to = `/dev/shm/femtoclaw-${process.pid}`;
    mkdirSync(join(place.workspace, "out/d"));
    for (const from of ["out/a", "out/d"]) {
      expect(await move(place, from, to)).toMatchObject({
        code: "FEMTO_OS_REFUSED",
        reason: expect.stringContaining("different file systems"),
      });
      expect(existsSync(to)).toBe(false);
    }
    expect(text(place, "out/a")).toBe("one");
  });

  it.each([
    ["the file was replaced", (place: Playground) => renameSync(place.file("x"), join(place.workspace, "out/a"))],
    [
      "the file became a link",
      (place: Playground) => {
        rmSync(join(place.workspace, "out/a"));
        symlinkSync("../../outside/file", join(place.workspace, "out/a"));
      },
    ],
    [
      "its folder was moved",
      (place: Playground) => renameSync(join(place.workspace, "out"), join(place.workspace, "m")),
    ],
    [
      "the other folder was moved",
      (place: Playground) => renameSync(join(place.workspace, "to"), join(place.workspace, "m")),
    ],
    [
      "the other folder became a link",
      (place: Playground) => {
        rmdirSync(join(place.workspace, "to"));
        symlinkSync("../outside", join(place.workspace, "to"));
      },
    ],
  ])("refuses when %s after the decision", async (_, change) => {
    using place = new Playground();
    place.file("out/a");
    mkdirSync(join(place.workspace, "to"));
    const outcome = await move(place, "out/a", "to/b", {}, { between: () => change(place) });
    expect(outcome).toMatchObject({ event: "failed", code: expect.stringMatching(/FILE_CHANGED|OS_REFUSED/) });
    expect(readdirSync(join(place.root, "outside"))).toEqual(["file"]);
  });
});
