/** Observes a deployment, and judges every clause of the deployment specification by what was seen. */
import type { Clause, Judgement } from "./judgement.ts";
import { deploymentClauses } from "./judging/deployment.ts";
import { determinismClauses } from "./judging/determinism.ts";
import { installationClauses } from "./judging/installation.ts";
import { lifecycleClauses } from "./judging/lifecycle.ts";
import { processClauses } from "./judging/process.ts";
import { protectionClauses } from "./judging/protection.ts";
import { upgradeClauses } from "./judging/upgrade.ts";
import type { Observations } from "./observations.ts";
import type { DeployedPlace } from "./observing/deployed.ts";
import { observe } from "./observing/observe.ts";
import type { Command } from "./subject.ts";

export interface JudgedClause extends Judgement {
  readonly id: string;
  readonly demands: string;
}

export interface ConformanceOptions {
  readonly command: Command;
  /** Watches resources over a hundred thousand executions instead of a thousand, and compares more messages. */
  readonly full: boolean;
  /** A deployment in use that is examined too. */
  readonly installed: DeployedPlace | null;
  /** An executable of the same signer to upgrade from; null for an earlier version of the examined one. */
  readonly from: string | null;
  /** Another build of the executable, which has to be identical; null if none was named. */
  readonly rebuilt: string | null;
  readonly onProgress: (text: string) => void;
}

export interface ConformanceReport {
  readonly version: string;
  /** Digest of the examined deployment: this executable under the configuration of the check. */
  readonly deploymentDigest: string | null;
  /** The system and processor on which everything was seen. */
  readonly scope: string;
  readonly clauses: readonly JudgedClause[];
}

/**
 * LIMIT: enough executions to notice a leaked descriptor, or a leak of a few kilobytes each; and messages of every
 * kind.
 */
const AMOUNTS = {
  quick: { executions: 1_000, messages: 200 },
  full: { executions: 100_000, messages: 1_000 },
} as const;

const others = [
  ...deploymentClauses,
  ...installationClauses,
  ...processClauses,
  ...lifecycleClauses,
  ...upgradeClauses,
  ...protectionClauses,
].sort((left, right) => Number(left.id) - Number(right.id));
/** In the order of the specification. */
const CLAUSES: readonly Clause[] = [...others, ...determinismClauses(others)];

export async function checkConformance({
  command,
  full,
  installed,
  from,
  rebuilt,
  onProgress,
}: ConformanceOptions): Promise<ConformanceReport> {
  const seen = await observe({
    command,
    installed,
    from,
    rebuilt,
    ...(full ? AMOUNTS.full : AMOUNTS.quick),
    onProgress,
  });
  const deploymentDigest = seen.life.ok ? seen.life.value.status.deployment : null;
  return {
    version: seen.version,
    deploymentDigest,
    scope: `${process.platform}-${process.arch}`,
    clauses: judgeAll(seen),
  };
}

/** A function of what was seen, and nothing else. */
export function judgeAll(seen: Observations): JudgedClause[] {
  return CLAUSES.map(({ id, demands, judge }) => ({ id, demands, ...judge(seen) }));
}
