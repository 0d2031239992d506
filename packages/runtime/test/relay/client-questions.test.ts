/** A question of an MCP server to the client, and what becomes of it while its answer is written down. */
import type { JournalEntry } from "@femtoclaw/journal";
import { FemtoError, type SessionId } from "@femtoclaw/protocol";
import { expect, it } from "vitest";
import type { Execution } from "../../src/gate/execution.ts";
import { ClientQuestions } from "../../src/relay/client-questions.ts";

const SESSION = "a session" as SessionId;
const EXECUTION = { id: "an execution", session: SESSION, actor: null } as unknown as Execution;
const QUESTIONS = { name: { kind: "elicitation", params: { message: "Who?", requestedSchema: {} } } } as const;
const ANSWER = { name: { action: "accept", content: { who: "me" } } };

function asked(append: (entry: JournalEntry) => Promise<unknown>) {
  const questions = new ClientQuestions({ outputs: { tell: () => undefined }, newId: () => "q", append });
  const { signal } = new AbortController();
  return { questions, answers: questions.ask({ execution: EXECUTION, server: "s", questions: QUESTIONS, signal }) };
}

it("stays open if its answer cannot be recorded, and takes the next one", async () => {
  let isFull = true;
  const { questions, answers } = asked(async () => {
    if (isFull) throw new FemtoError("FEMTO_JOURNAL_OVERLOADED", "16384 records wait");
  });
  await expect(questions.answer(SESSION, "q", ANSWER)).rejects.toMatchObject({ code: "FEMTO_JOURNAL_OVERLOADED" });
  const unreadable = { name: { action: "accept", content: { who: 10n } } };
  await expect(questions.answer(SESSION, "q", unreadable)).rejects.toMatchObject({ code: "FEMTO_SOCKET_REQUEST" });
  isFull = false;
  await questions.answer(SESSION, "q", ANSWER);
  expect(await answers).toEqual(ANSWER);
  await expect(questions.answer(SESSION, "q", ANSWER)).rejects.toThrow("is open here");
});

it("takes one answer, which the server gets as it was recorded", async () => {
  const recorded = Promise.withResolvers<void>();
  const { questions, answers } = asked(() => recorded.promise);
  const given = structuredClone(ANSWER);
  const first = questions.answer(SESSION, "q", given);
  await expect(questions.answer(SESSION, "q", ANSWER)).rejects.toThrow("is being answered");
  given.name.content.who = "somebody else";
  recorded.resolve();
  await first;
  expect(await answers).toEqual(ANSWER);
});
