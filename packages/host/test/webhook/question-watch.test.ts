/** The state of a runtime is ahead of the records that can be read, by the sync of a disk: nothing is missed in between. */
import { type Clock, systemClock } from "@femtoclaw/journal";
import type { TypedRecord } from "@femtoclaw/protocol";
import { expect, it } from "vitest";
import { QuestionWatch, type QuestionWatchParts } from "../../src/webhook/question-watch.ts";

const EXECUTION = "e1";
const ASKED = 0;

const recordsOf = (...ends: readonly Partial<TypedRecord>[]): TypedRecord[] =>
  [
    { type: "approval.asked", body: { tool: "process_exec", rules: ["ask/1"], expires_at: "", digest: "d" } },
    ...ends,
  ].map((record, seq) => ({ seq, execution: EXECUTION, actor: null, ...record }) as unknown as TypedRecord);

const answered = (complete: boolean) =>
  ({ type: "approval.answered", body: { question: ASKED, answer: "granted", complete } }) as Partial<TypedRecord>;
const expired = { type: "execution.refused", body: { approval: ASKED, event: "expired" } } as Partial<TypedRecord>;

/** Looks when it is told to; only the first `durable` records can be read. */
function watched(records: readonly TypedRecord[]) {
  const told: string[] = [];
  const state = { durable: 1, questions: new Map([[EXECUTION, { seq: ASKED, granted: [] as string[] }]]) };
  let look: (() => void) | null = null;
  const clock: Clock = {
    ...systemClock(),
    after: (_, callback) => {
      look = callback;
      return () => undefined;
    },
  };
  const reader = {
    async *read(from: number, to: number) {
      yield* records.slice(from, Math.min(to, state.durable));
    },
    locate: async () => records.slice(0, state.durable).map(({ seq }) => seq),
  };
  const projection = {
    get questions() {
      return state.questions;
    },
  };
  const runtime = { projection, reader, policy: { rules: [] }, status: () => ({ log: "example/log" }) };
  const watch = new QuestionWatch({
    runtime: runtime as unknown as QuestionWatchParts["runtime"],
    clock,
    tell: ({ event, record }) => told.push(`${event} ${record}`),
    onFault: (error) => told.push(String(error)),
  });
  watch.start();
  const next = async (): Promise<readonly string[]> => {
    await watch.looked;
    look?.();
    await watch.looked;
    return told;
  };
  return { state, next, watch };
}

it("tells of an end that is not durable yet once it is", async () => {
  const { state, next, watch } = watched(recordsOf(expired));
  expect(await next()).toEqual(["asked 0"]);
  state.questions.clear();
  expect(await next()).toEqual(["asked 0"]);
  state.durable = 2;
  expect(await next()).toEqual(["asked 0", "expired 1"]);
  expect(watch.isOpen("0")).toBe(false);
  expect(await next()).toEqual(["asked 0", "expired 1"]);
});

it("tells of each answer once it is durable, while the question is open", async () => {
  const { state, next } = watched(recordsOf(answered(false), answered(true)));
  await next();
  state.questions.set(EXECUTION, { seq: ASKED, granted: ["uid:1", "uid:2"] });
  expect(await next()).toEqual(["asked 0"]);
  state.durable = 2;
  expect(await next()).toEqual(["asked 0", "answered 1"]);
  state.durable = 3;
  expect(await next()).toEqual(["asked 0", "answered 1", "answered 2"]);
});
