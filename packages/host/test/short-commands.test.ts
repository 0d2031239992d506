/** A command that asks a running host starts at once: it loads neither the gate nor the policy engine nor a database. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const LAUNCH = join(import.meta.dirname, "../src/launch.js");
const TELL = `import { registerHooks } from "node:module";
registerHooks({ load: (url, context, next) => (console.error(url), next(url, context)) });`;
const HEAVY =
  /\/packages\/(?:policy|sandbox\/src\/(?!child-limits)|runtime\/src\/(?:gate|runtime\.ts))|\/classic-level\//;

test.each(["status", "approvals list", "executions list", "call fs_stat", "up --detach"])("%s", (words) => {
  const tell = `data:text/javascript,${encodeURIComponent(TELL)}`;
  const args = ["--import", tell, LAUNCH, "--config", "/nonexistent/femtoclaw.toml", ...words.split(" ")];
  const { stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  const loaded = stderr.split("\n").filter((line) => line.startsWith("file:"));
  // What the command consists of is loaded before its configuration is looked for.
  expect(loaded.filter((url) => url.includes("/packages/runtime/src/configuration/"))).not.toEqual([]);
  expect(loaded.filter((url) => HEAVY.test(url))).toEqual([]);
});
