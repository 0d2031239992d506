/** What passes between an MCP server and its caller beside the answer: notices to the caller and questions to it. */
import { type AskKind, FemtoError, isLogged, LIMITS } from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";
import { type CallRelay, noticeIn } from "./upstream-notice.ts";
import { questionsIn } from "./upstream-question.ts";
import type { UpstreamRequest } from "./upstream-transport.ts";

export interface AsidesParts {
  readonly server: string;
  /** What the operator lets the server ask. */
  readonly mayAsk: readonly AskKind[];
  /** Null if nobody is there to be notified or asked. */
  readonly relay: CallRelay | null;
  readonly signal: AbortSignal;
}

export class CallAsides implements Disposable {
  /**
   * What the server may ask in this call. INVARIANT: I8: only what its operator permits and the client says that it can
   * answer.
   */
  readonly may: readonly AskKind[];
  /** Callbacks for the request that calls the server. */
  readonly heard: Pick<UpstreamRequest, "onNotice" | "onAsked">;
  readonly #parts: AsidesParts;
  /** Ends the questions of a call together with the call. */
  readonly #over = new AbortController();
  #rounds = 0;

  constructor(parts: AsidesParts) {
    const { relay, mayAsk } = parts;
    this.#parts = parts;
    this.may = mayAsk.filter((kind) => relay?.canAnswer.includes(kind) === true);
    this.heard =
      relay === null
        ? {}
        : {
            onNotice: (method, params) => this.#notice(relay, method, params),
            onAsked: async (method, params) => (await this.answers({ question: { method, params } }))["question"] ?? {},
          };
  }

  /** Asks the caller. Throws if it may not be asked, or if no answer comes while the call lasts. */
  async answers(questions: unknown): Promise<Record<string, JsonObject>> {
    const { server, relay, signal } = this.#parts;
    this.#rounds += 1;
    // INVARIANT: I9: a call whose server asks again and again ends.
    if (this.#rounds > LIMITS.questionRounds) {
      throw new FemtoError(
        "FEMTO_UPSTREAM_ASKS",
        `the server asks more than ${LIMITS.questionRounds} times in one call`,
      );
    }
    const found = questionsIn(server, questions, this.may);
    if (relay === null) throw new FemtoError("FEMTO_UPSTREAM_ASKS", "nobody is there who could be asked");
    return await relay.ask(server, found, AbortSignal.any([signal, this.#over.signal]));
  }

  [Symbol.dispose](): void {
    this.#over.abort(new FemtoError("FEMTO_UPSTREAM_ASKS", "the call is over"));
  }

  #notice(relay: CallRelay, method: string, params: unknown): void {
    const notice = noticeIn(this.#parts.server, method, params);
    if (notice === null || (notice.kind === "log" && !isLogged(notice.level, relay.logLevel))) return;
    relay.notice(notice);
  }
}
