/**
 * Calls whose MCP server asks the client something before it answers. The client is answered with the questions and a
 * state, and its next request of the same call with that state goes on with the call: it is neither sent nor decided twice.
 */
import { randomBytes } from "node:crypto";
import type { Reply, UpstreamQuestions } from "@femtoclaw/protocol";
import type { ToolCallText } from "./calls.ts";
import type { SignsOfLife } from "./signs-of-life.ts";

/** LIMIT: calls of one client that wait for its answers; the oldest is asked no more, and ends with its own time. */
const SUSPENDED_MAX = 64;

export interface Question {
  readonly question: string;
  readonly questions: UpstreamQuestions;
}

/** A call that is under way at the host, whichever request of its client waits for it. */
export interface OngoingCall {
  readonly call: ToolCallText;
  readonly reply: Promise<Reply>;
  /** Ends it when its client wants it no more. */
  readonly abort: AbortController;
  /** Resolves with what is asked next. */
  asked: PromiseWithResolvers<Question>;
  /** Who is told meanwhile; null while nobody waits. */
  signs: SignsOfLife | null;
}

interface Suspended {
  readonly ongoing: OngoingCall;
  readonly question: Question;
}

export class SuspendedCalls {
  readonly #suspended = new Map<string, Suspended>();

  /** What the client has to show to go on with it. */
  suspend(ongoing: OngoingCall, question: Question): string {
    // INVARIANT: I8: nobody guesses it, and what was never given out, or was shown before, is none.
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

  /** Once; null for what is no state of this very call. */
  take(state: string, { tool, args }: ToolCallText): Suspended | null {
    const found = this.#suspended.get(state);
    if (found === undefined || found.ongoing.call.tool !== tool || found.ongoing.call.args !== args) return null;
    this.#suspended.delete(state);
    return found;
  }
}
