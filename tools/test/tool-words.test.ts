/** What the tools of `npm run` say where they are asked how they are used, or told what they do not know: sentences, no stack. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../binary/locked-file.ts";

const TOOLS = {
  "build:binary": ["build-binary.ts", "--release-key <file>"],
  "build:packages": ["build-packages.ts", "--out <dir>"],
  "build:deb": ["build-deb.ts", "--binary <file>"],
  sign: ["sign-release.ts", "--new-key <file>"],
} as const;

function run(tool: keyof typeof TOOLS, ...words: string[]) {
  const script = join(ROOT, "tools", TOOLS[tool][0]);
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...words], { encoding: "utf8" });
  return { status, stdout, stderr };
}

test.each(Object.keys(TOOLS) as (keyof typeof TOOLS)[])("%s tells how it is used", (tool) => {
  const help = run(tool, "--help");
  expect(help).toMatchObject({ status: 0, stderr: "" });
  expect(help.stdout).toMatch(new RegExp(`^Usage: npm run ${tool} -- \\[options\\]`));
  expect(help.stdout).toContain(`  ${TOOLS[tool][1]} `);
});

test.each([
  ["build:binary", ["--nonsense"], "Unknown option '--nonsense'"],
  ["build:binary", ["--target", "vms-vax"], "no executable is built for vms-vax, but for linux-x64, "],
  ["build:binary", ["--release-key", "/dev/null"], "/dev/null holds no Ed25519 key"],
  ["build:packages", ["extra"], "Unexpected argument 'extra'"],
  ["build:deb", ["--binary", "/nonexistent"], "/nonexistent is not named after a Linux"],
  ["build:deb", ["--binary", "/nonexistent/femtoclaw-linux-x64"], "femtoclaw-linux-x64 is missing: run"],
  ["sign", [], "name a private key with --key, or make one with --new-key"],
  ["sign", ["--key", "/dev/null"], "/dev/null holds no private Ed25519 key"],
  ["sign", ["--new-key", "/dev/null"], "/dev/null is there already"],
] as const)("%s %j is told what is wrong", (tool, words, reason) => {
  const { status, stdout, stderr } = run(tool, ...words);
  expect({ status, stdout }).toEqual({ status: 64, stdout: "" });
  expect(stderr).toContain(`npm run ${tool}: ${reason}`);
  expect(stderr).toMatch(/\n {2}fix: .+\n$/);
});
