/**
 * One turn as a state machine: a model is asked, its calls are proposed, and so on until it wants no more calls or
 * something ends the turn. Asking and proposing are actors, and only the second can have an effect.
 */
import { assign, fromPromise, raise, setup } from "xstate";
import type { Budget, Stop, Used } from "./budget.ts";
import type { Inferred } from "./inference.ts";

/** The result of proposing the calls of one answer. */
export interface Answered {
  /** Calls that were proposed. */
  readonly proposed: number;
  /** Why no further calls are proposed; null if they may be. */
  readonly stop: Stop | null;
}

export interface AnswerInput {
  readonly inferred: Inferred;
  readonly callsLeft: number;
}

interface TurnContext {
  readonly budget: Budget;
  readonly used: Used;
  readonly inferred: Inferred | null;
  readonly stop: Stop | null;
}

type TurnSignal = { readonly type: "stop"; readonly kind: "cancelled" | "time" };

/** The outcome of an inference, or the reason why there is none. */
export type InferenceOutcome = Inferred | { readonly stop: Stop };

export const turnMachine = setup({
  types: {
    context: {} as TurnContext,
    input: {} as Budget,
    output: {} as { readonly stop: Stop; readonly used: Used; readonly text: string },
    events: {} as TurnSignal,
  },
  actors: {
    // Both actors always resolve with a value; a rejection is a bug.
    infer: fromPromise<InferenceOutcome, undefined>(() => Promise.reject(new Error("not provided"))),
    answer: fromPromise<Answered, AnswerInput>(() => Promise.reject(new Error("not provided"))),
  },
  actions: {
    /** Asks the running actor to end, which then reports by its own result how it ended. */
    abort: () => undefined,
    markStopped: assign({ stop: (_, kind: TurnSignal["kind"]): Stop => ({ kind }) }),
  },
  delays: { wholeTime: ({ context }) => context.budget.ms },
}).createMachine({
  id: "turn",
  context: ({ input }) => ({ budget: input, used: { calls: 0, tokens: 0 }, inferred: null, stop: null }),
  entry: raise({ type: "stop", kind: "time" }, { delay: "wholeTime", id: "time" }),
  on: {
    stop: {
      guard: ({ context }) => context.stop === null,
      actions: [{ type: "markStopped", params: ({ event }) => event.kind }, "abort"],
    },
  },
  initial: "inferring",
  states: {
    inferring: {
      invoke: {
        src: "infer",
        input: undefined,
        onDone: [
          {
            guard: ({ event }) => "stop" in event.output,
            target: "ended",
            actions: assign({
              stop: ({ context, event }) => context.stop ?? ("stop" in event.output ? event.output.stop : null),
            }),
          },
          {
            target: "judging",
            actions: assign({
              inferred: ({ context, event }) => ("stop" in event.output ? context.inferred : event.output),
              used: ({ context, event }) => ({
                ...context.used,
                tokens: context.used.tokens + ("stop" in event.output ? 0 : event.output.tokens),
              }),
            }),
          },
        ],
      },
    },
    judging: {
      always: [
        { guard: ({ context }) => (context.inferred?.calls.length ?? 0) > 0, target: "answering" },
        { target: "ended", actions: assign({ stop: ({ context }) => context.stop ?? { kind: "answered" } }) },
      ],
    },
    answering: {
      invoke: {
        src: "answer",
        input: ({ context: { inferred, used, budget } }): AnswerInput => {
          if (inferred === null) throw new Error("nothing was inferred");
          return { inferred, callsLeft: budget.calls - used.calls };
        },
        onDone: {
          target: "weighing",
          actions: assign({
            used: ({ context, event }) => ({ ...context.used, calls: context.used.calls + event.output.proposed }),
            stop: ({ context, event }) => context.stop ?? event.output.stop,
          }),
        },
      },
    },
    weighing: {
      always: [
        { guard: ({ context }) => context.stop !== null, target: "ended" },
        {
          guard: ({ context }) => context.used.tokens >= context.budget.tokens,
          target: "ended",
          actions: assign({ stop: { kind: "tokens" } }),
        },
        { target: "inferring" },
      ],
    },
    ended: { type: "final" },
  },
  output: ({ context: { stop, used, inferred } }) => {
    if (stop === null) throw new Error("a turn ended without a reason");
    return { stop, used, text: inferred?.text ?? "" };
  },
});
