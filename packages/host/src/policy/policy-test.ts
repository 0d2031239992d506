/** A policy's own tests: calls, and what the policy has to say about them. */
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
  /** Facts that the call would find, where they differ from a test's defaults. */
  readonly facts: JsonObject;
  /** What the session did before, where that differs from nothing. */
  readonly history: Partial<HistoryFacts>;
  /** The proposer: an agent that the configuration has tables for, or null for everybody else. */
  readonly agent: string | null;
  /** Any of these outcomes passes. */
  readonly expected: readonly Outcome[];
  /** A rule that has to be among the deciding ones. */
  readonly rule: string | null;
}

export interface PolicyTestResult {
  readonly test: PolicyTest;
  /** Null if there was nothing to decide. */
  readonly found: Outcome | null;
  readonly rules: readonly string[];
  /** Why the test failed; null if it passed. */
  readonly fault: string | null;
}
