/** What goes on between one MCP server and its caller beside one answer: what the caller is told, and what it is asked. */
import { type AskKind, FemtoError, isLogged, LIMITS } from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";
import { type CallRelay, noticeIn } from "./upstream-notice.ts";
import { questionsIn } from "./upstream-question.ts";
import type { UpstreamRequest } from "./upstream-transport.ts";

export interface AsidesParts {
  readonly server: string;
  /** What the operator lets the server ask. */
  readonly mayAsk: readonly AskKind[];
  /** Null where nobody is there who could be told or asked. */
  readonly relay: CallRelay | null;
  readonly signal: AbortSignal;
}

export class CallAsides implements Disposable {
  /** What the server may ask in this call. INVARIANT: I8: what its operator permits, of a client that says that it can answer. */
  readonly may: readonly AskKind[];
  /** For the request by which the server is called. */
  readonly heard: Pick<UpstreamRequest, "onNotice" | "onAsked">;
  readonly #parts: AsidesParts;
  /** With the call ends what was asked in it. */
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

  /** Asks the caller. Throws what keeps it from that, and where no answer comes while the call lasts. */
  async answers(questions: unknown): Promise<Record<string, JsonObject>> {
    const { server, relay, signal } = this.#parts;
    this.#rounds += 1;
    // INVARIANT: I9: a call that asks again and again ends.
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
