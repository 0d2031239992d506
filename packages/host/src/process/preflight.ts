/**
 * Turns a loaded configuration into a policy that may be put in force: compiled, tried out, and tested by its own
 * tests. All of that happens before the journal is opened, so that a mistake leaves no trace in history.
 */
import { agentRun, builtinCapabilities, mcpServerCapability } from "@femtoclaw/capabilities";
import {
  type CompiledPolicy,
  compilePolicy,
  createPolicyEngine,
  type FileRule,
  type LintFinding,
  loadPolicyFiles,
  type PolicyEngine,
  type PolicyFileRules,
  PolicyTrial,
} from "@femtoclaw/policy/live";
import { type Authority, type CapabilityManifest, EVERYBODY, FemtoError, printable } from "@femtoclaw/protocol";
import type { PolicyFilesOption, ResolvedConfiguration } from "@femtoclaw/runtime";
import { machineNames } from "@femtoclaw/runtime/machine-names";
import { packageStubs } from "@femtoclaw/runtime/package-stubs";
import type { LoadedConfiguration } from "../configuration/load-configuration.ts";
import { ownPrograms } from "../configuration/own-programs.ts";
import { type PolicySetFiles, policyFolder } from "../policy/policy-folder.ts";
import type { PolicyTestResult } from "../policy/policy-test.ts";
import { readPolicyTests } from "../policy/read-tests.ts";
import { runPolicyTests, type TestBench } from "../policy/run-tests.ts";

/** One set of rules, tried out and tested by its own tests. */
export interface TestedSet {
  readonly compiled: CompiledPolicy;
  readonly rules: readonly FileRule[];
  /** What an operator should know, though it may be intended. */
  readonly warnings: readonly LintFinding[];
  readonly results: readonly PolicyTestResult[];
  /** The runtime's engine that answered the tests; null if it was not used. */
  readonly engine: PolicyEngine | null;
}

export interface LoadedPolicy extends Omit<TestedSet, "rules"> {
  /** What the runtime gets. */
  readonly policyFiles: PolicyFilesOption;
  /** The rules on trial; null if there are none. */
  readonly shadow: TestedSet | null;
}

type Project = Pick<LoadedConfiguration, "path" | "resolved" | "policyFiles">;

interface PolicyUse {
  /**
   * Makes an engine for a runtime that will put the rules in force next. Such an engine checks the rules itself unless
   * it had them in force before.
   */
  readonly openEngine?: () => Promise<PolicyEngine>;
}

/** LIMIT: failed tests in one message; `femtoclaw policy test` shows all. */
const REPORTED_MAX = 50;

/** Throws FEMTO_CONFIG_INVALID or FEMTO_POLICY_INVALID, the latter also if one of the policy's own tests fails. */
export async function loadPolicy(project: Project, use: PolicyUse = {}): Promise<LoadedPolicy> {
  const loaded = await testPolicy(project, use);
  const failed = [...loaded.results, ...(loaded.shadow?.results ?? [])].filter(({ fault }) => fault !== null);
  if (failed.length === 0) return loaded;
  const more = failed.length > REPORTED_MAX ? [`and ${failed.length - REPORTED_MAX} more`] : [];
  throw new FemtoError(
    "FEMTO_POLICY_INVALID",
    [...failed.slice(0, REPORTED_MAX).map(failureText), ...more].join("\n"),
    {
      fix: "Correct the rule that decides differently than you meant, or change the test in that file if your intention has changed. `femtoclaw policy test` runs all tests.",
    },
  );
}

/** Like `loadPolicy`, but failed tests are results instead of an error. */
export async function testPolicy(project: Project, use: PolicyUse = {}): Promise<LoadedPolicy> {
  const { inForce, onTrial } = sourcesOf(project);
  const { rules, ...tested } = await testSet(inForce, use);
  const shadow = onTrial === null ? null : await testSet(onTrial, use);
  const tried = (set: Pick<TestedSet, "compiled" | "rules">) => ({
    rules: set.rules,
    triedRevision: set.compiled.revision,
  });
  const policyFiles = {
    ...tried({ ...tested, rules }),
    ...(shadow === null ? {} : { shadow: tried(shadow) }),
  };
  return { ...tested, policyFiles, shadow };
}

/** What one set of rules is made from. */
interface SetSource {
  readonly authority: Authority;
  readonly files: PolicySetFiles;
  readonly manifests: readonly CapabilityManifest[];
  /** Number of operators with a key. */
  readonly operators: number;
}

/**
 * INVARIANT: I3: the rules on trial go through the same steps as those in force; either both are accepted or neither.
 */
function sourcesOf(project: Project): { readonly inForce: SetSource; readonly onTrial: SetSource | null } {
  const manifests = knownManifests(project);
  const { authority, shadow, approvals } = project.resolved;
  const operators = approvals.operators.length;
  const folder = policyFolder(project.policyFiles);
  const [stray] = folder.shadowNames;
  if (shadow === undefined && stray !== undefined) {
    const message = "rules on trial need a table [shadow] in the configuration, which may be empty";
    throw new FemtoError("FEMTO_POLICY_INVALID", `policy/${printable(stray)}: ${message}`);
  }
  return {
    inForce: { authority, files: folder.inForce, manifests, operators },
    onTrial:
      shadow === undefined
        ? null
        : { authority: { ...authority, ...shadow }, files: folder.onTrial, manifests, operators },
  };
}

async function testSet(source: SetSource, use: PolicyUse): Promise<TestedSet> {
  const { authority, files, manifests, operators } = source;
  await using trial = new PolicyTrial();
  const [{ rules, warnings: found }, tests] = await bothOf(
    fileRules(source, trial),
    (async () => readPolicyTests(files.tests, manifests))(),
  );
  const warnings = [...found, ...unanswerable(rules, operators)];
  const compiled = compilePolicy({ authority, manifests, fileRules: rules });
  if (rules.length === 0 && tests.length === 0) return { compiled, rules, warnings, results: [], engine: null };
  const results = async (engine: PolicyTrial | PolicyEngine): Promise<readonly PolicyTestResult[]> => {
    const decideAll: TestBench["decideAll"] = (request) => engine.decideAll(request);
    return await runPolicyTests(tests, { authority, manifests, decideAll });
  };
  if (rules.length > 0) {
    await trial.activate(compiled);
    return { compiled, rules, warnings, results: await results(trial), engine: null };
  }
  // Tables compile only to forms that the engine accepts, so they need no thread for a trial.
  const engine = await use.openEngine?.();
  if (engine !== undefined) {
    engine.load(compiled);
    return { compiled, rules, warnings, results: await results(engine), engine };
  }
  const own = await createPolicyEngine();
  own.activate(compiled);
  return { compiled, rules, warnings, results: await results(own), engine: null };
}

/** A Cedar rule that asks for more operators than there are denies instead, which may not be intended. */
function unanswerable(rules: PolicyFileRules["rules"], operators: number): LintFinding[] {
  return rules.flatMap(({ source, approvers = 1 }) => {
    if (approvers === 1 || approvers <= operators) return [];
    const message = `@approval("${approvers}") denies, because fewer operators (${operators}) have a key`;
    return [{ source, message }];
  });
}

/** If both fail, both faults are reported, because the person who corrects one wants to know of the other too. */
async function bothOf<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  const faults = (await Promise.allSettled([one, other])).flatMap((settled) =>
    settled.status === "rejected" ? [settled.reason] : [],
  );
  if (faults.length === 2 && faults.every((fault) => fault instanceof FemtoError)) {
    throw new FemtoError("FEMTO_POLICY_INVALID", faults.map(({ message }) => message).join("\n"));
  }
  return await Promise.all([one, other]);
}

/** The compiled rules of the project, without its tests. */
export async function compiledPolicyOf(project: Project): Promise<CompiledPolicy> {
  return await compiledSet(sourcesOf(project).inForce);
}

/** The compiled rules on trial, without their tests; null if there are none. */
export async function compiledShadowOf(project: Project): Promise<CompiledPolicy | null> {
  const { onTrial } = sourcesOf(project);
  return onTrial === null ? null : await compiledSet(onTrial);
}

async function compiledSet(source: SetSource): Promise<CompiledPolicy> {
  await using trial = new PolicyTrial();
  const { rules } = await fileRules(source, trial);
  return compilePolicy({ authority: source.authority, manifests: source.manifests, fileRules: rules });
}

async function fileRules({ authority, files, manifests }: SetSource, trial: PolicyTrial): Promise<PolicyFileRules> {
  return await loadPolicyFiles({
    files: files.cedar,
    manifests,
    authority,
    agents: [EVERYBODY, ...Object.keys(authority.agents ?? {})],
    lookup: machineNames(authority.searchPath),
    ownPrograms: ownPrograms(),
    trial,
  });
}

/** The manifests of everything that a host with this configuration registers. */
export function registeredManifests({
  upstreams,
  launches,
  packages,
}: Pick<ResolvedConfiguration, "upstreams" | "launches" | "packages">): CapabilityManifest[] {
  const servers = upstreams.map(({ name, at }) => mcpServerCapability({ name, isSandboxed: at.kind === "command" }));
  const launched = launches === undefined ? [] : [agentRun];
  return [...builtinCapabilities, ...launched, ...packageStubs({ packages }), ...servers].map(
    ({ manifest }) => manifest,
  );
}

function knownManifests({ path, resolved }: Project): readonly CapabilityManifest[] {
  const manifests = registeredManifests(resolved);
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
