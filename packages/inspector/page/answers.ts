/** Caches answers of the source: each is asked for once, when it is first shown. */
import { type Signal, signal } from "@preact/signals-core";
import type { Inspection } from "../src/inspection.ts";
import { inspection } from "./store.ts";

/** LIMIT: cached answers; a proof has some hundred bytes, a body at most a few hundred thousand. */
const ANSWERS_MAX = 256;

const answers = new Map<string, Signal<object | string | null>>();

/** Null until there is an answer, and if there is none; a text says why the answer failed. */
export function answerOf<Answer extends object>(
  what: string,
  seq: number,
  ask: (from: Inspection) => Promise<Answer | null>,
): Answer | string | null {
  const key = `${what} ${seq}`;
  const known = answers.get(key);
  if (known !== undefined) return known.value as Answer | string | null;
  const answer = signal<object | string | null>(null);
  const [oldest] = answers.keys();
  if (answers.size >= ANSWERS_MAX && oldest !== undefined) answers.delete(oldest);
  answers.set(key, answer);
  const hear = (said: object | string | null): void => {
    answer.value = said;
  };
  ask(inspection()).then(hear, (error: unknown) => hear(String(error)));
  return answer.value as null;
}
