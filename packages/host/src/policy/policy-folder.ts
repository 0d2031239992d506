/** Sorts the files of the policy folder by their role. */
import type { PolicyFile } from "@femtoclaw/policy";
import { FemtoError, printable } from "@femtoclaw/protocol";

export interface PolicySetFiles {
  readonly cedar: readonly PolicyFile[];
  readonly tests: readonly PolicyFile[];
}

export interface PolicyFolder {
  readonly inForce: PolicySetFiles;
  /**
   * The Cedar files in `shadow` together with those in force that have no namesake there, and the tests in `shadow`
   * alone.
   */
  readonly onTrial: PolicySetFiles;
  /** Names of the files in `shadow`. */
  readonly shadowNames: readonly string[];
}

const CEDAR = ".cedar";
const TESTS = ".test.toml";
/** For people; never read. */
const NOTES = ".md";
/** The folder of the rules on trial. */
const SHADOW = "shadow/";

/**
 * INVARIANT: I3: every rule that was written is in force or the whole policy is refused; no file is skipped silently.
 */
export function policyFolder(files: ReadonlyMap<string, Uint8Array>): PolicyFolder {
  const all = [...files].map(([name, bytes]) => ({ name, bytes })).sort(byName);
  const unknown = all.filter(({ name }) => ![CEDAR, TESTS, NOTES].some((ending) => name.endsWith(ending)));
  if (unknown.length > 0) {
    const lines = unknown.map(({ name }) => `policy/${printable(name)}: expected *${CEDAR}, *${TESTS} or *${NOTES}`);
    throw new FemtoError("FEMTO_POLICY_INVALID", lines.join("\n"));
  }
  const inForce = setOf(all.filter(({ name }) => !name.startsWith(SHADOW)));
  const shadow = setOf(
    all
      .filter(({ name }) => name.startsWith(SHADOW))
      .map(({ name, bytes }) => ({ name: name.slice(SHADOW.length), bytes, readFrom: name })),
  );
  const replaced = new Set(shadow.cedar.map(({ name }) => name));
  return {
    inForce,
    onTrial: {
      cedar: [...inForce.cedar.filter(({ name }) => !replaced.has(name)), ...shadow.cedar].sort(byName),
      tests: shadow.tests,
    },
    shadowNames: [...shadow.cedar, ...shadow.tests].map(({ readFrom, name }) => readFrom ?? name),
  };
}

function setOf(files: readonly PolicyFile[]): PolicySetFiles {
  return {
    cedar: files.filter(({ name }) => name.endsWith(CEDAR)),
    tests: files.filter(({ name }) => name.endsWith(TESTS)),
  };
}

const byName = (a: PolicyFile, b: PolicyFile): number => (a.name < b.name ? -1 : 1);
