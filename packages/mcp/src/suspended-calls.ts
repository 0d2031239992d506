/**
 * Calls whose MCP server asks the client something before it answers. The client is sent the questions with a state.
 * When it sends the same call again with that state, the suspended call continues, so it is neither sent nor decided
 * twice.
 */
import { randomBytes } from "node:crypto";
import type { Reply, UpstreamQuestions } from "@femtoclaw/protocol";
import type { ToolCallText } from "./calls.ts";
import type { SignsOfLife } from "./signs-of-life.ts";

/**
 * LIMIT: calls of one client that wait for its answers. The oldest then cannot be answered any more and ends by its own
 * timeout.
 */
const SUSPENDED_MAX = 64;

export interface Question {
  readonly question: string;
  readonly questions: UpstreamQuestions;
}

/** A call that is under way at the host, whichever request of its client waits for it. */
export interface OngoingCall {
  readonly call: ToolCallText;
  readonly reply: Promise<Reply>;
  /** Ends the call when its client does not want it any more. */
  readonly abort: AbortController;
  /** Resolves with the next question. */
  asked: PromiseWithResolvers<Question>;
  /** Gets what happens meanwhile; null while no request waits. */
  signs: SignsOfLife | null;
}

interface Suspended {
  readonly ongoing: OngoingCall;
  readonly question: Question;
}

export class SuspendedCalls {
  readonly #suspended = new Map<string, Suspended>();

  /** Returns the state that the client has to show to continue. */
  suspend(ongoing: OngoingCall, question: Question): string {
    // INVARIANT: I8: a state cannot be guessed, and one that was never given out or was used before is invalid.
    const state = randomBytes(32).toString("base64url");
    this.#suspended.set(state, { ongoing, question });
    const [oldest] = this.#suspended.keys();
    if (this.#suspended.size > SUSPENDED_MAX && oldest !== undefined) this.#suspended.delete(oldest);
    void ongoing.reply.then(
      () => this.#suspended.delete(state),
      () => this.#suspended.delete(state),
    );
    return state;
  }

  has(state: string): boolean {
    return this.#suspended.has(state);
  }

  /** Works once per state. Null if this is no state of this very call. */
  take(state: string, { tool, args }: ToolCallText): Suspended | null {
    const found = this.#suspended.get(state);
    if (found === undefined || found.ongoing.call.tool !== tool || found.ongoing.call.args !== args) return null;
    this.#suspended.delete(state);
    return found;
  }
}
