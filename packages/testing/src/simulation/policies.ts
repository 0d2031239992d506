/** The two policies of a simulated world: one asks operators about two tools, the other forbids these. */
import { builtinCapabilities } from "@femtoclaw/capabilities";
import { systemClock } from "@femtoclaw/journal";
import {
  type CompiledPolicy,
  compilePolicy,
  createPolicyEngine,
  type FileRule,
  type PolicyEngine,
} from "@femtoclaw/policy";
import { type PolicySource, type ResolvedConfiguration, resolveConfiguration } from "@femtoclaw/runtime";
import { CAPABILITY_SETTINGS, OPERATORS_NEEDED, PERMIT, simulatedCapabilities } from "./capabilities.ts";
import { OPERATORS } from "./simulated-operators.ts";

/** The same on every machine, since paths enter the digests of configuration and policy. */
const CONFIGURATION: ResolvedConfiguration = resolveConfiguration({
  configuration: {
    workspace: "/tmp",
    search_path: ["/"],
    memory: { path: "/femtoclaw-simulation/state" },
    host: { runtime_dir: "/femtoclaw-simulation/run" },
    limits: { concurrency: 4, queue: 8 },
    capabilities: CAPABILITY_SETTINGS,
    approvals: { operators: [...OPERATORS] },
  },
  baseDirectory: "/tmp",
  environment: { HOME: "/femtoclaw-simulation", XDG_RUNTIME_DIR: "/femtoclaw-simulation" },
});

const rule = (id: string, text: string): FileRule => ({
  id: `file/simulation/${id}`,
  text,
  source: "simulation.cedar:1:1",
  reason: id,
  paths: [],
  hidden: [],
  kept: [],
});
/** Permits each of two tools only after as many operators as it needs have said yes. */
const ASKING: readonly FileRule[] = Object.entries(OPERATORS_NEEDED).flatMap(([tool, approvers]) => {
  const scope = `(principal, action == Action::"${tool}", resource)`;
  const asking = `@approval("${approvers}")\nforbid ${scope}\nunless { context.approved };`;
  return [rule(`permit-${tool}`, `permit ${scope};`), { ...rule(`ask-${tool}`, asking), approvers }];
});
const FORBIDDING: readonly FileRule[] = [
  ...ASKING,
  ...Object.keys(OPERATORS_NEEDED).map((tool) =>
    rule(`forbid-${tool}`, `forbid (principal, action == Action::"${tool}", resource);`),
  ),
];

const MANIFESTS = [
  ...builtinCapabilities,
  ...simulatedCapabilities({ clock: systemClock(), onEffect: () => undefined }),
].map(({ manifest }) => manifest);

/**
 * The input of a runtime and the policy compiled from it. The rules are known to be harmless, so no trial is needed.
 */
interface SimulatedPolicy extends Required<Omit<PolicySource, "sources">> {
  readonly compiled: CompiledPolicy;
}

function policyOf(fileRules: readonly FileRule[]): SimulatedPolicy {
  const tools = PERMIT.map((name) => ({ name, source: "permit" }));
  const compiled = compilePolicy({ authority: CONFIGURATION.authority, manifests: MANIFESTS, tools, fileRules });
  return {
    configuration: CONFIGURATION,
    policyFiles: { rules: fileRules, triedRevision: compiled.revision },
    compiled,
  };
}

export const POLICIES = { asking: policyOf(ASKING), forbidding: policyOf(FORBIDDING) } as const;

/** An engine for each policy, by revision; shared by all boots, because an engine can never be freed. */
export type SimulatedEngines = ReadonlyMap<string, PolicyEngine>;

export async function simulatedEngines(): Promise<SimulatedEngines> {
  const engines = new Map<string, PolicyEngine>();
  for (const { compiled } of Object.values(POLICIES)) {
    const engine = await createPolicyEngine();
    engine.activate(compiled);
    engines.set(compiled.revision, engine);
  }
  return engines;
}
