/** Parts of the build of the executable, each by itself; the whole is driven by packages/host/test/standalone. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { Worker } from "node:worker_threads";
import { beforeAll, describe, expect, it } from "vitest";
import { billOfMaterials, licences, partsOf } from "../binary/bill-of-materials.ts";
import { withBuiltinsUnderFlags } from "../binary/builtin-code.ts";
import { type Bundle, bundle } from "../binary/bundle.ts";
import { chunksOf } from "../binary/chunks.ts";
import { compiledChunks, V8_FLAGS } from "../binary/compiled-chunks.ts";
import { lockFile, ROOT } from "../binary/locked-file.ts";
import { isElf, stripElf } from "../binary/strip-elf.ts";
import { HERE, targetNames, targetOf } from "../binary/targets.ts";
import { unsignPe } from "../binary/unsign-pe.ts";

describe("a program without its symbols", () => {
  it("runs as before, is smaller, and is stripped by no second time", () => {
    const folder = mkdtempSync(join(tmpdir(), "femtoclaw-strip-"));
    try {
      const program = readFileSync(process.execPath);
      const stripped = stripElf(program);
      expect(stripped.length).toBeLessThan(program.length);
      expect(stripElf(stripped).equals(stripped)).toBe(true);
      const path = join(folder, "node");
      writeFileSync(path, stripped);
      chmodSync(path, 0o755);
      expect(String(execFileSync(path, ["-p", "40 + 2"]))).toBe("42\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ["a script", "#!/bin/sh\n"],
    ["another format", "\x7fELF\x01\x01"],
    ["nothing", ""],
  ])("is not made of %s", (_, content) => {
    expect(() => stripElf(Buffer.from(content, "latin1"))).toThrow(/ELF/);
  });

  it("is made of programs of Linux alone", () => {
    const magics = { elf: "\x7fELF\x02\x01", macOS: "\xcf\xfa\xed\xfe", windows: "MZ\x90\0", short: "\x7fE" };
    const found = Object.entries(magics).filter(([, magic]) => isElf(Buffer.from(magic, "latin1")));
    expect(found.map(([name]) => name)).toEqual(["elf"]);
  });
});

describe("modules of Node.js in the executable", () => {
  /** How many of those that a program loads are taken as they were compiled, and how many are compiled again. */
  function compiled(program: string): unknown {
    const script = `require("node:net"); require("node:fs/promises");
      const usage = require("internal/test/binding").internalBinding("builtins").getCacheUsage();
      console.log(JSON.stringify([usage.compiledWithCache.size > 20, usage.compiledWithoutCache.size]));`;
    const options = ["--no-warnings", "--expose-internals", ...V8_FLAGS, "--eval", script];
    return JSON.parse(execFileSync(program, options, { encoding: "utf8" }));
  }

  it("are taken under its flags as they were compiled, which they are not by themselves", () => {
    const folder = mkdtempSync(join(tmpdir(), "femtoclaw-builtins-"));
    try {
      expect(compiled(process.execPath)).not.toEqual([true, 0]);
      const path = join(folder, "node");
      writeFileSync(path, withBuiltinsUnderFlags(readFileSync(process.execPath)), { mode: 0o755 });
      expect(compiled(path)).toEqual([true, 0]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("have to be there in the form that is known", () => {
    expect(() => withBuiltinsUnderFlags(Buffer.alloc(1_024))).toThrow(/0 modules of Node.js were found compiled/);
  });
});

describe("code in chunks", () => {
  it.each([
    ["a package that is written for require", "module.exports.answer = 42;", /main\.js imports .*later\.js later/],
    ["a module", "export const answer = 42;", null],
  ])("may import a name of %s later, or is not built", async (_, later, fault) => {
    const folder = mkdtempSync(join(tmpdir(), "femtoclaw-chunks-"));
    try {
      const entry = join(folder, "main.js");
      writeFileSync(entry, 'export const asked = import("./later.js").then(({ answer }) => answer);');
      writeFileSync(join(folder, "later.js"), later);
      const built = chunksOf({ entry: relative(ROOT, entry), start: [] });
      if (fault === null) expect((await built).scripts.size).toBe(2);
      else await expect(built).rejects.toThrow(fault);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("a program of Windows", () => {
  /** The least that has a signature of 16 bytes at its end. */
  function signed(): Buffer {
    const program = Buffer.alloc(0x40 + 24 + 240 + 16);
    program.write("MZ", "latin1");
    program.writeUInt32LE(0x40, 0x3c);
    program.write("PE\0\0", 0x40, "latin1");
    program.writeUInt16LE(0x20b, 0x58);
    program.writeUInt32LE(7, 0x58 + 64);
    program.writeUInt32LE(program.length - 16, 0x58 + 144);
    program.writeUInt32LE(16, 0x58 + 148);
    return program;
  }

  it("loses its signature and nothing else, and has none to lose a second time", () => {
    const program = signed();
    const unsigned = unsignPe(program);
    expect(unsigned.length).toBe(program.length - 16);
    const expected = Buffer.from(program.subarray(0, -16))
      .fill(0, 0x58 + 64, 0x58 + 68)
      .fill(0, 0x58 + 144, 0x58 + 152);
    expect(unsigned.equals(expected)).toBe(true);
    expect(unsignPe(unsigned)).toBe(unsigned);
  });

  it("is none that is something else, or that has something behind its signature", () => {
    expect(() => unsignPe(Buffer.concat([signed(), Buffer.alloc(1)]))).toThrow(/at its end/);
    expect(() => unsignPe(signed().fill(0, 0x40, 0x44))).toThrow(/PE/);
    expect(() => unsignPe(signed().fill(0, 0x58, 0x5a))).toThrow(/64 bits/);
    expect(() => unsignPe(signed().subarray(0, 0x80))).toThrow(/headers/);
    for (const content of ["", "MZ", "\x7fELF"]) expect(() => unsignPe(Buffer.from(content, "latin1"))).toThrow();
  });
});

describe("a target", () => {
  it.each(targetNames())(
    "%s is made of what the lock file names, in the version that builds it, with its licence",
    (name) => {
      const { node, database, terminals } = targetOf(name);
      const locked = lockFile().packages;
      expect(locked[`node_modules/${node.name}`]?.version).toBe(process.versions.node);
      const packages = terminals === null ? [] : [`node_modules/${terminals}`];
      const parts = partsOf(packages, name);
      expect(parts.map((part) => part.name)).toEqual([...(terminals === null ? [] : [terminals]), node.name]);
      for (const { license, integrity } of parts) {
        expect([license, integrity]).toEqual(["MIT", expect.stringMatching(/^sha512-/)]);
      }
      expect(billOfMaterials(parts, name, "0".repeat(64))).toContain(`"pkg:npm/${node.name}@${process.versions.node}"`);
      expect(licences(parts)).toContain("Node.js is licensed for use as follows");
      if (database !== null) expect(existsSync(`node_modules/classic-level/prebuilds/${database}`)).toBe(true);
    },
  );
});

describe("the bundle", () => {
  let here: Bundle;
  beforeAll(async () => {
    here = await bundle({ target: HERE, releaseKey: "a key" });
  });

  it("holds threads that run, and knows the key that it is given", async () => {
    const { code, assets, packages } = here;
    expect(String(code.get("code"))).toContain('"a key"');
    expect(packages).toContain("node_modules/classic-level");
    const worker = new Worker(Buffer.from(assets.get("segment-worker.cjs") ?? []).toString(), { eval: true });
    expect(await once(worker, "message")).toEqual(["ready"]);
    await worker.terminate();
  });

  it("holds its code in chunks that V8 takes as they were compiled, those of a start with all their functions", () => {
    const code = "(function () { return function () { return 42; }; })";
    const scripts = new Map(["started", "later"].map((name) => [name, Buffer.from(code)]));
    const compiled = compiledChunks({ entry: "started", scripts, atStart: new Set(["started"]), files: [] });
    const sizes = [...compiled.values()].map((cachedData) => {
      // As the executable runs it: V8 takes it under the flags that it was compiled with, and no others.
      expect(taken(V8_FLAGS, code, cachedData)).toEqual({ rejected: false, answer: 42 });
      expect(taken([], code, cachedData)).toMatchObject({ rejected: true });
      return cachedData.length;
    });
    expect(sizes[0]).toBeGreaterThan(sizes[1] ?? Number.NaN);
  });

  it("has no compiled code where none can be made for the target", async () => {
    const other = targetNames().find((name) => name !== HERE) ?? "";
    expect([...(await bundle({ target: other, releaseKey: null })).code.keys()]).toEqual(["code"]);
    expect([...here.code.keys()]).toEqual(["code", "compiled"]);
  });

  it("is built for no target without a database engine", async () => {
    await expect(bundle({ target: "plan9-mips", releaseKey: null })).rejects.toThrow(/plan9-mips/);
  });
});

/** What a process under the flags makes of code that was compiled before. */
function taken(flags: readonly string[], code: string, cachedData: Uint8Array): unknown {
  const script = `
    const { code, cachedData } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
    const script = new (require("node:vm").Script)(code, { cachedData: Buffer.from(cachedData, "base64") });
    console.log(JSON.stringify({ rejected: script.cachedDataRejected, answer: script.runInThisContext()()() }));`;
  const input = JSON.stringify({ code, cachedData: Buffer.from(cachedData).toString("base64") });
  return JSON.parse(execFileSync(process.execPath, [...flags, "--eval", script], { input, encoding: "utf8" }));
}
