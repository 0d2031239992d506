/** Builds the executable that the tests drive, as whoever publishes it does. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { VERSION } from "@femtoclaw/protocol";

const ROOT = join(import.meta.dirname, "../../../..");
const run = promisify(execFile);

export interface Built {
  /** Path of the executable; its manifest lies beside it. */
  readonly program: string;
  readonly key: string;
}

/** A key pair in `folder`; the public part has the suffix `.pub`. */
export async function makeKey(folder: string, name: string): Promise<string> {
  const key = join(folder, name);
  await run(process.execPath, [join(ROOT, "tools/sign-release.ts"), "--new-key", key]);
  return key;
}

export async function build(
  out: string,
  key: string,
  { root = ROOT, target = `${process.platform}-${process.arch}` } = {},
): Promise<Built> {
  const options = ["--release-key", `${key}.pub`, "--out", out, "--target", target];
  await run(process.execPath, [join(root, "tools/build-binary.ts"), ...options], { cwd: root });
  return { program: join(out, `femtoclaw-${target}`), key };
}

export async function sign({ program, key }: Built): Promise<void> {
  await run(process.execPath, [join(ROOT, "tools/sign-release.ts"), "--key", key, `${program}.manifest.json`]);
}

/** The executable that the same sources make once they call themselves another version, signed as well. */
export async function asVersion(built: Built, version: string, out: string): Promise<string> {
  const clone = cloneTo(`${out}-sources`, bundledIn(built));
  const source = join(clone, "packages/protocol/src/version.ts");
  const text = readFileSync(source, "utf8");
  writeFileSync(source, text.replace(`VERSION = "${VERSION}"`, `VERSION = "${version}"`));
  const { program, key } = await build(out, built.key, { root: clone });
  rmSync(clone, { recursive: true });
  const next = join(out, "femtoclaw");
  for (const suffix of ["", ".manifest.json"]) renameSync(`${program}${suffix}`, `${next}${suffix}`);
  await sign({ program: next, key });
  return next;
}

/** The packages whose code is in it. */
export function bundledIn({ program }: Built): string[] {
  const bill = JSON.parse(readFileSync(`${program}.cdx.json`, "utf8")) as { components: { name: string }[] };
  return bill.components.map(({ name }) => name);
}

/** Another clone, with what a build reads of its packages. */
export function cloneTo(root: string, bundled: readonly string[]): string {
  for (const name of [
    "machines",
    "packages",
    "schemas",
    "bench",
    "tools",
    "package.json",
    "package-lock.json",
    "LICENSE",
  ]) {
    const filter = (path: string): boolean => !/\/(test|golden|node_modules)$/.test(path);
    cpSync(join(ROOT, name), join(root, name), { recursive: true, filter });
  }
  copyPackages("node_modules", root, new Set(bundled));
  return root;
}

/** What is bundled is copied, because a bundler goes by where files really lie; all else is only run, or read as a whole. */
function copyPackages(folder: string, root: string, bundled: ReadonlySet<string>): void {
  mkdirSync(join(root, folder), { recursive: true });
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const name = join(folder, entry.name);
    const isProgram = /^node-(linux|darwin|win)/.test(entry.name);
    if (entry.name.startsWith("@") && entry.name !== "@esbuild") copyPackages(name, root, bundled);
    else if (entry.isSymbolicLink() || (bundled.has(name.slice("node_modules/".length)) && !isProgram)) {
      cpSync(join(ROOT, name), join(root, name), COPY);
    } else link(name, root);
  }
}

const COPY = { recursive: true, verbatimSymlinks: true };

function link(name: string, root: string): void {
  symlinkSync(join(ROOT, name), join(root, name));
}

/** Changes one byte and says how to undo it. Nothing else of the file changes, but for what the kernel notes. */
export function flipByte(path: string, at: number): () => void {
  const bytes = readFileSync(path);
  const flip = (): void => {
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    // The same file, so that its place stays; the mode is that of a program already.
    writeFileSync(path, bytes);
  };
  flip();
  return flip;
}

/** Where in the executable one of its parts begins. */
export function partAt(program: string, part: Uint8Array): number {
  const at = readFileSync(program).indexOf(part.subarray(0, 4_096));
  if (at === -1) throw new Error(`the executable in ${dirname(program)} does not hold the part`);
  return at;
}
