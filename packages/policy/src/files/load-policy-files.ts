/** Turns Cedar files into rules that can be compiled, and reports everything that is wrong with them at once. */
import { type Authority, type CapabilityManifest, FemtoError, isWithin, printable } from "@femtoclaw/protocol";
import { connects, policyActions } from "../schema.ts";
import type { LintFinding } from "../tables/lint.ts";
import { checkNames, type NameLookup } from "./check-names.ts";
import type { FileRule, PolicyFile, WrittenPath } from "./file-rule.ts";
import type { PolicyTrial } from "./trial.ts";

interface PolicyFilesRequest {
  readonly files: readonly PolicyFile[];
  readonly manifests: readonly CapabilityManifest[];
  readonly authority: Authority;
  /** Principals that can propose. */
  readonly agents: readonly string[];
  readonly lookup: NameLookup;
  /** The thread in which the engine reads text that nobody has checked yet. */
  readonly trial: PolicyTrial;
}

/** The rules of all files, checked, and warnings about them. */
export interface PolicyFileRules {
  readonly rules: readonly FileRule[];
  readonly warnings: readonly LintFinding[];
}

/** Throws a single FEMTO_POLICY_INVALID that lists every finding with its place. */
export async function loadPolicyFiles({
  files,
  manifests,
  authority,
  trial,
  ...known
}: PolicyFilesRequest): Promise<PolicyFileRules> {
  if (files.length === 0) return { rules: [], warnings: [] };
  const actions = policyActions(manifests, connects(authority));
  const reading = await trial.read(files, actions);
  const named = checkNames(reading.names, { ...known, actions });
  const findings = [...reading.findings, ...named.findings, ...replaceable(reading.written, authority)];
  if (findings.length > 0) throw new FemtoError("FEMTO_POLICY_INVALID", inFileOrder(findings).map(text).join("\n"));
  return { rules: reading.rules, warnings: inFileOrder([...reading.warnings, ...named.warnings]) };
}

/**
 * INVARIANT: no call writes where a permitted program is looked up. Otherwise writing files would mean running any
 * code.
 */
function replaceable(
  written: readonly WrittenPath[],
  { searchPath, allow, ask, deny, launch = [] }: Authority,
): LintFinding[] {
  const places = [...searchPath, ...[...allow.run, ...ask.run, ...launch].map(({ realPath }) => realPath)];
  return written.flatMap(({ source, path }) => {
    const open = (place: string) =>
      (isWithin(place, path) || isWithin(path, place)) && !deny.write.some((denied) => isWithin(place, denied.path));
    const place = places.find(open);
    if (place === undefined) return [];
    const message = `calls could replace programs in ${printable(place)}; deny writing there, or say that this is meant with @unsafe("why")`;
    return [{ source, message }];
  });
}

/** LIMIT: findings or warnings that are reported at once; nobody mends more at a time. */
const REPORTED_MAX = 50;

function inFileOrder(findings: readonly LintFinding[]): LintFinding[] {
  const distinct = new Map(findings.map((finding) => [text(finding), finding]));
  // `file:9:1` before `file:12:1`.
  const sorted = [...distinct].sort(([left], [right]) => left.localeCompare(right, "en", { numeric: true }));
  const shown = sorted.slice(0, REPORTED_MAX).map(([, finding]) => finding);
  if (sorted.length <= REPORTED_MAX) return shown;
  return [...shown, { source: "policy", message: `and ${sorted.length - REPORTED_MAX} more` }];
}

const text = ({ source, message }: LintFinding): string => `${source}: ${message}`;
