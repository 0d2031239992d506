/** Turns Cedar files into rules that can be compiled, and reports everything that is wrong with them at once. */
import {
  type Authority,
  type CapabilityManifest,
  FemtoError,
  isWithin,
  type PathGrant,
  printable,
} from "@femtoclaw/protocol";
import { connects, policyActions } from "../schema.ts";
import type { LintFinding } from "../tables/lint.ts";
import { checkNames, type NameLookup } from "./check-names.ts";
import { type FileRule, type NamedEntity, type PolicyFile, REAL_FILE, type WrittenPath } from "./file-rule.ts";
import type { PolicyTrial } from "./trial.ts";

interface PolicyFilesRequest {
  readonly files: readonly PolicyFile[];
  readonly manifests: readonly CapabilityManifest[];
  readonly authority: Authority;
  /** Principals that can propose. */
  readonly agents: readonly string[];
  readonly lookup: NameLookup;
  /** Files and folders whose code the host runs outside every sandbox. */
  readonly ownPrograms?: readonly string[];
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
  ownPrograms = [],
  ...known
}: PolicyFilesRequest): Promise<PolicyFileRules> {
  if (files.length === 0) return { rules: [], warnings: [] };
  const actions = policyActions(manifests, connects(authority));
  const reading = await trial.read(files, actions);
  const named = checkNames(reading.names, { ...known, actions });
  const opened = openedFiles(reading.names, known.lookup);
  const places = [
    ...authority.searchPath,
    ...permittedFiles(authority),
    ...opened.map(({ path }) => path),
    ...ownPrograms,
  ];
  const findings = [
    ...reading.findings,
    ...named.findings,
    ...replacing(reading.written, places, authority),
    ...replaceable(opened, authority),
  ];
  if (findings.length > 0) throw new FemtoError("FEMTO_POLICY_INVALID", inFileOrder(findings).map(text).join("\n"));
  return { rules: reading.rules, warnings: inFileOrder([...reading.warnings, ...named.warnings]) };
}

function permittedFiles({ allow, ask, launch = [] }: Authority): string[] {
  return [...allow.run, ...ask.run, ...launch].map(({ realPath }) => realPath);
}

interface OpenedFile {
  readonly source: string;
  /** The file that a permit of these policies lets calls run. */
  readonly path: string;
  /** Whether the permit says that whatever it opens is meant. */
  readonly isMeant: boolean;
}

function openedFiles(names: readonly NamedEntity[], lookup: NameLookup): OpenedFile[] {
  return names.flatMap(({ source, type, id, opens }) => {
    if (opens === null) return [];
    const found = type === REAL_FILE ? { realPath: id } : lookup.program(id);
    return "problem" in found ? [] : [{ source, path: found.realPath, isMeant: opens === "unsafe" }];
  });
}

/**
 * INVARIANT: no call writes where a permitted program is looked up, or where FemtoClaw is. Otherwise writing files would
 * mean running any code.
 */
function replacing(written: readonly WrittenPath[], places: readonly string[], { deny }: Authority): LintFinding[] {
  return written.flatMap(({ source, path }) => {
    const open = (place: string) => (isWithin(place, path) || isWithin(path, place)) && !isAmong(place, deny.write);
    const place = places.find(open);
    return place === undefined
      ? []
      : [{ source, message: `calls could replace programs in ${printable(place)}; ${MEANT}` }];
  });
}

/** The same, where a policy permits the program and a table lets calls write. */
function replaceable(opened: readonly OpenedFile[], { allow, ask, deny }: Authority): LintFinding[] {
  return opened.flatMap(({ source, path, isMeant }) => {
    const grant = isMeant ? undefined : [...allow.write, ...ask.write].find((one) => isWithin(path, one.path));
    if (grant === undefined || isAmong(path, deny.write)) return [];
    const message = `calls could replace the program ${printable(path)}, where ${grant.source} lets them write; ${MEANT}`;
    return [{ source, message }];
  });
}

const MEANT = 'deny writing there, or say that this is meant with @unsafe("why")';

function isAmong(path: string, grants: readonly PathGrant[]): boolean {
  return grants.some((grant) => isWithin(path, grant.path));
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
