/**
 * A command loads what it needs. One that asks a running host needs neither the gate nor the policy engine nor a
 * database, one about rules no runtime, and a host that starts nothing that looks back at its history.
 */
import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const LAUNCH = join(import.meta.dirname, "../src/launch.js");
const TELL = `import { registerHooks } from "node:module";
registerHooks({ load: (url, context, next) => (console.error(url), next(url, context)) });`;
const HEAVY =
  /\/packages\/(?:policy|sandbox\/src\/(?!children\/child-limits)|runtime\/src\/(?:gate|runtime\.ts))|\/classic-level\//;
const OF_A_RUNTIME =
  /\/packages\/(?:journal\/src\/(?:index|live|journal)\.ts|runtime\/src\/(?:index|live|gate|runtime)\b)|\/classic-level\//;
const LOOKS_BACK =
  /\/packages\/(?:journal\/src\/(?:index\.ts|audit\/verify)|policy\/src\/(?:index\.ts|explaining)|runtime\/src\/(?:index\.ts|re(?:play|decide)\/|epochs\/(?:fork|open-epoch|restore)))/;
/** LIMIT: files that a host loads before it reads its configuration. Each costs a start a third of a millisecond. */
const HOST_FILES_MAX = 663;

/** What the command consists of is loaded before its configuration is looked for. */
function loadedBy(words: string): string[] {
  const tell = `data:text/javascript,${encodeURIComponent(TELL)}`;
  const args = ["--import", tell, LAUNCH, "--config", "/nonexistent/femtoclaw.toml", ...words.split(" ")];
  const { stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  const loaded = stderr.split("\n").filter((line) => line.startsWith("file:"));
  expect(loaded.filter((url) => url.includes("/packages/runtime/src/configuration/"))).not.toEqual([]);
  return loaded;
}

test.each(["status", "approvals list", "executions list", "call fs_stat", "up --detach"])("%s", (words) => {
  expect(loadedBy(words).filter((url) => HEAVY.test(url))).toEqual([]);
});

test.each(["policy check", "trust"])("%s", (words) => {
  const loaded = loadedBy(words);
  expect(loaded.filter((url) => url.includes("/packages/host/src/process/preflight.ts"))).not.toEqual([]);
  expect(loaded.filter((url) => OF_A_RUNTIME.test(url))).toEqual([]);
});

test("up", () => {
  const loaded = loadedBy("up");
  expect(loaded.filter((url) => url.includes("/packages/runtime/src/runtime.ts"))).not.toEqual([]);
  expect(loaded.filter((url) => LOOKS_BACK.test(url))).toEqual([]);
  expect(loaded.length).toBeLessThanOrEqual(HOST_FILES_MAX);
  // One that was found by another name would be loaded twice.
  const paths = loaded.map((url) => fileURLToPath(url));
  expect(paths.filter((path) => realpathSync(path) !== path)).toEqual([]);
});

test("an older Node.js is told which one is needed, and loads nothing that it cannot read", () => {
  const old = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } });';
  const tell = `data:text/javascript,${encodeURIComponent(`${TELL}${old}`)}`;
  const { status, stderr } = spawnSync(process.execPath, ["--import", tell, LAUNCH, "--version"], { encoding: "utf8" });
  expect(status).toBe(69);
  const [needed] = process.versions.node.split(".");
  expect(stderr).toContain(`femtoclaw: Node.js ${needed} or newer is needed`);
  const loaded = stderr.split("\n").filter((line) => line.startsWith("file:"));
  expect(loaded.map((url) => fileURLToPath(url))).toEqual([realpathSync(LAUNCH)]);
});
