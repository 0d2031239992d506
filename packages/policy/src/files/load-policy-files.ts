/** From Cedar files to rules that can be compiled, with everything that is wrong with them at once. */
import { type CapabilityManifest, FemtoError } from "@femtoclaw/protocol";
import type { LintFinding } from "../lint.ts";
import { policyActions } from "../schema.ts";
import { checkNames, type NameLookup } from "./check-names.ts";
import type { FileRule, PolicyFile } from "./file-rule.ts";
import type { PolicyTrial } from "./trial.ts";

export interface PolicyFilesRequest {
  readonly files: readonly PolicyFile[];
  readonly manifests: readonly CapabilityManifest[];
  /** Principals that can propose. */
  readonly agents: readonly string[];
  readonly lookup: NameLookup;
  /** Where unknown text meets the engine. */
  readonly trial: PolicyTrial;
}

export interface PolicyFileRules {
  readonly rules: readonly FileRule[];
  readonly warnings: readonly LintFinding[];
}

/** Throws one FEMTO_POLICY_INVALID that lists every finding with its place. */
export async function loadPolicyFiles({
  files,
  manifests,
  trial,
  ...known
}: PolicyFilesRequest): Promise<PolicyFileRules> {
  if (files.length === 0) return { rules: [], warnings: [] };
  const actions = policyActions(manifests);
  const reading = await trial.read(files, actions);
  const named = checkNames(reading.names, { ...known, actions });
  const findings = [...reading.findings, ...named.findings];
  if (findings.length > 0) throw new FemtoError("FEMTO_POLICY_INVALID", inFileOrder(findings).join("\n"));
  return { rules: reading.rules, warnings: [...reading.warnings, ...named.warnings] };
}

/** LIMIT: findings that are reported at once; nobody mends more at a time. */
const FINDINGS_MAX = 50;

function inFileOrder(findings: readonly LintFinding[]): string[] {
  const lines = new Set(findings.map(({ source, message }) => `${source}: ${message}`));
  // `file:9:1` before `file:12:1`.
  const sorted = [...lines].sort((left, right) => left.localeCompare(right, "en", { numeric: true }));
  if (sorted.length <= FINDINGS_MAX) return sorted;
  return [...sorted.slice(0, FINDINGS_MAX), `and ${sorted.length - FINDINGS_MAX} more`];
}
