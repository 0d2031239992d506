/** `npm run defences`: takes one defence after the other away, and ends with 1 when the corpus does not notice. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { DEFENCES } from "./defences.ts";

const CONFIG = join(import.meta.dirname, "vitest.config.ts");
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !DEFENCES.some((defence) => defence.name === name));
if (unknown.length > 0) throw new Error(`no defence is called ${unknown.join(" or ")}`);
let unnoticed = 0;

for (const { name } of DEFENCES.filter((defence) => wanted.length === 0 || wanted.includes(defence.name))) {
  const { stdout, stderr } = spawnSync("npx", ["vitest", "run", "--config", CONFIG], {
    encoding: "utf8",
    env: { ...process.env, DEFENCE: name, NO_COLOR: "1" },
  });
  // Failed cases, and nothing else, are what notices: a suite that cannot even start has tried no case.
  const failed = [...(stdout + stderr).matchAll(/^\s*× (.+?) \d+ms$/gm)].map((match) => match[1]);
  if (failed.length === 0) unnoticed += 1;
  const told = failed.length === 0 ? "NOT NOTICED" : `noticed by ${failed.length}, such as ${failed[0]}`;
  process.stdout.write(`${name}: ${told}\n`);
}

process.exitCode = unnoticed === 0 ? 0 : 1;
