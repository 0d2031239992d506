/**
 * Turns the sources into the contents of an executable: one file of code, and the parts beside it with their digests.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join, relative } from "node:path";
import { build, type Plugin } from "esbuild";
import { withHints } from "../../packages/policy/src/engine/engine-compilation.ts";
import { COMMON, expectNoWarning } from "./bundle-options.ts";
import { chunksOf } from "./chunks.ts";
import { lockedFile, ROOT } from "./locked-file.ts";
import { packChunks } from "./packed-chunks.ts";
import { targetOf } from "./targets.ts";

export interface Bundle {
  /** The code that runs first and loads the chunks. */
  readonly main: Uint8Array;
  /** The parts that hold the chunks, by name. */
  readonly code: ReadonlyMap<string, Uint8Array>;
  /** All other parts, by name. */
  readonly assets: ReadonlyMap<string, Uint8Array>;
  /** Folders of the packages whose code is included, relative to the root. */
  readonly packages: readonly string[];
}

export interface BundleOptions {
  /** For example `linux-x64`. */
  readonly target: string;
  /** The public key, in PEM, whose signatures the executable accepts; null for none. */
  readonly releaseKey: string | null;
}

const CEDAR = "node_modules/@cedar-policy/cedar-wasm";
const ENTRY = "packages/host/src/standalone/main.ts";
/** What a host imports, in this order, until it takes calls. */
const START = ["program/run-command.ts", "commands/command-context.ts", "commands/host/up.ts"].map(
  (name) => `packages/host/src/${name}`,
);

export async function bundle({ target, releaseKey }: BundleOptions): Promise<Bundle> {
  const { database, terminals } = targetOf(target);
  const inputs = new Set<string>([`${CEDAR}/package.json`]);
  const assets = new Map<string, Uint8Array>();
  const built = () => ({
    FEMTOCLAW_ASSETS: JSON.stringify(digestsOf(assets)),
    FEMTOCLAW_RELEASE_KEY: JSON.stringify(releaseKey),
  });
  const compiled = async (entry: string): Promise<Uint8Array> => {
    const { code, files } = await bundled(entry, built());
    for (const file of files) inputs.add(file);
    return code;
  };
  assets.set("cedar.wasm", withHints(file(`${CEDAR}/web/cedar_wasm_bg.wasm`)));
  assets.set("cedar.cjs", await glue());
  if (database !== null) assets.set("classic-level.node", file(`node_modules/classic-level/prebuilds/${database}`));
  if (terminals !== null) {
    assets.set("pty.node", lockedFile(terminals, "pty.node"));
    inputs.add(`node_modules/${terminals}/package.json`);
  }
  for (const name of readdirSync(join(ROOT, "machines/frozen")).sort()) {
    if (/@\d+\.js$/.test(name)) assets.set(`machines/${name}`, file(`machines/frozen/${name}`));
  }
  assets.set("segment-worker.cjs", await compiled("packages/journal/src/audit/segment-worker.ts"));
  assets.set("trial-worker.cjs", await compiled("packages/policy/src/files/trial-worker.ts"));
  // Last, because this part holds the digests of all others.
  const chunks = await chunksOf({ entry: ENTRY, start: START, define: built(), plugins: [standaloneFiles] });
  for (const file of chunks.files) inputs.add(file);
  const packed = packChunks(chunks, target);
  const { code: main } = await bundled("packages/host/src/standalone/chunks.ts", {
    FEMTOCLAW_ENTRY: JSON.stringify(chunks.entry),
    FEMTOCLAW_CHUNKS: JSON.stringify(packed.places),
  });
  const packages = new Set([...inputs].map(packageOf).filter((name) => name !== null));
  return { main, code: packed.parts, assets, packages: [...packages].sort() };
}

export function digestsOf(assets: ReadonlyMap<string, Uint8Array>): Record<string, string> {
  const entries = [...assets].map(([name, bytes]): [string, string] => [name, sha256(bytes)]);
  return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function file(path: string): Uint8Array {
  return readFileSync(join(ROOT, path));
}

async function bundled(entry: string, define: Record<string, string>): Promise<{ code: Uint8Array; files: string[] }> {
  const result = await build({
    ...COMMON,
    entryPoints: [entry],
    define,
    plugins: [standaloneFiles],
    format: "cjs",
  });
  expectNoWarning(entry, result.warnings);
  const imports = Object.values(result.metafile.outputs).flatMap((output) => output.imports);
  const missing = imports.find(({ path }) => !isBuiltin(path));
  if (missing !== undefined) throw new Error(`${entry} imports ${missing.path}, which is not in the executable`);
  return { code: result.outputFiles[0]?.contents ?? new Uint8Array(), files: Object.keys(result.metafile.inputs) };
}

/** The glue code of the engine's WebAssembly, which is evaluated once for each instance. */
async function glue(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    ...COMMON,
    format: "cjs",
    entryPoints: [`${CEDAR}/web/cedar_wasm.js`],
    // The glue code uses this only to fetch its WebAssembly, which it is always given.
    define: { "import.meta.url": '"about:blank"' },
  });
  return outputFiles[0]?.contents ?? new Uint8Array();
}

/** Replaces code of dependencies that loads files: they are taken from the executable instead. */
const standaloneFiles: Plugin = {
  name: "standalone-files",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]classic-level[\\/]binding\.js$/ }, ({ path }) => {
      expectText(path, "module.exports = require('node-gyp-build')(__dirname)");
      const loader = join(ROOT, "packages/host/src/standalone/native-addon.ts");
      return { contents: `module.exports = require(${JSON.stringify(loader)}).addon("classic-level.node")` };
    });
    onLoad({ filter: /[\\/]node-pty[\\/]requireBinary\.js$/ }, ({ path }) => {
      expectText(path, "exports.requireBinary = requireBinary;");
      const loader = join(ROOT, "packages/host/src/standalone/native-addon.ts");
      return { contents: `exports.requireBinary = require(${JSON.stringify(loader)}).addon` };
    });
    onLoad({ filter: /[\\/]machines[\\/]frozen[\\/]index\.js$/ }, ({ path }) => ({
      contents: expectText(path, "import.meta.url").replaceAll(
        /new URL\("\.\/([^"]+)", import\.meta\.url\)\.href/g,
        '"machines/$1"',
      ),
    }));
  },
};

/** Fails if a new version of a dependency no longer has the code that is replaced. */
function expectText(path: string, text: string): string {
  const contents = readFileSync(path, "utf8");
  if (!contents.includes(text)) throw new Error(`${relative(ROOT, path)} holds no \`${text}\` any more`);
  return contents;
}

function packageOf(input: string): string | null {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? null;
}
