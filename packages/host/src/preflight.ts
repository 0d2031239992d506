/**
 * From a loaded configuration to a policy that may be put in force: compiled, tried out, and tested by its
 * own tests. All of it before the journal is opened, so that a mistake leaves no trace in history.
 */
import { builtinCapabilities } from "@femtoclaw/capabilities";
import {
  type CompiledPolicy,
  compilePolicy,
  createPolicyEngine,
  type LintFinding,
  loadPolicyFiles,
  type PolicyFileRules,
  PolicyTrial,
} from "@femtoclaw/policy";
import { type CapabilityManifest, FemtoError, printable } from "@femtoclaw/protocol";
import { machineNames, type PolicyFilesOption, type Surroundings } from "@femtoclaw/runtime";
import type { LoadedConfiguration } from "./configuration/load-configuration.ts";
import { policyFolder } from "./policy/policy-folder.ts";
import type { PolicyTestResult } from "./policy/policy-test.ts";
import { readPolicyTests } from "./policy/read-tests.ts";
import { runPolicyTests, type TestBench } from "./policy/run-tests.ts";

export interface LoadedPolicy {
  readonly compiled: CompiledPolicy;
  /** For the runtime. */
  readonly policyFiles: PolicyFilesOption;
  /** What an operator should know, and may have meant. */
  readonly warnings: readonly LintFinding[];
  readonly results: readonly PolicyTestResult[];
}

type Project = Pick<LoadedConfiguration, "path" | "resolved" | "policyFiles">;

/** Who proposes, beside the agents with tables of their own; a Cedar file can name nobody else. */
const EVERYBODY = "default";

/** Makes an engine on which tests are asked; a runtime that is started has one of its own. */
type OpenEngine = Surroundings["openPolicyEngine"];

/** LIMIT: failed tests that one message tells of; `femtoclaw policy test` tells of all. */
const REPORTED_MAX = 50;

/** Throws FEMTO_CONFIG_INVALID or FEMTO_POLICY_INVALID, the latter also when one of the policy's own tests fails. */
export async function loadPolicy(project: Project, openEngine: OpenEngine = createPolicyEngine): Promise<LoadedPolicy> {
  const loaded = await testPolicy(project, openEngine);
  const failed = loaded.results.filter(({ fault }) => fault !== null);
  if (failed.length === 0) return loaded;
  const more = failed.length > REPORTED_MAX ? [`and ${failed.length - REPORTED_MAX} more`] : [];
  throw new FemtoError("FEMTO_POLICY_INVALID", [...failed.slice(0, REPORTED_MAX).map(failureText), ...more].join("\n"));
}

/** The same, but failed tests are results and no error. */
export async function testPolicy(project: Project, openEngine: OpenEngine = createPolicyEngine): Promise<LoadedPolicy> {
  const manifests = knownManifests(project);
  const { authority, approvals } = project.resolved;
  const folder = policyFolder(project.policyFiles);
  await using trial = new PolicyTrial();
  const [{ rules, warnings: found }, tests] = await bothOf(
    fileRules(project, trial),
    (async () => readPolicyTests(folder.tests, manifests))(),
  );
  const warnings = [...found, ...unanswerable(rules, approvals.operators.length)];
  const compiled = compilePolicy({ authority, manifests, fileRules: rules });
  const policyFiles = { rules, triedRevision: compiled.revision };
  if (rules.length === 0 && tests.length === 0) return { compiled, policyFiles, warnings, results: [] };
  // The tables compile only to shapes that the engine takes, so that they need no thread of their own.
  const engine = rules.length > 0 ? trial : await openEngine({});
  await engine.activate(compiled);
  const decideAll: TestBench["decideAll"] = (request) => engine.decideAll(request);
  return { compiled, policyFiles, warnings, results: await runPolicyTests(tests, { authority, manifests, decideAll }) };
}

/** What a Cedar file asks of more operators than there are is denied, which somebody may not have meant. */
function unanswerable(rules: PolicyFileRules["rules"], operators: number): LintFinding[] {
  return rules.flatMap(({ source, approvers = 1 }) => {
    if (approvers === 1 || approvers <= operators) return [];
    const message = `@approval("${approvers}") denies, because fewer operators (${operators}) have a key`;
    return [{ source, message }];
  });
}

/** Whoever mends the one wants to hear of the other too. */
async function bothOf<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  const faults = (await Promise.allSettled([one, other])).flatMap((settled) =>
    settled.status === "rejected" ? [settled.reason] : [],
  );
  if (faults.length === 2 && faults.every((fault) => fault instanceof FemtoError)) {
    throw new FemtoError("FEMTO_POLICY_INVALID", faults.map(({ message }) => message).join("\n"));
  }
  return await Promise.all([one, other]);
}

/** The rules that the project compiles to, without its tests. */
export async function compiledPolicyOf(project: Project): Promise<CompiledPolicy> {
  const { authority } = project.resolved;
  await using trial = new PolicyTrial();
  const { rules } = await fileRules(project, trial);
  return compilePolicy({ authority, manifests: knownManifests(project), fileRules: rules });
}

async function fileRules(project: Project, trial: PolicyTrial): Promise<PolicyFileRules> {
  const { cedar } = policyFolder(project.policyFiles);
  const manifests = knownManifests(project);
  const { authority } = project.resolved;
  const lookup = machineNames(authority.searchPath);
  return await loadPolicyFiles({
    files: cedar,
    manifests,
    authority,
    agents: [EVERYBODY, ...Object.keys(authority.agents ?? {})],
    lookup,
    trial,
  });
}

function knownManifests({ path, resolved }: Project): readonly CapabilityManifest[] {
  const manifests = builtinCapabilities.map(({ manifest }) => manifest);
  const known = manifests.map(({ name }) => name);
  const unknown = [...resolved.capabilities.keys()].filter((name) => !known.includes(name));
  if (unknown.length === 0) return manifests;
  const names = unknown.map((name) => `\`${name}\``).join(", ");
  throw new FemtoError(
    "FEMTO_CONFIG_INVALID",
    `${path}: [capabilities] names ${names}; there are ${known.sort().join(", ")}`,
  );
}

export function failureText({ test, fault }: PolicyTestResult): string {
  return `${test.source}: the test "${printable(test.name)}" fails: ${printable(fault ?? "", 500)}`;
}
