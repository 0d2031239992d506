/** The options that all code of the executable is bundled with, and what no code in it may do. */
import { join, relative } from "node:path";
import type { BuildOptions, Message } from "esbuild";
import { ROOT } from "./locked-file.ts";

/** The options that all code of the executable is bundled with. No path of this machine gets into the result. */
export const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: "node",
  target: "node26",
  conditions: ["standalone"],
  // No configuration file in or above the checkout changes what is built.
  tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  // Names are kept, so that stack traces can be read.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  metafile: true,
  write: false,
  logLevel: "silent",
} satisfies BuildOptions;

/**
 * INVARIANT: no code looks for a file beside the sources, because there is none in the executable. esbuild only warns
 * of it.
 */
export function expectNoWarning(entry: string, [warning]: readonly Message[]): void {
  if (warning === undefined) return;
  const { file, line } = warning.location ?? { file: entry, line: 0 };
  throw new Error(`${relative(ROOT, join(ROOT, file))}:${line}: ${warning.text}`);
}
