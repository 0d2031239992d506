/**
 * Explains to a person who may change it why one question was not permitted: the rules that forbid it, and the permit
 * that came nearest, with its conditions. This never runs during a call and is never shown to the model, because
 * conditions reveal what the tables hold.
 */
import type { PolicyJson } from "@cedar-policy/cedar-wasm/web";
import { printable } from "@femtoclaw/protocol";
import type { EnforceablePolicy } from "../compile.ts";
import { messages } from "../decisions/decision.ts";
import { authorizationCall, type DecisionRequest } from "../decisions/request.ts";
import { invalid } from "../engine/activation.ts";
import type { Cedar } from "../engine/cedar-instance.ts";
import { concerns, isGuard, isScope, type Probe, probesOf } from "./permit-parts.ts";
import { parseRule } from "./recorded-policy.ts";

/** The permit that came closest to permitting. */
interface NearestPermit {
  /** The permit's identifier. */
  readonly rule: string;
  /** Conditions that were met, in Cedar's own words. */
  readonly met: readonly string[];
  /** The conditions that were not met. */
  readonly failed: readonly string[];
}

/** Why a question was answered as it was. */
export interface Explanation {
  /** Rules that permit the question as it is. It was refused nevertheless if another rule forbids it. */
  readonly permitting: readonly string[];
  /** Identifiers of the rules that forbid the question. */
  readonly forbidding: readonly string[];
  /** Among the permits for this very resource, the one with the fewest failed conditions; null if there is none. */
  readonly nearest: NearestPermit | null;
  /** Number of permits that say something about this capability. */
  readonly permits: number;
}

/** One name for the set and its schema, because a preparsed set can be replaced and never freed. */
const PROBES = "probes";

/** LIMIT: conditions of all permits together. Permits beyond that are not examined. */
const PROBES_MAX = 20_000;

interface Dissected {
  readonly rule: string;
  readonly probes: readonly Probe[];
}

/** The conditions of every rule about one capability, in an instance that can be asked about them. */
export interface PreparedProbes {
  readonly policy: EnforceablePolicy;
  readonly capability: string;
  readonly permits: readonly Dissected[];
  readonly permitCount: number;
}

/** Throws FEMTO_POLICY_INVALID if the rules cannot be evaluated. Any other exception is a trap of the engine. */
export function prepareProbes(cedar: Cedar, policy: EnforceablePolicy, capability: string): PreparedProbes {
  const parsed = policy.rules.map(({ id, text }) => ({ id, json: parseRule(cedar, text) }));
  const about = parsed.filter(({ json }) => concerns(json, capability));
  const permits = about.filter(({ json }) => json.effect === "permit").map(dissected);
  const asked = withinLimit(permits);
  const policies: Record<string, PolicyJson> = {};
  for (const [at, { probes }] of asked.entries()) {
    for (const [part, probe] of probes.entries()) policies[`${at}/${part}`] = probe;
  }
  // Forbids are asked as permits, so that one answer reports them together with the conditions.
  for (const { id, json } of about) if (json.effect === "forbid") policies[`f/${id}`] = { ...json, effect: "permit" };
  for (const answer of [
    cedar.preparseSchema(PROBES, policy.schemaText),
    cedar.preparsePolicySet(PROBES, { staticPolicies: policies }),
  ]) {
    if (answer.type !== "success") throw invalid(messages(answer.errors));
  }
  return { policy, capability, permits: asked, permitCount: permits.length };
}

/**
 * Works only on what was prepared last in this instance. Throws FEMTO_POLICY_INVALID for facts that cannot be asked
 * about.
 */
export function explain(
  cedar: Cedar,
  { policy, permits, permitCount }: PreparedProbes,
  request: DecisionRequest,
): Explanation {
  const holds = answersOf(cedar, policy, request);
  const judged = permits.map(({ rule, probes }, at) => ({
    rule,
    met: probes.filter((_, part) => holds.has(`${at}/${part}`)),
    failed: probes.filter((_, part) => !holds.has(`${at}/${part}`)),
  }));
  return {
    permitting: judged.filter(({ failed }) => failed.length === 0).map(({ rule }) => rule),
    forbidding: [...holds].flatMap((id) => (id.startsWith("f/") ? [id.slice(2)] : [])).sort(),
    nearest: nearestOf(cedar, judged),
    permits: permitCount,
  };
}

function dissected({ id, json }: { readonly id: string; readonly json: PolicyJson }): Dissected {
  return { rule: id, probes: probesOf(json) };
}

function withinLimit(permits: readonly Dissected[]): readonly Dissected[] {
  let left = PROBES_MAX;
  return permits.filter(({ probes }) => {
    left -= probes.length;
    return left >= 0;
  });
}

/** The conditions that hold for the question. A condition whose evaluation errs does not hold. */
function answersOf(cedar: Cedar, { namedPaths }: EnforceablePolicy, request: DecisionRequest): ReadonlySet<string> {
  const prepared = authorizationCall(request, { slot: PROBES, namedPaths: new Set(namedPaths) });
  if (!prepared.ok) throw invalid(prepared.fault);
  const answer = cedar.statefulIsAuthorized(prepared.call);
  if (answer.type !== "success") throw invalid(messages(answer.errors));
  return new Set(answer.response.diagnostics.reason);
}

interface Judged {
  readonly rule: string;
  readonly met: readonly Probe[];
  readonly failed: readonly Probe[];
}

function nearestOf(cedar: Cedar, judged: readonly Judged[]): NearestPermit | null {
  const near = judged.filter(
    ({ met, failed }) => failed.length > 0 && !failed.some(isScope) && met.some((probe) => !isGuard(probe)),
  );
  const [nearest] = near.toSorted(
    (a, b) => a.failed.length - b.failed.length || b.met.length - a.met.length || (a.rule < b.rule ? -1 : 1),
  );
  if (nearest === undefined) return null;
  const words = (probes: readonly Probe[]) => probes.map((probe) => conditionText(cedar, probe));
  return { rule: nearest.rule, met: words(nearest.met), failed: words(nearest.failed) };
}

/** LIMIT: characters of one condition; the beginning of a long set of options tells enough. */
const CONDITION_CHARS = 1_000;
const ONLY_CONDITION = /^permit\(principal, action, resource\) (?:when|(unless)) \{\s*(.*?)\s*\};$/s;
const ONLY_SCOPE = /^permit\((principal(?: .*)?), action, (resource(?: .*)?)\);$/s;

function conditionText(cedar: Cedar, probe: Probe): string {
  const answer = cedar.policyToText(probe);
  if (answer.type !== "success") throw invalid(messages(answer.errors));
  const [, unless, condition] = ONLY_CONDITION.exec(answer.text) ?? [];
  if (condition !== undefined) return printable(unless === undefined ? condition : `!(${condition})`, CONDITION_CHARS);
  const [, principal = "principal", resource = "resource"] = ONLY_SCOPE.exec(answer.text) ?? [];
  return printable(principal === "principal" ? resource : principal, CONDITION_CHARS);
}
