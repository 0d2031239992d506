/** Starts the longest test files first, so that no worker is left with a long one when all others have ended. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * What takes most processor time, or waits longest, comes first. Vitest itself orders
 * files that it has not yet measured by their size.
 */
const LONGEST = [
  "packages/host/test/standalone/executable.acceptance.test.ts",
  "packages/conformance/test/conformance.acceptance.test.ts",
  "packages/host/test/policy/hindsight.acceptance.test.ts",
  "packages/host/test/stopping.security.test.ts",
  "packages/host/test/host-life.acceptance.test.ts",
  "packages/host/test/bench.acceptance.test.ts",
  "packages/host/test/inspect/inspect.acceptance.test.ts",
  "packages/runtime/test/exploration/exploration.acceptance.test.ts",
  "packages/host/test/corpus/calls.security.test.ts",
  "packages/host/test/terminals/landlock-terminals.acceptance.test.ts",
  "packages/host/test/bad-input.security.test.ts",
  "packages/host/test/reached-places.security.test.ts",
  "packages/runtime/test/runtime.crash.test.ts",
  "packages/host/test/host.crash.test.ts",
  "packages/policy/test/decisions/decision.property.test.ts",
  "packages/testing/test/simulation.acceptance.test.ts",
  "packages/journal/test/audit/verify-threads.property.test.ts",
  "packages/host/test/epochs.acceptance.test.ts",
  "packages/runtime/test/epochs/epochs.crash.test.ts",
  "packages/mcp/test/mcp.security.test.ts",
  "packages/host/test/client-memory.acceptance.test.ts",
  "packages/journal/test/journal.crash.test.ts",
  "packages/host/test/full-disk.acceptance.test.ts",
  "packages/host/test/witness/witness.acceptance.test.ts",
  "packages/host/test/command-line.acceptance.test.ts",
  "packages/host/test/backup/backup.acceptance.test.ts",
  "packages/host/test/odd-surroundings.security.test.ts",
  "packages/journal/test/leveldb-files.security.test.ts",
  "packages/mcp/test/mcp.acceptance.test.ts",
  "packages/host/test/new-files.security.test.ts",
  "packages/journal/test/full-disk.security.test.ts",
  "packages/runtime/test/gate/hostile-session.security.test.ts",
  "packages/host/test/sockets.security.test.ts",
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
