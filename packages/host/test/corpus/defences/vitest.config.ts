/** Runs the corpus without one defence: its change is made to the source as it is loaded, and to no file. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { DEFENCES, TESTS } from "./defences.ts";

const ROOT = resolve(import.meta.dirname, "../../../../..");
const defence = DEFENCES.find(({ name }) => name === process.env["DEFENCE"]);
if (defence === undefined) throw new Error(`no defence is called ${process.env["DEFENCE"]}`);
const { file, from, to, kind, title } = defence;
if (readFileSync(join(ROOT, file), "utf8").split(from).length !== 2)
  throw new Error(`${file} does not hold once: ${from}`);

export default defineConfig({
  root: ROOT,
  plugins: [
    {
      name: "without-a-defence",
      enforce: "pre",
      transform(code: string, id: string): string | undefined {
        if (id !== join(ROOT, file)) return undefined;
        return code.replace(from, () => to);
      },
    },
  ],
  test: {
    // A source without its defence is kept nowhere.
    fsModuleCache: false,
    include: [TESTS[kind]],
    testNamePattern: title,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
