import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { COMMAND, SOURCES } from "../../packages/host/test/playground.ts";
import { bundleCommand } from "../tested-command.ts";

const folder = mkdtempSync("/tmp/femtoclaw-tested-");
let made: string;
beforeAll(async () => {
  made = await bundleCommand(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

test("what the tests start is the sources as they are now", () => {
  expect(dirname(made).slice(folder.length)).toBe(`/${COMMAND[1].split("/").at(-2)}`);
  const [said, expected] = [COMMAND, SOURCES].map(([program, launch]) => execFileSync(program, [launch, "--help"]));
  expect(String(said)).toBe(String(expected));
});

test("it holds all of our code and none of anybody else's, and only a thread is looked for beside it", () => {
  const from = dirname(made);
  const texts = readdirSync(from).map((name) => readFileSync(join(from, name), "utf8"));
  const imported = texts.flatMap((text) => [...text.matchAll(/^(?:import|export)\b[^"]*? from "([^".][^"]*)";$/gm)]);
  const others = new Set(imported.map(([, name = ""]) => name).filter((name) => !isBuiltin(name)));
  expect([...others].filter((name) => name.startsWith("@femtoclaw/"))).toEqual([]);
  expect(others.has("commander")).toBe(true);
  expect(texts.join("\n")).not.toMatch(/^\/\/ node_modules\//m);
  const beside = texts.flatMap(
    (text) => text.match(/"[^"]*", import\.meta\b(?!\.resolve\b).{0,7}|import\.meta\.(?!resolve\b)\w+/g) ?? [],
  );
  expect(beside.sort()).toEqual([
    '"./segment-worker.mjs", import.meta["url"]',
    '"./trial-worker.mjs", import.meta["url"]',
  ]);
});

test("a folder that no run has begun with for a day is removed, and no other", async () => {
  const [old, recent] = ["old", "recent"].map((name) => join(folder, name));
  for (const path of [old, recent]) mkdirSync(String(path));
  const yesterday = Date.now() / 1_000 - 90_000;
  utimesSync(String(old), yesterday, yesterday);
  const launch = await bundleCommand(folder);
  expect([old, recent, launch].map((path) => existsSync(String(path)))).toEqual([false, true, true]);
});
