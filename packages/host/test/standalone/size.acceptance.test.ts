/** What the guide says of the executable's size is so. */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { build, makeKey } from "./build.ts";

const GUIDE = join(import.meta.dirname, "../../../../docs/guides/binary.md");

test("the executable is as large as its guide says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "femtoclaw-size-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { program } = await build(join(folder, "out"), await makeKey(folder, "release.key"));
  const [, megabytes] = /`femtoclaw-linux-x64` \| the executable, (\d+) MB/.exec(readFileSync(GUIDE, "utf8")) ?? [];
  expect(Math.abs(statSync(program).size / 1e6 - Number(megabytes))).toBeLessThan(3);
});
