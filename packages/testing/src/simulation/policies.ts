/** The two policies of a simulated world: one asks operators about a tool, the other forbids it. */
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
import { CAPABILITY_SETTINGS, PERMIT, simulatedCapabilities } from "./capabilities.ts";

/** The same on every machine, since paths enter the digests of configuration and policy. */
export const CONFIGURATION: ResolvedConfiguration = resolveConfiguration({
  configuration: {
    workspace: "/tmp",
    search_path: ["/"],
    memory: { path: "/femtoclaw-simulation/state" },
    host: { runtime_dir: "/femtoclaw-simulation/run" },
    limits: { concurrency: 4, queue: 8 },
    capabilities: CAPABILITY_SETTINGS,
  },
  baseDirectory: "/tmp",
  environment: { HOME: "/femtoclaw-simulation", XDG_RUNTIME_DIR: "/femtoclaw-simulation" },
});

const ASKED = 'action == Action::"asked"';
const rule = (id: string, text: string): FileRule => ({
  ...{ id: `file/simulation/${id}`, text, source: "simulation.cedar:1:1", reason: id },
  ...{ paths: [], hidden: [], kept: [] },
});
/** Permits one tool only after an operator has said yes. */
const ASKING: readonly FileRule[] = [
  rule("permit", `permit (principal, ${ASKED}, resource);`),
  {
    ...rule("ask", `@approval("1")\nforbid (principal, ${ASKED}, resource)\nunless { context.approved };`),
    approvers: 1,
  },
];
const FORBIDDING: readonly FileRule[] = [...ASKING, rule("forbid", `forbid (principal, ${ASKED}, resource);`)];

const MANIFESTS = [
  ...builtinCapabilities,
  ...simulatedCapabilities({ clock: systemClock(), onEffect: () => undefined }),
].map(({ manifest }) => manifest);

/** What a runtime is given, and what comes of it. The rules are known to do the engine no harm, and need no trial. */
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

/** An engine for each policy, by its revision. One for all boots, because none can ever be freed. */
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
