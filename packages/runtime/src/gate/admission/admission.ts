/**
 * Who may enter the gate: nobody while the runtime takes no calls, no session beyond its quota, and all others in turn.
 */
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
import type { RelayWishes } from "../../relay/relays.ts";
import { timestamp } from "../../timestamp.ts";
import type { GateParts } from "../gate-parts.ts";
import { type Problem, replyError, unrecordedReply } from "../verdict.ts";
import type { Door, Leave } from "./door.ts";
import type { Release } from "./fair-slots.ts";
import type { RefusalCounts } from "./refusal-counts.ts";
import { haltOf } from "./session-halt.ts";
import type { SessionQuota } from "./session-quota.ts";

export interface Proposal {
  readonly session: SessionId;
  /**
   * Who proposes, and for whom, as the runtime assigned it. Policy decides on the principal, never on the name that a
   * client gives itself.
   */
  readonly actor: RecordActor;
  readonly bytes: Uint8Array;
  readonly label?: string | undefined;
  readonly trace?: TraceFields | undefined;
  /** The agent that an operator launches with this call. INVARIANT: I8: only the host sets this, never a message. */
  readonly launch?: AgentLaunch | undefined;
  /** What the proposer wants to be told about MCP servers besides the answer. */
  readonly wishes?: RelayWishes | undefined;
  /** Called at once with the identifier of the new execution. */
  readonly onIdentified?: ((execution: ExecutionId) => void) | undefined;
  /** Aborted when the proposer no longer wants the call. */
  readonly signal?: AbortSignal | undefined;
  /** How much the session may still add to the journal. */
  readonly quota: SessionQuota;
  /** The door shared by all sessions of this channel and principal. */
  readonly door: Door;
  /** Caches the answers that policy gave to this session. */
  readonly share: DecisionShare;
  /**
   * Records the session once, before the first record that belongs to it. Returns false if the session is over and may
   * have no more records.
   */
  readonly introduce: () => boolean;
}

export interface Entry {
  /** Gives the place in the runtime's stages back. */
  readonly release: Release;
  /** Tells the door how the call ended. */
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

  /**
   * Takes a place in the runtime's own stages. A call that gets no place is answered and counted, but has no record of
   * its own.
   */
  async enter(id: ExecutionId, proposal: Proposal): Promise<Entry | Reply> {
    let [release, leave]: [Release | null, Leave | null] = [null, null];
    try {
      for (;;) {
        const closed = this.#notTaken(proposal);
        // Checked again after each wait: the calls in front may have closed the gate, or the door for newcomers.
        const needsTurn = leave === null && this.#isStrict(proposal);
        if (closed === null && !needsTurn && release !== null) return { release, leave: leave ?? UNPACED };
        release?.();
        release = null;
        if (closed !== null) {
          leave?.({ withPause: false });
          return await this.#refuse(id, proposal, closed);
        }
        if (needsTurn) leave = await proposal.door.turn(proposal.session);
        const slot = this.#parts.stages.acquire(proposal.session);
        release = slot instanceof Promise ? await slot : slot;
        const turn = this.#parts.turns.next(proposal.session);
        if (turn !== null) await turn;
      }
    } catch (error) {
      leave?.({ withPause: false });
      if (!(error instanceof FemtoError)) throw error;
      return await this.#refuse(id, proposal, { code: error.code, reason: error.message });
    }
  }

  #isStrict({ door, quota }: Proposal): boolean {
    return door.isStrictFor(quota.merit(this.#parts.clock.monotonicUs()));
  }

  /** Why the call may not enter. A refusal here costs neither a decision nor a record. */
  #notTaken({ quota, session }: Proposal): Problem | null {
    const { histories, clock } = this.#parts;
    return this.#parts.admission() ?? quota.problem(clock.monotonicUs()) ?? haltOf(histories, session);
  }

  /**
   * INVARIANT: I9: a refusal is answered in a later turn of the event loop, so that a client that retries at once does
   * not occupy the loop. Halted sessions, and newcomers while their share is used up, are answered one after the other
   * with a pause in between, which bounds what they cost.
   */
  async #refuse(id: ExecutionId, proposal: Proposal, problem: Problem): Promise<Reply> {
    this.#counts.notTaken(problem.code);
    const isPaced = problem.code === "FEMTO_SESSION_HALTED" || this.#isStrict(proposal);
    if (isPaced) await proposal.door.turns.next(proposal.session);
    else await (this.#parts.turns.next(proposal.session) ?? setImmediate());
    return unrecordedReply(id, replyError(problem, timestamp(this.#parts.clock)));
  }
}
