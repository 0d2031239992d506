/** Starts the longest test files first, so that no worker is left with a long one when all others have ended. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The longest comes first; on an idle machine each of these takes more than about twenty seconds. Vitest itself orders
 * files that it has not yet measured by their size.
 */
const LONGEST = [
  "packages/conformance/test/conformance.acceptance.test.ts",
  "packages/host/test/policy/hindsight.acceptance.test.ts",
  "packages/host/test/stopping.security.test.ts",
  "packages/host/test/standalone/executable.acceptance.test.ts",
  "packages/host/test/host-life.acceptance.test.ts",
  "packages/host/test/inspect/inspect.acceptance.test.ts",
  "packages/host/test/host.crash.test.ts",
  "packages/host/test/secrets.security.test.ts",
  "packages/runtime/test/projection/projection.property.test.ts",
  "packages/host/test/inspect/inspect.security.test.ts",
  "packages/runtime/test/exploration/exploration.acceptance.test.ts",
  "packages/runtime/test/network/net-fetch.security.test.ts",
  "packages/host/test/command-line.acceptance.test.ts",
  "packages/host/test/witness/witness.acceptance.test.ts",
  "packages/runtime/test/terminals/terminals.security.test.ts",
  "packages/testing/test/simulation.acceptance.test.ts",
  "packages/host/test/epochs.acceptance.test.ts",
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
