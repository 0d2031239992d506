/** Who may enter the gate: nobody while the runtime takes no calls, no session beyond its quota, all others in turn. */
import { setImmediate } from "node:timers/promises";
import type { AgentLaunch } from "@femtoclaw/capabilities";
import type { DecisionShare } from "@femtoclaw/policy";
import {
  type ExecutionId,
  FemtoError,
  type RecordActor,
  type Reply,
  type SessionId,
  type TraceFields,
} from "@femtoclaw/protocol";
import type { RelayWishes } from "../relay/relays.ts";
import { timestamp } from "../timestamp.ts";
import type { Door, Leave } from "./door.ts";
import type { Release } from "./fair-slots.ts";
import type { GateParts } from "./gate-parts.ts";
import type { RefusalCounts } from "./refusal-counts.ts";
import type { SessionQuota } from "./session-quota.ts";
import { haltOf } from "./session-standing.ts";
import { type Problem, replyError, unrecordedReply } from "./verdict.ts";

export interface Proposal {
  readonly session: SessionId;
  /** Who proposes, for whom: minted by the runtime. Policy decides on the principal, never on what a client calls itself. */
  readonly actor: RecordActor;
  readonly bytes: Uint8Array;
  readonly label?: string | undefined;
  readonly trace?: TraceFields | undefined;
  /** What an operator launches with it. INVARIANT: I8: said by the host alone, and by no message. */
  readonly launch?: AgentLaunch | undefined;
  /** What its proposer wants to be told of MCP servers beside the answer. */
  readonly wishes?: RelayWishes | undefined;
  /** Hears the identifier of its execution at once. */
  readonly onIdentified?: ((execution: ExecutionId) => void) | undefined;
  /** Aborted when its proposer wants it no more. */
  readonly signal?: AbortSignal | undefined;
  /** What the session may still add to the journal. */
  readonly quota: SessionQuota;
  /** The door of its channel and principal. */
  readonly door: Door;
  /** Remembers what the session was answered by the policy. */
  readonly share: DecisionShare;
  /** Records the session, once, before the first record that belongs to it; false when it is over and may have none. */
  readonly introduce: () => boolean;
}

export interface Entry {
  /** Gives the place in the stages back. */
  readonly release: Release;
  /** Tells the door how the call went. */
  readonly leave: Leave;
}

const UNPACED: Leave = () => undefined;

export class Admission {
  readonly #parts: GateParts;
  readonly #counts: RefusalCounts;

  constructor(parts: GateParts, counts: RefusalCounts) {
    this.#parts = parts;
    this.#counts = counts;
  }

  /** Takes a place in the runtime's own stages. A call that gets none is answered and counted, and has no record of its own. */
  async enter(id: ExecutionId, proposal: Proposal): Promise<Entry | Reply> {
    let [release, leave]: [Release | null, Leave | null] = [null, null];
    try {
      for (;;) {
        const closed = this.#notTaken(proposal);
        // Asked anew after each wait: what became of the calls in front may have closed the gate, or the door to newcomers.
        const needsTurn = leave === null && this.#isStrict(proposal);
        if (closed === null && !needsTurn && release !== null) return { release, leave: leave ?? UNPACED };
        release?.();
        release = null;
        if (closed !== null) {
          leave?.(false);
          return await this.#refuse(id, proposal, closed);
        }
        if (needsTurn) leave = await proposal.door.turn(proposal.session);
        const slot = this.#parts.stages.acquire(proposal.session);
        release = slot instanceof Promise ? await slot : slot;
        const turn = this.#parts.turns.next(proposal.session);
        if (turn !== null) await turn;
      }
    } catch (error) {
      leave?.(false);
      if (!(error instanceof FemtoError)) throw error;
      return await this.#refuse(id, proposal, { code: error.code, reason: error.message });
    }
  }

  #isStrict({ door, quota }: Proposal): boolean {
    return door.isStrictFor(quota.merit(this.#parts.clock.monotonicUs()));
  }

  /** Why the call may not enter; refused here it costs neither a decision nor a record. */
  #notTaken({ quota, session }: Proposal): Problem | null {
    const { histories, clock } = this.#parts;
    return this.#parts.admission() ?? quota.problem(clock.monotonicUs()) ?? haltOf(histories, session);
  }

  /**
   * INVARIANT: I9: a refusal is answered in a later turn of the event loop, so that a client that tries again at once
   * does not occupy the loop. Halted sessions, and newcomers while their share is used up, are answered one after the
   * other with a pause between, which bounds what they cost.
   */
  async #refuse(id: ExecutionId, proposal: Proposal, problem: Problem): Promise<Reply> {
    this.#counts.notTaken(problem.code);
    const isPaced = problem.code === "FEMTO_SESSION_HALTED" || this.#isStrict(proposal);
    if (isPaced) await proposal.door.turns.next(proposal.session);
    else await (this.#parts.turns.next(proposal.session) ?? setImmediate());
    return unrecordedReply(id, replyError(problem, timestamp(this.#parts.clock)));
  }
}
