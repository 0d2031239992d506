import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Call, Playground, SECRET } from "./playground.ts";

async function result(
  place: Playground,
  tool: string,
  args: object,
  call: Call = {},
): Promise<Record<string, unknown>> {
  const outcome = await place.call(tool, args as never, call);
  if (outcome?.event !== "succeeded") throw new Error(JSON.stringify(outcome));
  return outcome.result;
}

const listed = async (place: Playground, call: Call = {}, path = "."): Promise<string[]> => {
  const { entries } = await result(place, "fs_list", { path, recursive: true }, call);
  return (entries as { name: string; type: string }[]).map(({ name, type }) => `${type} ${name}`);
};

describe("fs_list with everything below", () => {
  it("lists folders before what they hold, and follows no link", async () => {
    using place = new Playground();
    place.file("b/sub/deep", "12");
    place.file("a");
    place.file("line\nbreak/x");
    symlinkSync(join(place.root, "outside"), join(place.workspace, "b/link"));
    symlinkSync("..", join(place.workspace, "b/sub/loop"));
    execFileSync("mkfifo", [join(place.workspace, "pipe")]);
    expect(await listed(place)).toEqual([
      ...["file a", "directory b", "link b/link", "directory b/sub", "file b/sub/deep", "link b/sub/loop"],
      ...["directory line\nbreak", "file line\nbreak/x", "directory out", "other pipe"],
    ]);
  });

  it("neither names nor enters what policy does not permit", async () => {
    using place = new Playground();
    place.file("a/secrets/key", SECRET);
    place.file("a/open/x");
    const asked: string[] = [];
    const mayReach = (path: string): boolean => {
      asked.push(path.slice(place.workspace.length + 1));
      return !path.endsWith("/secrets");
    };
    expect(await listed(place, { mayReach })).toEqual([
      "directory a",
      "directory a/open",
      "file a/open/x",
      "directory out",
    ]);
    expect(asked).not.toContain("a/secrets/key");
  });

  it("shows a name that is no text, and does not enter it", async () => {
    using place = new Playground();
    const name = Buffer.concat([Buffer.from(join(place.workspace, "out/x")), Buffer.from([0xff])]);
    mkdirSync(name);
    writeFileSync(Buffer.concat([name, Buffer.from("/inner")]), "");
    expect(await listed(place, {}, "out")).toEqual(["directory x\ufffd"]);
  });

  it("ends at names, depth and bytes, and says so", async () => {
    using place = new Playground();
    for (let count = 0; count < 101; count += 1) {
      mkdirSync(join(place.workspace, `many/${count}`), { recursive: true });
      for (let file = 0; file < 100; file += 1) writeFileSync(join(place.workspace, `many/${count}/${file}`), "");
    }
    const many = await result(place, "fs_list", { path: "many", recursive: true });
    expect(many).toMatchObject({ truncated: true });
    expect(many["entries"]).toHaveLength(10_000);
    const limits = { timeoutMs: 1_000, outputBytes: 1_000 };
    const few = await result(place, "fs_list", { path: "many", recursive: true }, { limits });
    expect(few).toMatchObject({ truncated: true });
    expect(JSON.stringify(few["entries"]).length).toBeLessThan(1_000);
  });

  it("goes no deeper into a tree of a thousand folders than policy can speak of", async () => {
    using place = new Playground();
    mkdirSync(join(place.workspace, "d/".repeat(1_000)), { recursive: true });
    const { entries, truncated } = await result(place, "fs_list", { path: "d", recursive: true });
    expect(truncated).toBe(true);
    expect((entries as unknown[]).length).toBeLessThan(64);
    expect(await result(place, "fs_search", { path: "d", pattern: "x" })).toMatchObject({ truncated: true });
    expect(await place.call("fs_move", { from: "d", to: "out/d" })).toMatchObject({ code: "FEMTO_FILE_TOO_LARGE" });
  });

  it("goes on after a folder that lies too deep", async () => {
    using place = new Playground();
    mkdirSync(join(place.workspace, "d/".repeat(100)), { recursive: true });
    place.file("e", "needle");
    expect(await listed(place)).toContain("file e");
    expect(await result(place, "fs_search", { path: ".", pattern: "needle" })).toMatchObject({
      matches: [{ name: "e" }],
      truncated: true,
    });
  });

  it("goes on after a folder whose path is too long for the kernel", async () => {
    using place = new Playground();
    const deep = "n=$(printf %0200d 0); for i in $(seq 25); do mkdir $n && cd -P $n || exit 1; done";
    execFileSync("sh", ["-c", deep], { cwd: place.workspace });
    place.file("e");
    try {
      expect(await listed(place)).toContain("file e");
    } finally {
      execFileSync("sh", ["-c", "rm -rf 0*"], { cwd: place.workspace });
    }
  });

  it("goes on after a folder that is removed the moment before it is entered", async () => {
    using place = new Playground();
    mkdirSync(join(place.workspace, "a"));
    place.file("b");
    const mayReach = (path: string): boolean => {
      if (path.endsWith("/a")) rmdirSync(path);
      return true;
    };
    expect(await listed(place, { mayReach })).toContain("file b");
  });

  it("ends when it is cancelled", async () => {
    using place = new Playground();
    place.file("a/b");
    const abort = new AbortController();
    const mayReach = (): boolean => {
      abort.abort();
      return true;
    };
    const call = { mayReach, signal: abort.signal };
    expect(await place.call("fs_list", { path: ".", recursive: true }, call)).toMatchObject({ event: "cancelled" });
  });

  it("leaves out what is moved to where policy permits it while it walks", async () => {
    using place = new Playground();
    place.file("a/x");
    place.file("secrets/key", SECRET);
    // The moment before the folder `a` is entered, something else stands there.
    const mayReach = (path: string): boolean => {
      if (path.endsWith("/a")) {
        renameSync(path, `${path}.was`);
        renameSync(join(place.workspace, "secrets"), path);
      }
      return !path.includes("secrets");
    };
    expect(await listed(place, { mayReach })).not.toContain("file a/key");
  });
});

describe("fs_search", () => {
  it("finds no NUL in a file that it takes for text, and none in another", async () => {
    using place = new Playground();
    place.file("a", "a\0b");
    place.file("b", "b");
    expect(await result(place, "fs_search", { path: ".", pattern: "\0" })).toEqual({
      matches: [],
      files: 1,
      skipped: 1,
      truncated: false,
    });
  });

  const search = (place: Playground, args: object, call: Call = {}): Promise<Record<string, unknown>> =>
    result(place, "fs_search", { path: ".", pattern: "needle", ...args }, call);

  it("finds lines by their number, once each, in one file or in all below a folder", async () => {
    using place = new Playground();
    place.file("a/one", "needle\nnothing\n\nneedle needle\r\nlast needle");
    place.file("b", "NEEDLE needl");
    place.file("empty", "");
    const matches = [
      { name: "a/one", line: 1, text: "needle" },
      { name: "a/one", line: 4, text: "needle needle" },
      { name: "a/one", line: 5, text: "last needle" },
    ];
    expect(await search(place, {})).toEqual({ matches, files: 3, skipped: 0, truncated: false });
    const own = matches.map((match) => ({ ...match, name: "" }));
    expect(await search(place, { path: "a/one" })).toEqual({ matches: own, files: 1, skipped: 0, truncated: false });
  });

  it("takes every character literally", async () => {
    using place = new Playground();
    place.file("a", "x (a+)+$ y\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\nü\n");
    expect(await search(place, { pattern: "(a+)+$" })).toMatchObject({ matches: [{ line: 1 }] });
    expect(await search(place, { pattern: "ü" })).toMatchObject({ matches: [{ line: 3, text: "ü" }] });
  });

  it("skips what is no text, no regular file, too large or a link", async () => {
    using place = new Playground();
    place.file("binary", Buffer.from("\0needle"));
    place.file("large", Buffer.alloc(4_194_305, "needle "));
    symlinkSync(join(place.root, "outside/file"), join(place.workspace, "link"));
    execFileSync("mkfifo", [join(place.workspace, "pipe")]);
    const name = Buffer.concat([Buffer.from(join(place.workspace, "x")), Buffer.from([0xff])]);
    writeFileSync(name, "needle");
    expect(await search(place, {})).toEqual({ matches: [], files: 0, skipped: 3, truncated: false });
    expect(await search(place, { pattern: SECRET.slice(0, 10) })).toMatchObject({ matches: [] });
  });

  it("neither reads nor names what policy does not permit", async () => {
    using place = new Playground();
    place.file("secrets/key", "needle");
    place.file("open/key", "needle");
    const mayReach = (path: string): boolean => !path.endsWith("/secrets");
    expect(await search(place, {}, { mayReach })).toEqual({
      matches: [{ name: "open/key", line: 1, text: "needle" }],
      files: 1,
      skipped: 0,
      truncated: false,
    });
  });

  it("bounds matches, lines and bytes", async () => {
    using place = new Playground();
    place.file("many", "needle\n".repeat(1_500));
    const many = await search(place, {});
    expect(many).toMatchObject({ truncated: true });
    expect(many["matches"]).toHaveLength(1_000);
    place.file("many", `${"a".repeat(100_000)}needle${"b".repeat(100_000)}`);
    const [match] = (await search(place, {}))["matches"] as { text: string }[];
    expect(match?.text).toContain("needle");
    expect(match?.text.length).toBeLessThanOrEqual(400);
    place.file("many", `${"needle".repeat(40)}\n`.repeat(100));
    const limits = { timeoutMs: 1_000, outputBytes: 2_000 };
    const few = await search(place, {}, { limits });
    expect(few).toMatchObject({ truncated: true });
    expect(JSON.stringify(few["matches"]).length).toBeLessThan(2_000);
  });
});
