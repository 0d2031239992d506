import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import LongestFirst from "./tools/longest-first.ts";

/**
 * All processes of the tests have this one. With the one that some systems give to people, the group could change what a
 * test makes, and all that others can change is refused. A test of another umask sets it in a process of its own.
 */
process.umask(0o022);

/** Time limits end what hangs, on a slow machine too; they measure nothing. What a test awaits gets this long. */
const expect = { poll: { timeout: 120_000 } };

/**
 * On a machine that does much else a test that waits for processes may fail by chance. There it is run once more, and named
 * at the end as one to mend. What is true for all inputs, or after a kill, has to hold the first time.
 */
const retry = process.env["CI"] === undefined ? 0 : 1;

/**
 * Files of these kinds run one after the other in as many processes as there are workers, and load and compile once what
 * all of them need. No module keeps anything that changes, and a test gives back what it takes of the process. What kills,
 * and what looks at the whole from outside, has a process for each file.
 */
const isolate = false;

/** One project per kind of test; the file's suffix picks it. */
export default defineConfig({
  test: {
    reporters: ["default", "./tools/summary-reporter.ts"],
    // A test waits for processes much of the time, so that one file at a time leaves a small machine idle; with more
    // than two files on two processors all of it takes longer.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
    globalSetup: "./tools/tested-command.ts",
    // Each process of a test is a new one, and compiles nothing that another one compiled before.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/femtoclaw-tests") },
    projects: [
      {
        test: {
          name: "unit",
          isolate,
          include: ["packages/*/test/**/*.test.ts", "machines/test/**/*.test.ts", "{tools,bench}/test/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 240_000,
          retry,
          expect,
          exclude: ["**/*.{property,security,crash,acceptance}.test.ts", "**/node_modules/**"],
        },
      },
      {
        test: {
          name: "property",
          isolate,
          include: ["{packages/*,machines}/test/**/*.property.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 240_000,
          expect,
        },
      },
      {
        test: {
          name: "security",
          isolate,
          include: ["packages/*/test/**/*.security.test.ts"],
          testTimeout: 480_000,
          hookTimeout: 240_000,
          retry,
          expect,
        },
      },
      {
        test: {
          name: "crash",
          include: ["packages/*/test/**/*.crash.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 240_000,
          expect,
        },
      },
      {
        test: {
          name: "acceptance",
          include: ["packages/*/test/**/*.acceptance.test.ts", "examples/*/*.test.ts"],
          testTimeout: 480_000,
          hookTimeout: 240_000,
          retry,
          expect,
        },
      },
    ],
  },
});
