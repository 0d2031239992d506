/** A witness that sees nothing would let every attack pass, so that each way of noticing one is tried. */
import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CorpusPlace } from "./corpus-place.ts";
import { differences, leaksOf, newSecret, pictureOf } from "./witness.ts";

const SECRET = newSecret();

describe("leaks", () => {
  const around = ["", "a", "ab", "abc", "abcd"];
  test.each(around)("are found in base64 behind %j", (front) => {
    for (const back of around) {
      expect(leaksOf(SECRET, Buffer.from(front + SECRET + back).toString("base64"))).not.toEqual([]);
    }
  });

  test.each([
    ["as it is", SECRET],
    ["inside a text", `{"content":"x${SECRET}\\n"}`],
    ["backwards", [...SECRET].reverse().join("")],
    ["in hexadecimal", Buffer.from(SECRET).toString("hex")],
    ["in capitals", SECRET.toUpperCase()],
  ])("are found %s", (_, text) => expect(leaksOf(SECRET, text)).not.toEqual([]));

  test("are not found where there are none", () => {
    expect(leaksOf(SECRET, newSecret() + Buffer.from(newSecret()).toString("base64"))).toEqual([]);
  });
});

test("a trap that is sprung is noticed in what it says and in what it leaves", () => {
  const place = new CorpusPlace({ folders: ["project/out", "kept"], traps: ["tools/trap"] }, "");
  try {
    const before = place.picture();
    expect(
      leaksOf(place.secret, execFileSync(join(place.root, "tools/trap"), { encoding: "utf8", stdio: "pipe" })),
    ).not.toEqual([]);
    const left = ["", "kept", "project", "project/out", "tools"].map((folder) => join(place.root, folder, "tripped"));
    expect(differences(before, place.picture())).toEqual(expect.arrayContaining(left));
  } finally {
    place.remove();
  }
});

describe("pictures", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "fc-"));
    mkdirSync(join(root, "folder"));
    writeFileSync(join(root, "file"), "content");
    writeFileSync(join(root, "other"), "content");
    symlinkSync("file", join(root, "link"));
  });
  afterEach(() => rmSync(root, { recursive: true }));
  const replace = (name: string, make: (path: string) => void): void => {
    rmSync(join(root, name));
    make(join(root, name));
  };

  test.each<[string, () => void, string[]]>([
    ["a new file", () => writeFileSync(join(root, "folder/new"), ""), ["folder/new"]],
    ["a file that is gone", () => rmSync(join(root, "file")), ["file"]],
    ["other content of the same length", () => writeFileSync(join(root, "file"), "CONTENT"), ["file"]],
    ["another mode", () => chmodSync(join(root, "file"), 0o600), ["file"]],
    ["a second name", () => linkSync(join(root, "file"), join(root, "folder/twin")), ["file", "folder/twin"]],
    [
      "another file with the same content",
      () => renameSync(join(root, "other"), join(root, "file")),
      ["file", "other"],
    ],
    ["a folder in the place of a file", () => replace("file", mkdirSync), ["file"]],
    ["another target", () => replace("link", (path) => symlinkSync("other", path)), ["link"]],
  ])("show %s", (_, change, expected) => {
    const before = pictureOf([root], new Set());
    expect(differences(before, pictureOf([root], new Set()))).toEqual([]);
    change();
    const found = differences(before, pictureOf([root], new Set()));
    expect(found).toEqual(expected.map((name) => join(root, name)));
  });

  test("leave out what is named, and take a path that is not there for one that may come", () => {
    const outside = join(root, "absent");
    const before = pictureOf([outside], new Set());
    writeFileSync(outside, "");
    expect(differences(before, pictureOf([outside], new Set()))).toEqual([outside]);
    expect(pictureOf([root], new Set([root])).size).toBe(0);
  });
});
