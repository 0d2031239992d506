/** How many questions a session may ask operators, and what they have said yes to for the rest of the session. */
import type { Clock } from "@femtoclaw/journal";
import { LIMITS } from "@femtoclaw/protocol";
import { TokenBucket } from "../admission/session-quota.ts";
import type { Problem } from "../verdict.ts";

interface QuestionAllowance {
  readonly questions: TokenBucket;
  /** Number of questions in a row that operators refused. */
  refused: number;
  /** Number of the granted question, by policy revision and digest. */
  readonly grants: Map<string, number>;
}

interface SessionQuestionsParts {
  readonly clock: Pick<Clock, "monotonicUs">;
  /** Whether the proposer of the session is still there. */
  isOpen(session: string): boolean;
}

export class SessionQuestions {
  readonly #parts: SessionQuestionsParts;
  /** INVARIANT: I9: only open sessions are kept, so that this does not grow with every session that ever was. */
  readonly #sessions = new Map<string, QuestionAllowance>();

  constructor(parts: SessionQuestionsParts) {
    this.#parts = parts;
  }

  // INVARIANT: I9: people who are asked too often say yes to anything. So questions are paced, and a session that is
  // refused again and again may ask no more.
  admit(session: string): Problem | null {
    const { questions, refused } = this.#of(session);
    if (refused >= LIMITS.approvalRefusals) {
      const reason = `operators refused the last ${refused} questions of this session, so it may ask no more`;
      return { code: "FEMTO_APPROVAL_LIMIT", reason };
    }
    if (questions.take(1, this.#parts.clock.monotonicUs())) return null;
    return {
      code: "FEMTO_APPROVAL_LIMIT",
      reason: `this session asks operators more than ${LIMITS.approvalsPerMinute} times a minute`,
    };
  }

  answered(session: string, answer: "granted" | "refused"): void {
    const allowance = this.#sessions.get(session);
    if (allowance !== undefined) allowance.refused = answer === "granted" ? 0 : allowance.refused + 1;
  }

  /** Does nothing for a session that is over. */
  grant(session: string, revision: string, digest: string, question: number): void {
    const grants = this.#sessions.get(session)?.grants;
    if (grants === undefined) return;
    grants.set(key(revision, digest), question);
    const [oldest] = grants.keys();
    if (grants.size > LIMITS.sessionGrants && oldest !== undefined) grants.delete(oldest);
  }

  /** INVARIANT: a grant is for the very same call: the same arguments on the same facts, asked by the same rules. */
  granted(session: string, revision: string, digest: string): number | undefined {
    return this.#sessions.get(session)?.grants.get(key(revision, digest));
  }

  forget(session: string): void {
    this.#sessions.delete(session);
  }

  #of(session: string): QuestionAllowance {
    const known = this.#sessions.get(session);
    if (known !== undefined) return known;
    const pace = { size: LIMITS.approvalBurst, perSecond: LIMITS.approvalsPerMinute / 60 };
    const questions = new TokenBucket(pace, this.#parts.clock.monotonicUs());
    const allowance: QuestionAllowance = { questions, refused: 0, grants: new Map() };
    // Calls that were under way when their session ended may still ask, each on its own account.
    if (this.#parts.isOpen(session)) this.#sessions.set(session, allowance);
    return allowance;
  }
}

const key = (revision: string, digest: string): string => `${revision}:${digest}`;
