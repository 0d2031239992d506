/** Parts of the build of the executable, each by itself; the whole is driven by packages/host/test/standalone. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { bundle } from "../binary/bundle.ts";
import { stripElf } from "../binary/strip-elf.ts";

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
});

describe("the bundle", () => {
  it("holds threads that run, and knows the key that it is given", async () => {
    const { main, assets, packages } = await bundle({ target: "linux-x64", releaseKey: "a key" });
    const code = Buffer.from(main).toString();
    expect(code).toContain('"a key"');
    expect(packages).toContain("node_modules/classic-level");
    const worker = new Worker(Buffer.from(assets.get("segment-worker.cjs") ?? []).toString(), { eval: true });
    expect(await once(worker, "message")).toEqual(["ready"]);
    await worker.terminate();
  });

  it("is built for no target without a database engine", async () => {
    await expect(bundle({ target: "plan9-mips", releaseKey: null })).rejects.toThrow(/plan9-mips/);
  });
});
