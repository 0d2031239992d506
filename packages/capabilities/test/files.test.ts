import { createHash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryName } from "../src/files/placement.ts";
import { CHANGES_OF_A, Playground } from "./playground.ts";

const sha256 = (bytes: string | Buffer): string => createHash("sha256").update(bytes).digest("hex");
const code = (name: string): unknown => expect.objectContaining({ event: "failed", code: name, sandbox: null });

describe("fs_read", () => {
  it("reads a file, or a part of it", async () => {
    using place = new Playground();
    place.file("a", "0123456789");
    const read = (args: object): Promise<unknown> => place.call("fs_read", { path: "a", ...args });
    const result = (content: string): unknown => ({
      event: "succeeded",
      sandbox: null,
      result: { content, bytes: content.length, sha256: sha256(content) },
    });
    expect(await read({})).toEqual(result("0123456789"));
    expect(await read({ offset: 4 })).toEqual(result("456789"));
    expect(await read({ offset: 4, length: 3 })).toEqual(result("456"));
    expect(await read({ offset: 8, length: 30 })).toEqual(result("89"));
    expect(await read({ offset: 10 })).toEqual(result(""));
    expect(await read({ offset: 1e15, length: 5 })).toEqual(result(""));
    expect(await read({ length: 0 })).toEqual(result(""));
  });

  it("gives bytes as base64, and text only when it is text", async () => {
    using place = new Playground();
    const bytes = Buffer.from([0, 0xff, 0xfe, 10]);
    place.file("binary", bytes);
    place.file("bom", "\ufeffx");
    const result = { content: bytes.toString("base64"), bytes: 4, sha256: sha256(bytes) };
    expect(await place.call("fs_read", { path: "binary", encoding: "base64" })).toMatchObject({ result });
    expect(await place.call("fs_read", { path: "binary" })).toEqual(code("FEMTO_CAPABILITY_FAILED"));
    expect(await place.call("fs_read", { path: "bom" })).toMatchObject({ result: { content: "\ufeffx", bytes: 4 } });
  });

  it("refuses more than its limit, and reads parts of huge files", async () => {
    using place = new Playground();
    const huge = openSync(place.file("huge", ""), "w");
    ftruncateSync(huge, 2 ** 40);
    writeSync(huge, "end", 2 ** 40 - 3);
    closeSync(huge);
    const tooLarge = code("FEMTO_FILE_TOO_LARGE");
    expect(await place.call("fs_read", { path: "huge" })).toEqual(tooLarge);
    expect(await place.call("fs_read", { path: "huge", length: 2_000_000 })).toEqual(tooLarge);
    expect(await place.call("fs_read", { path: "huge", offset: 2 ** 40 - 3 })).toMatchObject({
      result: { content: "end" },
    });
    const limits = { timeoutMs: 1_000, outputBytes: 10 };
    place.file("ten", "0123456789");
    place.file("eleven", "01234567890");
    expect(await place.call("fs_read", { path: "ten" }, { limits })).toMatchObject({ result: { bytes: 10 } });
    expect(await place.call("fs_read", { path: "eleven" }, { limits })).toEqual(tooLarge);
  });

  it("reads several chunks exactly", async () => {
    using place = new Playground();
    const bytes = Buffer.alloc(3_000_001, "0123456");
    place.file("long", bytes);
    const limits = { timeoutMs: 1_000, outputBytes: 4_000_000 };
    expect(await place.call("fs_read", { path: "long" }, { limits })).toMatchObject({
      result: { sha256: sha256(bytes) },
    });
  });

  it("reads what was decided on, whatever stands at the path by now", async () => {
    using place = new Playground();
    const path = place.file("a", "decided");
    const decide = (): boolean => {
      renameSync(path, `${path}.moved`);
      symlinkSync(join(place.root, "outside/file"), path);
      return true;
    };
    expect(await place.call("fs_read", { path: "a" }, { decide })).toMatchObject({ result: { content: "decided" } });
  });

  it("refuses folders", async () => {
    using place = new Playground();
    expect(await place.call("fs_read", { path: "out" })).toEqual(code("FEMTO_FILE_TYPE"));
  });

  it("ends when cancelled", async () => {
    using place = new Playground();
    place.file("a");
    expect(await place.call("fs_read", { path: "a" }, { signal: AbortSignal.abort() })).toMatchObject({
      event: "cancelled",
    });
  });
});

describe("fs_write", () => {
  const out = (place: Playground): string[] => readdirSync(join(place.workspace, "out"));

  it("creates, replaces and adds", async () => {
    using place = new Playground();
    const write = (mode: string, content: string): Promise<unknown> =>
      place.call("fs_write", { path: "out/a", content, mode });
    const result = (content: string): unknown => ({
      event: "succeeded",
      sandbox: null,
      result: { bytes: content.length, sha256: sha256(content) },
      left: expect.anything(),
    });
    expect(await write("create", "one")).toEqual(result("one"));
    expect(await write("create", "two")).toEqual(code("FEMTO_FILE_EXISTS"));
    expect(await write("append", "+two")).toEqual(result("+two"));
    expect(readFileSync(join(place.workspace, "out/a"), "utf8")).toBe("one+two");
    expect(await write("overwrite", "three")).toEqual(result("three"));
    expect(readFileSync(join(place.workspace, "out/a"), "utf8")).toBe("three");
    expect(out(place)).toEqual(["a"]);
  });

  it.each(["create", "overwrite", "append"])(
    "makes a missing file with %s, which then belongs to its folder",
    async (mode) => {
      using place = new Playground();
      const outcome = await place.call("fs_write", { path: "out/new", content: "x", mode });
      expect(outcome).toMatchObject({ event: "succeeded" });
      expect(readFileSync(join(place.workspace, "out/new"), "utf8")).toBe("x");
    },
  );

  it("writes bytes, empty files and odd names", async () => {
    using place = new Playground();
    const bytes = Buffer.from([0, 255, 1]);
    const name = "line\nbreak";
    await place.call("fs_write", {
      path: `out/${name}`,
      content: bytes.toString("base64"),
      encoding: "base64",
      mode: "create",
    });
    expect(readFileSync(join(place.workspace, "out", name))).toEqual(bytes);
    expect(await place.call("fs_write", { path: "out/empty", content: "", mode: "create" })).toMatchObject({
      result: { bytes: 0 },
    });
  });

  it("keeps the mode of a file that it replaces", async () => {
    using place = new Playground();
    const path = place.file("out/tool");
    chmodSync(path, 0o750);
    await place.call("fs_write", { path: "out/tool", content: "new", mode: "overwrite" });
    expect(lstatSync(path).mode & 0o7777).toBe(0o750);
  });

  it("breaks a hard link by replacing, and refuses to add through one", async () => {
    using place = new Playground();
    linkSync(join(place.root, "outside/file"), join(place.workspace, "out/linked"));
    const before = readFileSync(join(place.root, "outside/file"), "utf8");
    expect(await place.call("fs_write", { path: "out/linked", content: "x", mode: "append" })).toEqual(
      code("FEMTO_FILE_TYPE"),
    );
    expect(await place.call("fs_write", { path: "out/linked", content: "x", mode: "overwrite" })).toMatchObject({
      event: "succeeded",
    });
    expect(readFileSync(join(place.root, "outside/file"), "utf8")).toBe(before);
  });

  it.each(["create", "overwrite", "append"])("refuses to %s a folder", async (mode) => {
    using place = new Playground();
    const outcome = await place.call("fs_write", { path: "out", content: "x", mode });
    expect(outcome).toEqual(code(mode === "create" ? "FEMTO_FILE_EXISTS" : "FEMTO_FILE_TYPE"));
  });

  it("never overwrites what appeared after the decision", async () => {
    using place = new Playground();
    const decide = (): boolean => {
      place.file("out/a", "theirs");
      return true;
    };
    expect(await place.call("fs_write", { path: "out/a", content: "ours", mode: "create" }, { decide })).toEqual(
      code("FEMTO_FILE_EXISTS"),
    );
    expect(readFileSync(join(place.workspace, "out/a"), "utf8")).toBe("theirs");
    expect(out(place)).toEqual(["a"]);
  });

  it("creates once when many create at once", async () => {
    using place = new Playground();
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, who) =>
        place.call("fs_write", { path: "out/a", content: `from ${who}`, mode: "create" }),
      ),
    );
    const winners = outcomes.flatMap((outcome, who) => (outcome?.event === "succeeded" ? [who] : []));
    expect(winners).toHaveLength(1);
    expect(readFileSync(join(place.workspace, "out/a"), "utf8")).toBe(`from ${winners[0]}`);
    expect(out(place)).toEqual(["a"]);
  });

  it("does not lose bytes when many add at once", async () => {
    using place = new Playground();
    place.file("out/log", "");
    await Promise.all(
      Array.from({ length: 50 }, (_, who) =>
        place.call("fs_write", { path: "out/log", content: `${who}\n`, mode: "append" }),
      ),
    );
    const lines = readFileSync(join(place.workspace, "out/log"), "utf8").trim().split("\n").map(Number);
    expect(lines.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, who) => who));
  });

  it.each(CHANGES_OF_A)("refuses to replace when %s after the decision", async (_, change) => {
    using place = new Playground();
    place.file("out/a", "old");
    const decide = (): boolean => {
      change(place);
      return true;
    };
    const outcome = await place.call("fs_write", { path: "out/a", content: "new", mode: "overwrite" }, { decide });
    expect(outcome).toEqual(code("FEMTO_FILE_CHANGED"));
    expect(readFileSync(join(place.root, "outside/file"), "utf8")).not.toBe("new");
    const folders = readdirSync(place.workspace, { recursive: true, encoding: "utf8" });
    expect(folders.filter((name) => name.includes(".femtoclaw-"))).toEqual([]);
  });

  it("leaves a file alone that has the name under which it would write", async () => {
    using place = new Playground();
    const taken = place.file(`out/${temporaryName("mine")}`, "of somebody else");
    const outcome = await place.call("fs_write", { path: "out/a", content: "x", mode: "create" }, { id: "mine" });
    expect(outcome).toMatchObject({ code: "FEMTO_OS_REFUSED", reason: expect.stringContaining("EEXIST") });
    expect(readFileSync(taken, "utf8")).toBe("of somebody else");
    expect(existsSync(join(place.workspace, "out/a"))).toBe(false);
  });

  it("names the system's refusal", async () => {
    using place = new Playground();
    // Nobody creates files there, whoever they are.
    const outcome = await place.call("fs_write", { path: "/sys/femtoclaw", content: "x", mode: "create" });
    expect(outcome).toMatchObject({ code: "FEMTO_OS_REFUSED", reason: expect.stringMatching(/E(ACCES|PERM|ROFS)/) });
  });

  it("refuses a folder that is gone", async () => {
    using place = new Playground();
    const decide = (): boolean => {
      rmSync(join(place.workspace, "out"), { recursive: true });
      return true;
    };
    const outcome = await place.call("fs_write", { path: "out/a", content: "x", mode: "create" }, { decide });
    expect(outcome).toMatchObject({ code: "FEMTO_OS_REFUSED", reason: expect.stringContaining("ENOENT") });
  });
});

describe("fs_list", () => {
  it("lists names sorted, with type and size, and follows no link", async () => {
    using place = new Playground();
    mkdirSync(join(place.workspace, "d/sub"), { recursive: true });
    place.file("d/b", "12345");
    place.file("d/a\nb", "");
    symlinkSync("../../outside/file", join(place.workspace, "d/c"));
    expect(await place.call("fs_list", { path: "d" })).toEqual({
      event: "succeeded",
      sandbox: null,
      result: {
        truncated: false,
        entries: [
          { name: "a\nb", type: "file", bytes: 0 },
          { name: "b", type: "file", bytes: 5 },
          { name: "c", type: "link", bytes: 0 },
          { name: "sub", type: "directory", bytes: 0 },
        ],
      },
    });
  });

  it("refuses files, and shows names that are no text", async () => {
    using place = new Playground();
    place.file("f");
    expect(await place.call("fs_list", { path: "f" })).toEqual(code("FEMTO_FILE_TYPE"));
    writeFileSync(Buffer.concat([Buffer.from(`${place.workspace}/out/x`), Buffer.from([0xff])]), "");
    expect(await place.call("fs_list", { path: "out" })).toMatchObject({
      result: { entries: [{ name: "x\ufffd", type: "file" }] },
    });
  });

  it("bounds what it lists", async () => {
    using place = new Playground();
    for (let number = 0; number < 10_010; number += 1)
      writeFileSync(join(place.workspace, "out", `file-${number}`), "");
    const whole = await place.call("fs_list", { path: "out" });
    expect(whole).toMatchObject({ result: { truncated: true } });
    if (whole?.event !== "succeeded") throw new Error("the folder was not listed");
    expect(whole.result["entries"]).toHaveLength(10_000);
    const limits = { timeoutMs: 10_000, outputBytes: 500 };
    const cut = await place.call("fs_list", { path: "out" }, { limits });
    if (cut?.event !== "succeeded") throw new Error("the folder was not listed");
    expect(JSON.stringify(cut.result["entries"]).length).toBeLessThan(500);
  });
});
