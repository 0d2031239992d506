/** What a connection can ask for: the verbs of its endpoint, and what is done when its client leaves. */
import type { AnswerTurns } from "./answer-turns.ts";

/**
 * `id` is the identifier of the request, by which its connection can refer to it later. `turns` put the connection's
 * large answers in order.
 */
export type Handler = (
  fields: Readonly<Record<string, unknown>>,
  id: number,
  turns: AnswerTurns,
) => Promise<unknown> | unknown;

export interface ConnectionHandlers {
  readonly verbs: Readonly<Record<string, Handler>>;
  /** The client sends nothing more, for example because it was killed. It may still read. */
  onLeaving?(): void;
  onClosed(): void;
}
