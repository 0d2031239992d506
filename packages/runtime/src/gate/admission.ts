/** Who may enter the gate: nobody on a closed runtime or beyond a quota, and those who may in turn. */
import { setImmediate } from "node:timers/promises";
import type { DecisionShare } from "@femtoclaw/policy";
import { type ExecutionId, FemtoError, type RecordActor, type Reply, type SessionId } from "@femtoclaw/protocol";
import { timestamp } from "../timestamp.ts";
import type { Release } from "./fair-slots.ts";
import type { GateParts } from "./gate-parts.ts";
import type { PacedTurns } from "./paced-turns.ts";
import type { RefusalCounts } from "./refusal-counts.ts";
import type { SessionQuota } from "./session-quota.ts";
import { type Problem, replyError, unrecordedReply } from "./verdict.ts";

export interface Proposal {
  readonly session: SessionId;
  /** Who proposes, for whom: minted by the runtime. Policy decides on the principal, never on what a client calls itself. */
  readonly actor: RecordActor;
  readonly bytes: Uint8Array;
  readonly label?: string;
  /** What the session may still add to the journal. */
  readonly quota: SessionQuota;
  /** Remembers what the session was answered by the policy. */
  readonly share: DecisionShare;
  /** Paces the answers to the session once it is halted. */
  readonly turns: PacedTurns;
  /** Records the session, once, before the first record that belongs to it. */
  introduce(): void;
}

export class Admission {
  readonly #parts: GateParts;
  readonly #counts: RefusalCounts;

  constructor(parts: GateParts, counts: RefusalCounts) {
    this.#parts = parts;
    this.#counts = counts;
  }

  /** A place in the runtime's own stages, or the answer to a call that gets none; nothing is recorded of it singly. */
  async enter(id: ExecutionId, proposal: Proposal): Promise<Release | Reply> {
    const closed = this.#notTaken(proposal);
    if (closed !== null) return await this.#refuse(id, proposal, closed);
    let release: Release;
    try {
      const slot = this.#parts.stages.acquire(proposal.session);
      release = slot instanceof Promise ? await slot : slot;
    } catch (error) {
      if (!(error instanceof FemtoError)) throw error;
      return await this.#refuse(id, proposal, { code: error.code, reason: error.message });
    }
    const stillClosed = this.#notTaken(proposal);
    if (stillClosed === null) return release;
    release();
    return await this.#refuse(id, proposal, stillClosed);
  }

  /** Why the call may not enter; refused here it costs neither a decision nor a record. */
  #notTaken({ quota }: Proposal): Problem | null {
    return this.#parts.admission() ?? quota.problem(this.#parts.clock.monotonicUs());
  }

  /**
   * INVARIANT: I9: answered in a later turn, so that who tries again at once keeps nobody from the loop. A
   * halted session gets its answers one after the other with a pause, which bounds what it costs.
   */
  async #refuse(id: ExecutionId, { turns }: Proposal, problem: Problem): Promise<Reply> {
    this.#counts.notTaken(problem.code);
    if (problem.code === "FEMTO_SESSION_HALTED") await turns.next();
    else await setImmediate();
    return unrecordedReply(id, replyError(problem, timestamp(this.#parts.clock)));
  }
}
