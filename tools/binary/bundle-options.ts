/** What all code in the executable is built by, and what no code in it may do. */
import { join, relative } from "node:path";
import type { BuildOptions, Message } from "esbuild";
import { ROOT } from "./locked-file.ts";

/** What all code in the executable is built by; no path of this machine gets into it. */
export const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: "node",
  target: "node26",
  conditions: ["standalone"],
  // Nothing in or above a clone changes what is built.
  tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  // Names stay, so that the place of a fault can be read.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  metafile: true,
  write: false,
  logLevel: "silent",
} satisfies BuildOptions;

/** INVARIANT: a file that is sought beside the sources is not there in the executable, and esbuild only warns of it. */
export function expectNoWarning(entry: string, [warning]: readonly Message[]): void {
  if (warning === undefined) return;
  const { file, line } = warning.location ?? { file: entry, line: 0 };
  throw new Error(`${relative(ROOT, join(ROOT, file))}:${line}: ${warning.text}`);
}
