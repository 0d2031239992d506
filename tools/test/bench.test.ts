/**
 * `npm run bench`, in a checkout of which the build and the command are stood for: what they are given, and how it
 * ends.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ROOT } from "../binary/locked-file.ts";
import { HERE, targetOf } from "../binary/targets.ts";

const BUILD = "tools/build-binary.ts";
const COMMAND = "packages/host/src/launch.js";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "femtoclaw-bench-test-")));
  for (const path of ["tools/bench.ts", "tools/binary/locked-file.ts", "tools/binary/targets.ts", "package.json"])
    cpSync(join(ROOT, path), join(root, path));
  mkdirSync(join(root, "packages/host/src"), { recursive: true });
  mkdirSync(join(root, "elsewhere"));
  standIn(BUILD);
  standIn(COMMAND);
});
afterEach(() => rmSync(root, { recursive: true }));

/** Writes down what it was called with, says so, and ends. */
function standIn(path: string, end = ""): void {
  const text = `import { appendFileSync } from "node:fs";
appendFileSync(${JSON.stringify(join(root, "called"))}, JSON.stringify([${JSON.stringify(path)}, process.cwd(), ...process.argv.slice(2)]) + "\\n");
console.log(${JSON.stringify(`${path} on stdout`)});
console.error(${JSON.stringify(`${path} on stderr`)});
${end}`;
  writeFileSync(join(root, path), text);
}

function bench(...words: string[]) {
  const elsewhere = join(root, "elsewhere");
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "tools/bench.ts"), ...words], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, INIT_CWD: elsewhere },
  });
  const called = readFileSync(join(root, "called"), "utf8").trimEnd().split("\n");
  return { status, stdout, stderr, called: called.map((line) => JSON.parse(line) as string[]) };
}

test("builds the executable, and has the command measure it with what it was given, where it was called", () => {
  const { status, stdout, stderr, called } = bench("execution", "--json", "--compare", "before.json");
  const elsewhere = join(root, "elsewhere");
  const executable = join(root, "dist", `femtoclaw-${HERE}${targetOf(HERE).suffix}`);
  expect(called).toEqual([
    [BUILD, elsewhere, "--out", join(root, "dist")],
    [COMMAND, elsewhere, "bench", "execution", "--json", "--compare", "before.json", "--bin", executable],
  ]);
  // What a program reads is of the command alone.
  expect([status, stdout]).toEqual([0, `${COMMAND} on stdout\n`]);
  for (const path of [BUILD, COMMAND]) expect(stderr).toContain(`${path} on stderr\n`);
});

test.each([["--bin", "mine"], ["--bin=mine"], ["--help"]])(
  "builds nothing where it measures none of its own: %s",
  (...words) => {
    const { status, called } = bench("startup", ...words);
    expect(called).toEqual([[COMMAND, join(root, "elsewhere"), "bench", "startup", ...words]]);
    expect(status).toBe(0);
  },
);

test.each([
  ["with a code", "process.exit(3)", 3],
  ["by a signal", 'process.kill(process.pid, "SIGKILL")', 1],
])("measures nothing where the build ends %s", (_, end, code) => {
  standIn(BUILD, end);
  const { status, called } = bench("execution");
  expect([status, called.map(([path]) => path)]).toEqual([code, [BUILD]]);
});

test.each([
  ["with a code", "process.exit(64)", 64],
  ["by a signal", 'process.kill(process.pid, "SIGKILL")', 1],
])("ends as the command does that ends %s", (_, end, code) => {
  standIn(COMMAND, end);
  expect(bench("nonsense").status).toBe(code);
});
