/** Runs a policy's own tests with real facts and the real engine, without executing anything. */
import { type Decision, NO_HISTORY, type PolicyEngine } from "@femtoclaw/policy/live";
import { type Authority, type CapabilityManifest, EVERYBODY, printable } from "@femtoclaw/protocol";
import type { Outcome, PolicyTest, PolicyTestResult } from "./policy-test.ts";
import { TestFactsTaker } from "./test-facts.ts";
import { testedManifest } from "./tested-manifest.ts";

export interface TestBench {
  readonly authority: Authority;
  readonly manifests: readonly CapabilityManifest[];
  /** Asks the policy that is being tested. */
  decideAll(request: Parameters<PolicyEngine["decideAll"]>[0]): Decision | Promise<Decision>;
}

export async function runPolicyTests(tests: readonly PolicyTest[], bench: TestBench): Promise<PolicyTestResult[]> {
  const taker = new TestFactsTaker(bench.authority);
  const results: PolicyTestResult[] = [];
  for (const test of tests) results.push(await run(test, bench, taker));
  return results;
}

async function run(test: PolicyTest, bench: TestBench, taker: TestFactsTaker): Promise<PolicyTestResult> {
  const fault = agentFault(test, bench.authority);
  if (fault !== null) return { test, found: null, rules: [], fault };
  const manifest = testedManifest(test.tool, bench.manifests);
  const taken = manifest === undefined ? unknown(test.tool) : await taker.take(manifest, test);
  if (!taken.ok) return { test, found: null, rules: [], fault: `nothing can be decided: ${taken.reason}` };
  const { questions } = taken;
  const decision = await bench.decideAll({
    principal: test.agent ?? EVERYBODY,
    capability: test.tool,
    questions,
    history: { ...NO_HISTORY, ...test.history },
  });
  return { test, found: outcomeOf(decision), rules: decision.rules, fault: faultOf(test, decision) };
}

/** For the policy, an agent without tables is no agent, so a test of one would pass for the wrong reason. */
function agentFault({ agent }: PolicyTest, { agents = {} }: Authority): string | null {
  if (agent === null || Object.hasOwn(agents, agent)) return null;
  return `the configuration has no [agent.${printable(agent)}]`;
}

const unknown = (tool: string) => ({ ok: false as const, reason: `no capability is called ${tool}` });

function outcomeOf(decision: Decision): Outcome {
  if (decision.allowed) return "allow";
  return decision.code === "FEMTO_APPROVAL_REQUIRED" ? "ask" : "deny";
}

function faultOf({ expected, rule }: PolicyTest, decision: Decision): string | null {
  // A denial because of a fact that the schema does not know says nothing about the test.
  if (!decision.allowed && decision.code === "FEMTO_POLICY_ERROR") return decision.reason;
  const found = outcomeOf(decision);
  const by = decision.rules.length === 0 ? "no rule" : decision.rules.join(", ");
  if (!expected.includes(found)) return `expected ${expected.join(" or ")}, found ${found} by ${by}`;
  return rule === null || decision.rules.includes(rule) ? null : `expected the rule ${rule} to decide, found ${by}`;
}
