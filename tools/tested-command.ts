/**
 * Puts the sources of the command into few files, before the tests. Together they start it some thousand times, and for
 * most commands to load some hundred sources takes longer than what is asked of them.
 */
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type OutputFile, type Plugin } from "esbuild";
import { ROOT } from "./binary/locked-file.ts";

/** The file that the command is, those that its threads are, and processes of tests that are started as often. */
const ENTRIES = {
  launch: "packages/host/src/launch.js",
  "segment-worker": "packages/journal/src/audit/segment-worker.ts",
  "trial-worker": "packages/policy/src/files/trial-worker.ts",
  "append-until-killed": "packages/journal/test/append-until-killed.ts",
  "die-at-step": "packages/runtime/test/epochs/die-at-step.ts",
  "propose-until-killed": "packages/runtime/test/propose-until-killed.ts",
  "remove-until-killed": "packages/journal/test/remove-until-killed.ts",
  "replay-export": "packages/runtime/test/replay/replay-export.ts",
};
const FOLDER = join(ROOT, "node_modules/.cache/femtoclaw-command");
/** LIMIT: how long a folder stays that no run of tests began with. */
const UNUSED_MS_MAX = 86_400_000;

/** Tests find the command by this word of their environment; without it they start the sources themselves. */
export default async function setup(): Promise<void> {
  process.env["TESTED_COMMAND"] = await bundleCommand(FOLDER);
}

/** Each state of the sources gets a folder of its own, so that two runs of tests do not take it from each other. */
export async function bundleCommand(within: string): Promise<string> {
  const files = await bundled();
  const hash = createHash("sha256");
  for (const { path, contents } of files) hash.update(`${basename(path)} ${contents.length}\n`).update(contents);
  const folder = join(within, hash.digest("hex").slice(0, 16));
  if (!existsSync(folder)) writeAtOnce(folder, files);
  utimesSync(folder, new Date(), new Date());
  removeUnused(within);
  return join(folder, "launch.mjs");
}

async function bundled(): Promise<OutputFile[]> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES,
    outdir: FOLDER,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node26",
    // The same as the executable's: no configuration file in or above the checkout changes what is built.
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    plugins: [ownSources],
    write: false,
    logLevel: "warning",
  });
  return outputFiles;
}

/** Includes our sources alone. Each still says where it lies, so that what is read or run beside it is the source's. */
const ownSources: Plugin = {
  name: "own-sources",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[^.#/]/ }, ({ path }) => {
      // A program of the tests may take something from a module that its test takes more from.
      return path.startsWith("@femtoclaw/") ? undefined : { path, external: true, sideEffects: path !== "vitest" };
    });
    onLoad({ filter: /\.[jt]s$/ }, async ({ path }) => {
      const contents = (await readFile(path, "utf8"))
        .replaceAll(/"\.\/((?:segment|trial)-worker)\.ts", import\.meta\.url/g, '"./$1.mjs", import.meta["url"]')
        .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href))
        .replaceAll("import.meta.dirname", JSON.stringify(dirname(path)));
      return { contents, loader: path.endsWith(".ts") ? "ts" : "js" };
    });
  },
};

/** A folder with this name is whole: another run may make the same at the same time. */
function writeAtOnce(folder: string, files: readonly OutputFile[]): void {
  const unfinished = `${folder}.${randomUUID()}`;
  mkdirSync(unfinished, { recursive: true });
  for (const { path, contents } of files) writeFileSync(join(unfinished, basename(path)), contents);
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
}

function removeUnused(within: string): void {
  for (const name of readdirSync(within)) {
    const folder = join(within, name);
    const unusedMs = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (unusedMs > UNUSED_MS_MAX) rmSync(folder, { recursive: true, force: true });
  }
}
