/**
 * Writes what the inspector ships: a chart of every version of every machine, and its page as one script and one style
 * sheet. With `--check` it compares instead of writing, names each stale file and exits with 1.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { FROZEN_MACHINES } from "@femtoclaw/machines";
import { build } from "esbuild";
import { minifySync } from "rolldown/utils";
import { chartOf } from "./statechart-layout.ts";

const INSPECTOR = fileURLToPath(new URL("../../packages/inspector", import.meta.url));
const check = process.argv.includes("--check");
const faults: string[] = [];

/**
 * LIMIT: bytes of the page's script, compressed, because it is read on every opening and is part of every exported
 * file. A screen of records in such a file has as many, so a kilobyte that tells a person more is worth its room.
 */
const SCRIPT_BYTES_MAX = 26_624;

const charts = [];
for (const frozen of FROZEN_MACHINES) {
  charts.push(await chartOf(frozen, await frozen.load()));
}
put(
  "charts.ts",
  `// Generated from the machines by \`npm run generate\`. Do not edit.
import type { Chart } from "../chart.ts";

/** The chart of every version of every machine. */
export const CHARTS: readonly Chart[] = [
${charts.map((chart) => `  ${JSON.stringify(chart)},\n`).join("")}];
`,
);

const script = await bundled("main.tsx");
const style = await bundled("page.css");
const compressed = gzipSync(script, { level: 9 }).length;
if (compressed > SCRIPT_BYTES_MAX) faults.push(`the page's script has ${compressed} bytes compressed`);
put(
  "page.ts",
  `// Generated from packages/inspector/page by \`npm run generate\`. Do not edit.
/** The page's script and its style sheet. */
export const PAGE_SCRIPT = ${JSON.stringify(script)};
export const PAGE_STYLE = ${JSON.stringify(style)};
`,
);
if (!check) console.log(`page: ${script.length} bytes, ${compressed} compressed`);
for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;

async function bundled(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(INSPECTOR, "page", file)],
    bundle: true,
    minify: true,
    write: false,
    legalComments: "none",
    format: "iife",
    platform: "browser",
    target: "es2022",
    charset: "ascii",
    jsx: "automatic",
    jsxImportSource: "preact",
  });
  const text = outputFiles[0]?.text ?? "";
  // Once more by another minifier, which finds half a kilobyte that the bundler's own leaves.
  const least = file.endsWith(".css") ? text : minifySync("page.js", text).code;
  // The text `</script` would end the element that the script is embedded in.
  return least.replaceAll("</script", "<\\/script").replaceAll("</style", "<\\/style");
}

function put(file: string, text: string): void {
  const path = join(INSPECTOR, "src/generated", file);
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  if (check) faults.push(`stale: packages/inspector/src/generated/${file}; run \`npm run generate\``);
  else writeFileSync(path, text);
}
