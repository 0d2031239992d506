/** What a policy's own tests are: calls, and what the policy has to say to them. */
import type { JsonObject } from "@femtoclaw/capabilities";
import type { HistoryFacts } from "@femtoclaw/protocol";

export const OUTCOMES = ["allow", "ask", "deny"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface PolicyTest {
  readonly name: string;
  /** For people: `policy/first.test.toml:12:1`. */
  readonly source: string;
  readonly tool: string;
  readonly args: JsonObject;
  /** Facts that the call would find, where they differ from what a test takes for granted. */
  readonly facts: JsonObject;
  /** What its session did before, where it differs from nothing at all. */
  readonly history: Partial<HistoryFacts>;
  /** Who proposes it: an agent that the configuration has tables for; null for everybody else. */
  readonly agent: string | null;
  /** Any of these is right. */
  readonly expected: readonly Outcome[];
  /** A rule that has to be among those that decide. */
  readonly rule: string | null;
}

export interface PolicyTestResult {
  readonly test: PolicyTest;
  /** Null when there was nothing to decide on. */
  readonly found: Outcome | null;
  readonly rules: readonly string[];
  /** Why the test failed; null when it holds. */
  readonly fault: string | null;
}
