/**
 * Builds the packages that npm installs. Node.js does not strip types below node_modules, so each package holds JavaScript
 * with the same names, lines and columns as the sources, and declarations.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { ROOT } from "./binary/locked-file.ts";
import { toolWords } from "./tool-words.ts";

interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** The package to begin with; the packages that it depends on are built too. */
const HOST = "packages/host";
/** The name under which it is installed, the same as that of its command. */
const COMMAND = "femtoclaw";
const ENGINES = { node: ">=26" };
/** The folders of a package that its users need. */
const FOLDERS = ["src", "frozen"];

const { values } = toolWords({
  name: "build:packages",
  purpose: "Makes the packages that npm installs: the command, and all of ours that it depends on.",
  options: { out: ["dir", "folder that they are written to, instead of dist/packages; what is in it goes"] },
});
const from = process.env["INIT_CWD"] ?? process.cwd();
const out = values.out === undefined ? join(ROOT, "dist/packages") : resolve(from, values.out);
const work = mkdtempSync(join(tmpdir(), "femtoclaw-packages-"));
try {
  const folders = packagesFrom(HOST);
  const declarations = join(work, "declarations");
  declare(declarations, folders);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const staged = folders.map((folder) => join(work, "staged", folder));
  for (const [index, folder] of folders.entries()) stage(folder, staged[index] ?? "", declarations);
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", out, ...staged]);
  for (const name of packed.toString().trim().split("\n")) console.log(join(out, name));
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** The folders of the package and of all workspace packages that it depends on. */
function packagesFrom(first: string): readonly string[] {
  const places = [
    "machines",
    "schemas",
    "bench",
    ...readdirSync(join(ROOT, "packages")).map((name) => `packages/${name}`),
  ];
  const byName = new Map(places.map((place) => [packageFile(place).name, place]));
  const found = new Set([first]);
  for (const place of found) {
    for (const name of Object.keys(packageFile(place).dependencies ?? {})) {
      const ours = byName.get(name);
      if (ours !== undefined) found.add(ours);
    }
  }
  return [...found].sort();
}

function packageFile(folder: string): PackageFile {
  return JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")) as PackageFile;
}

/** The declarations of all sources, in the same folders. The types were checked with those of the whole checkout. */
function declare(into: string, folders: readonly string[]): void {
  mkdirSync(into, { recursive: true });
  const configuration = {
    extends: join(ROOT, "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      noCheck: true,
      rootDir: ROOT,
      outDir: into,
      typeRoots: [join(ROOT, "node_modules/@types")],
    },
    include: folders.map((folder) => join(ROOT, folder, "src")),
  };
  const file = join(into, "tsconfig.json");
  writeFileSync(file, JSON.stringify(configuration));
  execFileSync(join(ROOT, "node_modules/.bin/tsc"), ["-p", file], { stdio: "inherit" });
}

function stage(folder: string, staged: string, declarations: string): void {
  mkdirSync(staged, { recursive: true });
  cpSync(join(ROOT, "LICENSE"), join(staged, "LICENSE"));
  writeFileSync(join(staged, "package.json"), `${JSON.stringify(published(folder), null, 2)}\n`);
  for (const path of filesOf(folder)) {
    const [source, to] = [join(ROOT, folder, path), join(staged, path)];
    mkdirSync(dirname(to), { recursive: true });
    if (!/\.[jt]s$/.test(path)) cpSync(source, to);
    else if (!path.endsWith(".ts") || path.endsWith(".d.ts"))
      writeFileSync(to, asJavaScript(readFileSync(source, "utf8")));
    else {
      // INVARIANT: types are replaced by blanks, so that stack traces point into the sources.
      const code = stripTypeScriptTypes(readFileSync(source, "utf8"), { mode: "strip" });
      writeFileSync(to.replace(/\.ts$/, ".js"), asJavaScript(code));
      const declared = path.replace(/\.ts$/, ".d.ts");
      writeFileSync(join(staged, declared), asJavaScript(readFileSync(join(declarations, folder, declared), "utf8")));
    }
  }
}

/** The sources and the files beside them, without the variants that only the executable uses. */
function filesOf(folder: string): readonly string[] {
  const schemas = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(".schema.json"));
  const sources = FOLDERS.flatMap((name) => {
    const place = join(ROOT, folder, name);
    const entries = readdirSync(join(ROOT, folder)).includes(name)
      ? readdirSync(place, { recursive: true, withFileTypes: true })
      : [];
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(join(ROOT, folder), join(entry.parentPath, entry.name)));
  });
  return [...sources, ...schemas].filter((path) => !/\.standalone\.ts$|^src\/standalone\//.test(path));
}

/** Replaces the names of sources by their names in the package. */
function asJavaScript(text: string): string {
  return text.replaceAll(/(["'])(\.{1,2}\/[^"'\n]*?)\.ts\1/g, "$1$2.js$1");
}

/** The package.json for npm: it names JavaScript files, one variant of each, and the Node.js that is needed. */
function published(folder: string): Record<string, unknown> {
  const { name, imports, exports, ...fields } = packageFile(folder);
  const single = Object.entries((imports ?? {}) as Record<string, { readonly default: string }>).map(([key, forms]) => {
    return [key, forms.default];
  });
  const named = JSON.stringify({
    ...(exports === undefined ? {} : { exports }),
    ...(single.length === 0 ? {} : { imports: Object.fromEntries(single) }),
  });
  const rewritten = JSON.parse(asJavaScript(named)) as object;
  return { name: folder === HOST ? COMMAND : name, ...fields, ...rewritten, engines: ENGINES };
}
