/** What a connection can ask for: the verbs of its endpoint, and what is done when its client leaves. */
import type { OperatorAnswers, OperatorVerb } from "@femtoclaw/protocol";
import type { AnswerTurns } from "./answer-turns.ts";

/**
 * `id` is the identifier of the request, by which its connection can refer to it later. `turns` put the connection's
 * large answers in order.
 */
export type Handler<Answer = unknown> = (
  fields: Readonly<Record<string, unknown>>,
  id: number,
  turns: AnswerTurns,
) => Promise<Answer> | Answer;

/** A handler for each of these verbs of the operator's socket, with the answer that clients expect. */
export type OperatorHandlers<V extends OperatorVerb> = { readonly [Verb in V]: Handler<OperatorAnswers[Verb]> };

/** The verbs whose names begin with one of these words and a dot. */
export type OperatorVerbs<Word extends string> = OperatorHandlers<Extract<OperatorVerb, `${Word}.${string}`>>;

export interface ConnectionHandlers {
  readonly verbs: Readonly<Record<string, Handler>>;
  /** The client sends nothing more, for example because it was killed. It may still read. */
  onLeaving?(): void;
  onClosed(): void;
}
