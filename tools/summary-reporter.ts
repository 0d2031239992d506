/**
 * Ends a test run with one plain line that scripts can read: `N passed, N failed`. Before it, names tests that passed
 * only when retried, the page that says what skipped ones need, and a missing sandbox where tests have failed.
 */
import { spawnSync } from "node:child_process";
import type { Reporter, TestModule, Vitest } from "vitest/node";

export default class SummaryReporter implements Reporter {
  /** Tests that are skipped because they have other names need nothing. */
  #isByName = false;

  onInit({ config }: Pick<Vitest, "config">): void {
    this.#isByName = config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandledErrors.length;
    let skipped = 0;
    const flaky: string[] = [];
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) {
        const { state } = test.result();
        if (state === "passed") passed += 1;
        else if (state === "skipped") skipped += 1;
        else failed += 1;
        if (test.diagnostic()?.flaky === true) flaky.push(`${module.relativeModuleId} > ${test.fullName}`);
      }
      // A hook that fails fails no test: those behind it are skipped, and those before it have passed.
      for (const suite of module.children.allSuites()) failed += suite.errors().length;
      failed += Math.max(module.errors().length, tests.length === 0 ? 1 : 0);
    }
    for (const name of flaky) process.stdout.write(`\nflaky, passed when it was run again: ${name}`);
    const missing = failed > 0 ? missingSandbox() : null;
    if (missing !== null) process.stdout.write(`\nbubblewrap does not work here, and many tests need it: ${missing}`);
    if (skipped > 0 && !this.#isByName) process.stdout.write("\nCONTRIBUTING.md says what skipped tests need");
    process.stdout.write(`\n${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}\n`);
  }
}

/** Why bubblewrap starts nothing; null if it does. */
function missingSandbox(): string | null {
  const options = ["--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--", "true"];
  const { status, error, stderr } = spawnSync("bwrap", options, { encoding: "utf8" });
  return status === 0 ? null : (error?.message ?? stderr.trim());
}
