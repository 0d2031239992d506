/** The plain line at the end of a test run counts everything that makes the run fail. */
import { expect, test, vi } from "vitest";
import type { TestModule, Vitest } from "vitest/node";
import SummaryReporter from "../summary-reporter.ts";

interface Ran {
  readonly tests: readonly ("passed" | "failed" | "skipped")[];
  /** Errors of the file itself, such as one that cannot be loaded, and of the hooks of its suites. */
  readonly errors?: number;
  readonly suites?: readonly number[];
}

/** What it writes at the end of a run, of the tests with some names where there is a pattern. */
function lineOf(files: readonly Ran[], unhandled = 0, testNamePattern?: RegExp): string {
  const errors = (count: number) => Array.from({ length: count }, () => new Error("it fails"));
  const modules = files.map(({ tests, errors: own = 0, suites = [] }) => ({
    relativeModuleId: "a.test.ts",
    errors: () => errors(own),
    children: {
      allTests: () => tests.map((state) => ({ result: () => ({ state }), diagnostic: () => undefined })),
      allSuites: () => suites.map((count) => ({ errors: () => errors(count) })),
    },
  }));
  const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  try {
    const reporter = new SummaryReporter();
    reporter.onInit({ config: { testNamePattern } as Vitest["config"] });
    reporter.onTestRunEnd(modules as unknown as TestModule[], errors(unhandled));
    return written.mock.calls.map(([text]) => String(text)).join("");
  } finally {
    written.mockRestore();
  }
}

test.each<readonly [string, readonly Ran[], number, string]>([
  ["tests", [{ tests: ["passed", "failed", "passed"] }, { tests: ["skipped"] }], 0, "2 passed, 1 failed, 1 skipped"],
  ["a hook before tests that fails", [{ tests: ["skipped"], suites: [1] }], 0, "0 passed, 1 failed, 1 skipped"],
  ["a hook after tests that fails", [{ tests: ["passed"], suites: [0, 1] }], 0, "1 passed, 1 failed"],
  ["a hook of a whole file", [{ tests: ["passed"], errors: 1 }], 0, "1 passed, 1 failed"],
  ["a file that cannot be loaded", [{ tests: [], errors: 1 }], 0, "0 passed, 1 failed"],
  ["a file without tests", [{ tests: [] }], 0, "0 passed, 1 failed"],
  ["what nobody handled", [{ tests: ["passed"] }], 2, "1 passed, 2 failed"],
])("%s", (_what, files, unhandled, line) => {
  expect(lineOf(files, unhandled).split("\n").slice(-2)).toEqual([line, ""]);
});

test("says that there is no bubblewrap where tests have failed, and only there", () => {
  const [sound, broken] = [[{ tests: ["passed"] }], [{ tests: ["failed"] }]] as const;
  expect(lineOf(broken)).not.toContain("bubblewrap");
  vi.stubEnv("PATH", import.meta.dirname);
  try {
    expect(lineOf(broken)).toMatch(
      /^\nbubblewrap does not work here, and many tests need it: .*ENOENT\n0 passed, 1 failed\n$/,
    );
    expect(lineOf(sound)).toBe("\n1 passed, 0 failed\n");
  } finally {
    vi.unstubAllEnvs();
  }
});

test("says where it stands what skipped tests need, but not of those that have other names", () => {
  const files = [{ tests: ["passed", "skipped"] }] as const;
  const line = "\n1 passed, 0 failed, 1 skipped\n";
  expect(lineOf(files)).toBe(`\nCONTRIBUTING.md says what skipped tests need${line}`);
  expect(lineOf(files, 0, /one/)).toBe(line);
  expect(lineOf([{ tests: ["passed"] }])).toBe("\n1 passed, 0 failed\n");
});
