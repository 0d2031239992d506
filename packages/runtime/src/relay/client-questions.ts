/**
 * Questions of MCP servers to the clients that call them. INVARIANT: I8: an answer goes only to the server that asked,
 * in the call in which it asked. It is the client's word, and no gate, policy or operator acts on it.
 */
import { answersTo, type JsonObject } from "@femtoclaw/capabilities";
import { type JournalEntry, redact } from "@femtoclaw/journal/live";
import {
  FemtoError,
  LIMITS,
  malformed,
  parseJson,
  printable,
  requireText,
  type SessionId,
  type UpstreamAnsweredBody,
  type UpstreamQuestions,
  visibleJson,
} from "@femtoclaw/protocol";
import type { Execution } from "../gate/execution.ts";
import type { GateOutputs } from "../gate/gate-parts.ts";

/** LIMIT: characters of a question, and of an answer, in its record. */
const RECORDED_CHARS = 1_000;

interface ClientQuestionsParts {
  readonly outputs: Pick<GateOutputs, "tell">;
  newId(): string;
  append(entry: JournalEntry): Promise<unknown>;
}

interface Asking {
  readonly execution: Execution;
  readonly server: string;
  readonly questions: UpstreamQuestions;
  readonly signal: AbortSignal;
}

interface Open extends Asking {
  /** An answer is on its way to the disk. */
  isAnswering: boolean;
  resolve(answers: Record<string, JsonObject>): void;
}

export class ClientQuestions {
  readonly #parts: ClientQuestionsParts;
  readonly #open = new Map<string, Open>();

  constructor(parts: ClientQuestionsParts) {
    this.#parts = parts;
  }

  /**
   * Throws the reason of the signal if it aborts before an answer comes; the call's time limit makes sure that it does.
   */
  async ask(asking: Asking): Promise<Record<string, JsonObject>> {
    const { execution, server, questions, signal } = asking;
    signal.throwIfAborted();
    const question = this.#parts.newId();
    const answered = Promise.withResolvers<Record<string, JsonObject>>();
    const giveUp = (): void => answered.reject(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    this.#open.set(question, { ...asking, isAnswering: false, resolve: answered.resolve });
    try {
      // INVARIANT: I10: what looks like a secret does not go from one stranger to another.
      const { value } = redact({ kind: "question", server, question, questions } as const);
      this.#parts.outputs.tell(execution.id, execution.session, value);
      return await answered.promise;
    } finally {
      signal.removeEventListener("abort", giveUp);
      this.#open.delete(question);
    }
  }

  /**
   * Takes one answer, and only from the session that was asked. The answer is durable before the server gets it; if it
   * cannot be recorded, the question stays open.
   */
  async answer(session: SessionId, question: string, given: unknown): Promise<void> {
    requireText("question", question);
    const open = this.#open.get(question);
    if (open === undefined || open.execution.session !== session) {
      throw new FemtoError("FEMTO_SOCKET_REQUEST", `no question \`${printable(question, 64)}\` is open here`);
    }
    if (open.isAnswering) {
      throw new FemtoError("FEMTO_SOCKET_REQUEST", `question \`${printable(question, 64)}\` is being answered`);
    }
    const answers = answersTo(open.questions, plainCopy(given));
    const { actor, id } = open.execution;
    const body = { server: open.server, by: "client", answers: recorded(open.questions, answers) } as const;
    open.isAnswering = true;
    try {
      await this.#parts.append({ type: "upstream.answered", actor, session, execution: id, body });
    } finally {
      open.isAnswering = false;
    }
    this.#open.delete(question);
    open.resolve(answers);
  }
}

/** INVARIANT: what the server gets is what is recorded, even if the caller changes the object meanwhile. */
function plainCopy(given: unknown): unknown {
  try {
    return parseJson(JSON.stringify(given));
  } catch {
    throw malformed("`answers` must be an object that JSON can express");
  }
}

function recorded(questions: UpstreamQuestions, answers: Record<string, JsonObject>): UpstreamAnsweredBody["answers"] {
  const all = Object.entries(questions).slice(0, LIMITS.questionsAtOnce);
  const each = all.map(([name, { kind, params }]) => ({ kind, asked: shown(params), answer: shown(answers[name]) }));
  return each as UpstreamAnsweredBody["answers"];
}

function shown(value: unknown): string {
  return printable(visibleJson(value), RECORDED_CHARS);
}
