/** Begins with the test files that take longest, so that the last ones to end are short. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Longest first; each takes more than twenty seconds. Vitest itself goes by the size of files where it measured none. */
const LONGEST = [
  "packages/conformance/test/conformance.acceptance.test.ts",
  "packages/host/test/host-life.acceptance.test.ts",
  "packages/host/test/policy/hindsight.acceptance.test.ts",
  "packages/host/test/standalone/executable.acceptance.test.ts",
  "packages/host/test/host.crash.test.ts",
  "packages/testing/test/simulation.acceptance.test.ts",
  "packages/runtime/test/exploration/exploration.acceptance.test.ts",
  "packages/host/test/epochs.acceptance.test.ts",
  "packages/host/test/command-line.acceptance.test.ts",
];

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const root = join(import.meta.dirname, "..");
    const paths = LONGEST.map((name) => join(root, name));
    assert.deepEqual(
      paths.filter((path) => !existsSync(path)),
      [],
      "a test file has another name now",
    );
    const place = ({ moduleId }: TestSpecification): number => {
      const at = paths.indexOf(moduleId);
      return at === -1 ? paths.length : at;
    };
    return (await super.sort(files)).toSorted((left, right) => place(left) - place(right));
  }
}
