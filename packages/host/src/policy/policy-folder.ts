/** What the files of the policy folder are. */
import type { PolicyFile } from "@femtoclaw/policy";
import { FemtoError, printable } from "@femtoclaw/protocol";

export interface PolicyFolder {
  readonly cedar: readonly PolicyFile[];
  readonly tests: readonly PolicyFile[];
}

const CEDAR = ".cedar";
const TESTS = ".test.toml";
/** For people; nothing reads them. */
const NOTES = ".md";

/** INVARIANT: I3: a rule that somebody wrote is in force, or nothing is; no file is passed over in silence. */
export function policyFolder(files: ReadonlyMap<string, Uint8Array>): PolicyFolder {
  const all = [...files].map(([name, bytes]) => ({ name, bytes })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const unknown = all.filter(({ name }) => ![CEDAR, TESTS, NOTES].some((ending) => name.endsWith(ending)));
  if (unknown.length > 0) {
    const lines = unknown.map(({ name }) => `policy/${printable(name)}: expected *${CEDAR}, *${TESTS} or *${NOTES}`);
    throw new FemtoError("FEMTO_POLICY_INVALID", lines.join("\n"));
  }
  return {
    cedar: all.filter(({ name }) => name.endsWith(CEDAR)),
    tests: all.filter(({ name }) => name.endsWith(TESTS)),
  };
}
