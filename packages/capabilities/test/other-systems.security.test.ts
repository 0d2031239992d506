/** What calls are decided on where FemtoClaw does not run on Linux: a fact that cannot be held is none. */

import { createHash } from "node:crypto";
import { readFileSync, realpathSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { builtinCapabilities, type FactsResult, type JsonObject, namedFiles, takeFacts } from "../src/index.ts";
import { Playground } from "./playground.ts";

async function taken(
  place: Playground,
  platform: NodeJS.Platform,
  tool: string,
  args: JsonObject,
): Promise<FactsResult> {
  const manifest = builtinCapabilities.find((capability) => capability.manifest.name === tool)?.manifest;
  if (manifest === undefined) throw new Error(`there is no ${tool}`);
  const { authority, digests } = place;
  return await takeFacts({ manifest, args, authority, sandbox: null, digests, platform });
}

const CALLS: readonly (readonly [tool: string, args: JsonObject])[] = [
  ["fs_read", { path: "a" }],
  ["fs_list", { path: "." }],
  ["fs_stat", { path: "a" }],
  ["fs_search", { path: ".", pattern: "x" }],
  ["fs_write", { path: "out/x", content: "x", mode: "create" }],
  ["fs_edit", { path: "a", edits: [] }],
  ["fs_mkdir", { path: "out/x", parents: true }],
  ["fs_move", { from: "a", to: "out/x" }],
  ["fs_delete", { path: "a" }],
];

describe("a call on a file", () => {
  it.each(["darwin", "win32", "freebsd"] as const)("is refused on %s, whatever it is", async (platform) => {
    using place = new Playground();
    place.file("a");
    const files = builtinCapabilities.filter(({ manifest }) => manifest.arguments.some(({ kind }) => kind === "path"));
    expect(CALLS.map(([tool]) => tool).sort()).toEqual(files.map(({ manifest }) => manifest.name).sort());
    for (const [tool, args] of CALLS) {
      expect([tool, await taken(place, platform, tool, args)]).toEqual([
        tool,
        { ok: false, reason: expect.stringContaining("calls on files are taken on Linux alone") },
      ]);
    }
  });
});

describe("a program", () => {
  it("is found on macOS by the same facts as on Linux", async () => {
    using place = new Playground();
    symlinkSync("out", join(place.workspace, "linked"));
    place.file("out/script", "echo");
    const args = { bin: "sh", argv: ["script", "-c", "x"], cwd: "linked" };
    const facts = async (platform: NodeJS.Platform): Promise<unknown> => {
      const found = await taken(place, platform, "process_exec", args);
      if (!found.ok) return found.reason;
      await using _ = found.bound;
      return { ...found.facts, ...(await namedFiles(found.bound, place.authority, platform)) };
    };
    const onMac = await facts("darwin");
    expect(onMac).toEqual(await facts("linux"));
    const real = realpathSync("/usr/bin/sh");
    const sha256 = createHash("sha256").update(readFileSync(real)).digest("hex");
    expect(onMac).toMatchObject({
      questions: [{ real_path: real, sha256, cwd: join(place.workspace, "out") }],
      // What an operator says yes to, by its content.
      files: [{ path: join(place.workspace, "out/script"), sha256: createHash("sha256").update("echo").digest("hex") }],
    });
  });

  it.each(["win32", "freebsd"] as const)("is refused on %s", async (platform) => {
    using place = new Playground();
    const found = await taken(place, platform, "process_exec", { bin: "sh", argv: [] });
    expect(found).toEqual({ ok: false, reason: expect.stringContaining(`on ${platform}`) });
  });
});
