import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type CapabilityManifest, type PathQuestion, type ProgramQuestion, validateFacts } from "@femtoclaw/protocol";
import { viewOf } from "@femtoclaw/sandbox";
import { describe, expect, it } from "vitest";
import { flagsOf } from "../src/facts/program.ts";
import { type JsonObject, takeFacts } from "../src/index.ts";
import { Playground } from "./playground.ts";

async function question(place: Playground, tool: string, args: JsonObject): Promise<unknown> {
  const taken = await place.facts(tool, args);
  if (!taken.ok) return taken.reason;
  await using _ = taken.bound;
  expect(validateFacts(taken.facts), JSON.stringify(validateFacts.errors)).toBe(true);
  return taken.facts.questions[0];
}

const openDescriptors = (): number => readdirSync("/proc/self/fd").length;

describe("facts about a path", () => {
  it("are its canonical path, type and existence", async () => {
    using place = new Playground();
    const path = place.file("a/b");
    const expected: PathQuestion = { kind: "path", path, exists: true, type: "file", bytes: 0 };
    for (const spelled of ["a/b", "./a//b", "a/../a/b", path]) {
      expect(await question(place, "fs_read", { path: spelled })).toEqual(expected);
    }
    expect(await question(place, "fs_list", { path: "a/" })).toMatchObject({
      path: join(place.workspace, "a"),
      type: "directory",
    });
    expect(await question(place, "fs_list", { path: "/" })).toMatchObject({ path: "/" });
  });

  it("tell where a path through linked folders really leads", async () => {
    using place = new Playground();
    symlinkSync("../outside", join(place.workspace, "innocent"));
    const outside = join(place.root, "outside/file");
    expect(await question(place, "fs_read", { path: "innocent/file" })).toMatchObject({ path: outside });
    expect(await question(place, "fs_write", { path: "innocent/new", content: "", mode: "create" })).toMatchObject({
      path: join(place.root, "outside/new"),
      exists: false,
      type: "missing",
    });
    expect(await question(place, "fs_read", { path: "/proc/self/root/etc/passwd" })).toMatchObject({
      path: "/etc/passwd",
    });
  });

  it("count the bytes that would be written", async () => {
    using place = new Playground();
    const write = { path: "out/x", mode: "create" };
    expect(await question(place, "fs_write", { ...write, content: "größe" })).toMatchObject({ bytes: 7 });
    expect(await question(place, "fs_write", { ...write, content: "AAEC", encoding: "base64" })).toMatchObject({
      bytes: 3,
    });
    expect(await question(place, "fs_write", { ...write, content: "AAE=C", encoding: "base64" })).toMatch(
      /not well-formed base64/,
    );
  });

  it.each([
    ["", /empty/],
    ["none", /does not exist/],
    ["file/below", /does not exist/],
    ["link", /symbolic link/],
    ["loop/x", /too many symbolic links/],
    ["file\0.txt", /NUL/],
    ["\ud800", /well-formed/],
    ["a/".repeat(65), /deeper/],
    ["a".repeat(4_096), /longer/],
    ["a".repeat(300), /too long/],
    ["/proc/self/environ", /process file system/],
    ["/proc/self/exe", /symbolic link/],
    ["/proc/self", /symbolic link/],
    ["/proc/self/cwd/", /./],
  ])("are refused for %j", async (path, reason) => {
    using place = new Playground();
    place.file("file");
    symlinkSync("file", join(place.workspace, "link"));
    symlinkSync("loop", join(place.workspace, "loop"));
    const before = openDescriptors();
    const found = await question(place, "fs_read", { path });
    if (path === "/proc/self/cwd/") expect(found).toMatchObject({ path: process.cwd() });
    else expect(found).toMatch(reason);
    expect(openDescriptors()).toBe(before);
  });

  it.each(["out/", "out/.", "out/..", "none/x", "link", ".", `out/${"a".repeat(256)}`])(
    "are refused for creating %j",
    async (path) => {
      using place = new Playground();
      symlinkSync("../outside/new", join(place.workspace, "link"));
      expect(await question(place, "fs_write", { path, content: "", mode: "create" })).toEqual(expect.any(String));
    },
  );

  it("take names with newlines and refuse canonical names that are not UTF-8", async () => {
    using place = new Playground();
    const path = place.file("line\nbreak\u202e/x (deleted)");
    expect(await question(place, "fs_read", { path: "line\nbreak\u202e/x (deleted)" })).toMatchObject({ path });
    const odd = Buffer.concat([Buffer.from(`${place.workspace}/odd-`), Buffer.from([0xff])]);
    mkdirSync(odd);
    symlinkSync(odd, join(place.workspace, "even"));
    expect(await question(place, "fs_list", { path: "even/" })).toMatch(/not UTF-8/);
  });

  it("hold what they found, and let go of it", async () => {
    using place = new Playground();
    place.file("a");
    const before = openDescriptors();
    const taken = await place.facts("fs_write", { path: "a", content: "", mode: "append" });
    if (!taken.ok) throw new Error(taken.reason);
    expect(openDescriptors()).toBe(before + 2);
    await taken.bound[Symbol.asyncDispose]();
    expect(openDescriptors()).toBe(before);
    expect(() => taken.bound.path("/path")).toThrow(/during their call/);
  });

  it("refuse a declared argument that is missing, inherited or of another type", async () => {
    using place = new Playground();
    for (const args of [{}, { path: 7 }, { path: null }, Object.create({ path: "out" }) as JsonObject]) {
      expect(await question(place, "fs_read", args)).toMatch(/not a text/);
    }
  });

  it("ask about the tool alone when nothing is declared", async () => {
    using place = new Playground();
    const manifest = { arguments: [] } as unknown as CapabilityManifest;
    const taken = await takeFacts({
      manifest,
      args: {},
      authority: place.authority,
      sandbox: null,
      digests: place.digests,
    });
    expect(taken).toMatchObject({ ok: true, facts: { questions: [{ kind: "tool" }] } });
  });
});

describe("facts about a program", () => {
  const ask = async (place: Playground, args: JsonObject): Promise<ProgramQuestion> =>
    (await question(place, "process_exec", args)) as ProgramQuestion;

  it("name its place, file, digest and arguments", async () => {
    using place = new Playground();
    const realPath = realpathSync("/usr/bin/awk");
    const args = {
      bin: "awk",
      argv: ["first", "-x", "--a=b", "--a", "-", "--", "-x", "tail"],
      env: { B: "1", A: "" },
      cwd: "out",
    };
    expect(await ask(place, args)).toMatchObject({
      kind: "program",
      program: "/usr/bin/awk",
      real_path: realPath,
      word: "first",
      arguments: 8,
      flags: ["--", "--a", "--a=b", "-x"],
      environment: ["A", "B"],
      cwd: join(place.workspace, "out"),
      sha256: createHash("sha256").update(readFileSync(realPath)).digest("hex"),
    });
    expect(await ask(place, { bin: "/usr/bin/awk" })).toMatchObject({
      program: "/usr/bin/awk",
      arguments: 0,
      cwd: place.workspace,
    });
    expect((await ask(place, { bin: "awk", argv: ["-v", "x"] })).word).toBeUndefined();
  });

  it("of a pipeline are those of each of its programs, in their order and in one folder", async () => {
    using place = new Playground();
    const pipeline = [{ bin: "cat", argv: ["x"] }, { bin: "sort", argv: ["-r"] }, { bin: "cat" }];
    const taken = await place.facts("process_exec", { pipeline, cwd: "out", env: { A: "1" } });
    if (!taken.ok) throw new Error(taken.reason);
    await using bound = taken.bound;
    expect(validateFacts(taken.facts)).toBe(true);
    const same = { kind: "program", cwd: join(place.workspace, "out"), environment: ["A"] };
    expect(taken.facts.questions).toMatchObject([
      { ...same, program: "/usr/bin/cat", word: "x", arguments: 1 },
      { ...same, program: "/usr/bin/sort", flags: ["-r"], arguments: 1 },
      { ...same, program: "/usr/bin/cat", arguments: 0 },
    ]);
    expect(bound.programs.map(({ args }) => args)).toEqual([["x"], ["-r"], []]);
  });

  it("are not taken of a pipeline beside a program, of one program, or of too many words", async () => {
    using place = new Playground();
    const [cat, words] = [{ bin: "cat" }, Array.from({ length: 600 }, () => "x")];
    for (const [args, reason] of [
      [{ bin: "env", pipeline: [cat, cat] }, "beside"],
      [{ argv: ["x"], pipeline: [cat, cat] }, "beside"],
      [{ pipeline: [cat] }, "2 to 16"],
      [{ pipeline: "cat" }, "2 to 16"],
      [{ pipeline: [cat, { bin: "cat", argv: "x" }] }, "not a list"],
      [
        {
          pipeline: [
            { bin: "cat", argv: words },
            { bin: "cat", argv: words },
          ],
        },
        "1024 arguments",
      ],
    ] as const) {
      expect(await place.facts("process_exec", args as unknown as JsonObject)).toEqual({
        ok: false,
        reason: expect.stringContaining(reason),
      });
    }
  });

  it.each([
    ["no-such-program"],
    [""],
    ["."],
    ["bin/.."],
    ["../bin/sh"],
    ["/usr/bin/../bin/sh"],
    ["/usr/bin//sh"],
    ["./tool"],
    ["out/tool"],
    ["/etc/passwd"],
    ["sh\0"],
    ["/usr/bin/"],
  ])("are refused for %j", async (bin) => {
    using place = new Playground();
    chmodSync(place.file("tool", "#!/bin/sh"), 0o755);
    chmodSync(place.file("out/tool", "#!/bin/sh"), 0o755);
    expect(await ask(place, { bin })).toEqual(expect.any(String));
  });

  it("pass over what cannot be executed and take the next of that name", async () => {
    using place = new Playground();
    mkdirSync(join(place.workspace, "one/tool"), { recursive: true });
    place.file("two/tool", "plain text");
    symlinkSync("nowhere", join(place.workspace, "tool"));
    chmodSync(place.file("three/tool", "#!/bin/sh"), 0o755);
    const searchPath = [place.workspace, ...["one", "two", "three"].map((name) => join(place.workspace, name))];
    place.authority = { ...place.authority, searchPath };
    expect(await ask(place, { bin: "tool" })).toMatchObject({ program: join(place.workspace, "three/tool") });
  });

  it.each(["none", "file", "/proc/self/fd", "secrets", "/tmp", "/root"])(
    "refuse %j as a folder to run in",
    async (cwd) => {
      using place = new Playground();
      place.file("file");
      place.file("secrets/key");
      const deny = { read: [{ path: join(place.workspace, "secrets"), source: "test" }], write: [], run: [] };
      place.authority = { ...place.authority, deny };
      place.sandbox = viewOf(place.authority);
      expect(await ask(place, { bin: "true", cwd })).toEqual(expect.any(String));
    },
  );

  it("refuse arguments and variables that the system would cut or misread", async () => {
    using place = new Playground();
    for (const args of [
      { argv: ["a\0b"] },
      { argv: Array.from({ length: 1_025 }, () => "") },
      { argv: "text" },
      { argv: [1] },
      { env: { A: "x\0y" } },
      { env: { "A=B": "c" } },
      { env: { "": "c" } },
      { env: [] },
      { env: { A: 1 } },
    ]) {
      expect(await ask(place, { bin: "true", ...args })).toEqual(expect.any(String));
    }
  });

  it("follow a program that changes, at once", async () => {
    using place = new Playground();
    const path = place.file("bin/tool", "#!/bin/sh\n");
    chmodSync(path, 0o755);
    place.authority = { ...place.authority, searchPath: [join(place.workspace, "bin")] };
    const digests = new Set<string>();
    for (let round = 0; round < 50; round += 1) {
      writeFileSync(path, `#!/bin/sh\nexit ${round % 10}${round}`.slice(0, 17));
      digests.add((await ask(place, { bin: "tool" })).sha256);
      expect((await ask(place, { bin: "tool" })).sha256).toBe(
        createHash("sha256").update(readFileSync(path)).digest("hex"),
      );
    }
    rmSync(path);
    renameSync(place.file("other", "x"), path);
    expect(await ask(place, { bin: "tool" })).toMatch(/no program/);
  });
});

describe("flagsOf", () => {
  it("makes each dashed argument a fact of its own, however it is spelled", () => {
    expect(flagsOf(["-rf", "-r", "-r", "-", "--", "a-b"])).toEqual(["--", "-f", "-r", "-rf"]);
    expect(flagsOf(["--force=yes", "--forc", "--=x"])).toEqual(["--=x", "--forc", "--force", "--force=yes"]);
    expect(flagsOf(["-n5", "-x"])).toEqual(["-n5", "-x"]);
  });
});
