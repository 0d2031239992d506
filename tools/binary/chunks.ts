/**
 * The code of the executable in chunks: files that always run together form one chunk, and what is imported later forms
 * another. They are bundled as modules, because only those can be split, and then turned into scripts, which are read
 * at once.
 */
import { isBuiltin } from "node:module";
import { type BuildOptions, build, type Metafile, transform } from "esbuild";
import { COMMON, expectNoWarning } from "./bundle-options.ts";

export interface Chunks {
  /** The chunk that runs first. */
  readonly entry: string;
  /** Scripts by name, each of which is a function of `exports`, `require` and `module`. */
  readonly scripts: ReadonlyMap<string, Uint8Array>;
  /** The chunks that a process has read once it has imported `entry` and then each of `start`, in order. */
  readonly atStart: ReadonlySet<string>;
  /** The source files that are included, relative to the root. */
  readonly files: readonly string[];
}

export interface ChunksOptions extends Pick<BuildOptions, "define" | "plugins"> {
  readonly entry: string;
  /** The sources that a host has imported by the time it takes calls. */
  readonly start: readonly string[];
}

/** The names do not begin like paths of any system. */
const FOLDER = "chunks";

export async function chunksOf({ entry, start, ...options }: ChunksOptions): Promise<Chunks> {
  const { metafile, outputFiles, warnings } = await build({
    ...COMMON,
    ...options,
    entryPoints: [entry],
    outdir: FOLDER,
    format: "esm",
    splitting: true,
    entryNames: "[name]",
  });
  expectNoWarning(entry, warnings);
  expectOnlyBuiltins(entry, metafile);
  expectNamedExports(metafile);
  const scripts = new Map<string, Uint8Array>();
  for (const { path, text } of outputFiles) {
    const name = path.slice(path.lastIndexOf(`/${FOLDER}/`) + FOLDER.length + 2);
    scripts.set(name, await scriptOf(name, text));
  }
  const chunkOf = new Map(
    Object.entries(metafile.outputs).flatMap(([path, { entryPoint }]) =>
      entryPoint === undefined ? [] : [[entryPoint, path] as const],
    ),
  );
  const atStart = new Set<string>();
  for (const source of [entry, ...start]) addImported(metafile.outputs, pathOf(chunkOf, source), atStart);
  return {
    entry: nameOf(pathOf(chunkOf, entry)),
    scripts,
    atStart: new Set([...atStart].map(nameOf)),
    files: Object.keys(metafile.inputs),
  };
}

const nameOf = (path: string): string => path.slice(FOLDER.length + 1);

function pathOf(chunkOf: ReadonlyMap<string, string>, source: string): string {
  const path = chunkOf.get(source);
  if (path === undefined) throw new Error(`${source} is imported by nobody as a chunk of its own`);
  return path;
}

/** The chunk and all chunks that it imports statically. */
function addImported(outputs: Metafile["outputs"], path: string, found: Set<string>): void {
  if (found.has(path)) return;
  found.add(path);
  for (const { path: next, kind, external } of outputs[path]?.imports ?? []) {
    if (kind === "import-statement" && external !== true) addImported(outputs, next, found);
  }
}

/** Turns a module into a script, whose imports all happen at once, dynamic ones too. */
async function scriptOf(name: string, text: string): Promise<Uint8Array> {
  const { minifySyntax, minifyWhitespace, legalComments, platform, target } = COMMON;
  const { code, warnings } = await transform(text, {
    minifySyntax,
    minifyWhitespace,
    legalComments,
    platform,
    target,
    format: "cjs",
    sourcefile: name,
    supported: { "dynamic-import": false },
  });
  expectNoWarning(name, warnings);
  const script = Buffer.from(`(function(exports,require,module){${code}})`);
  // INVARIANT: the code is ASCII, because it is read byte by byte.
  if (script.some((byte) => byte > 0x7f)) throw new Error(`${name} is not ASCII`);
  return script;
}

/**
 * INVARIANT: every name that the sources import dynamically exists. A CommonJS file in a chunk of its own exports
 * nothing but a default, so that each named import is undefined, and neither esbuild nor the compiler reports it.
 */
function expectNamedExports({ inputs }: Metafile): void {
  for (const [file, { imports }] of Object.entries(inputs)) {
    if (file.startsWith("node_modules/")) continue;
    const nameless = imports.find(({ path, kind }) => kind === "dynamic-import" && inputs[path]?.format === "cjs");
    if (nameless === undefined) continue;
    throw new Error(`${file} imports ${nameless.path} later; let it import a module that exports its names`);
  }
}

function expectOnlyBuiltins(entry: string, { outputs }: Metafile): void {
  const missing = Object.values(outputs)
    .flatMap(({ imports }) => imports)
    .find(({ path, external }) => external === true && !isBuiltin(path));
  if (missing !== undefined) throw new Error(`${entry} imports ${missing.path}, which is not in the executable`);
}
