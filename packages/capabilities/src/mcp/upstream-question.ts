/** Questions of an MCP server to its caller, and the answers to them. Only known fields are taken, within limits. */
import {
  type AskKind,
  askKindOf,
  FemtoError,
  holdsInexact,
  LIMITS,
  printable,
  type UpstreamQuestion,
  type UpstreamQuestions,
  visibleJson,
} from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";

type Members = Readonly<Record<string, unknown>>;

const NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** Throws if a question may not be asked; `may` is what the operator permits and the client can answer. */
export function questionsIn(server: string, asked: unknown, may: readonly AskKind[]): UpstreamQuestions {
  const entries = Object.entries(Object(asked) as Members);
  if (entries.length === 0 || entries.length > LIMITS.questionsAtOnce) {
    throw refused(`asks ${entries.length} things at once, where 1 to ${LIMITS.questionsAtOnce} may be`);
  }
  const questions = entries.map(([name, one]) => {
    if (!NAME.test(name)) throw refused("asks something by a name that is none");
    const { method, params = {} } = Object(one) as Members;
    const kind = askKindOf(method);
    if (kind === null) throw refused("asks something that is not known");
    if (!may.includes(kind)) throw refused(`asks for ${kind}, which its operator or the client does not permit`);
    return [name, questionOf(server, kind, Object(params) as Members)] as const;
  });
  const found = Object.fromEntries(questions);
  if (holdsInexact(found)) throw refused("asks with a number that cannot be held exactly");
  const bytes = Buffer.byteLength(JSON.stringify(found));
  if (bytes > LIMITS.questionBytes)
    throw refused(`asks with ${bytes} bytes, where ${LIMITS.questionBytes} are the most`);
  return found;
}

/** INVARIANT: I8: anyone who is asked sees which server asks before anything that the server wrote. */
function questionOf(server: string, kind: AskKind, params: Members): UpstreamQuestion {
  const asks = `[The MCP server ${server} asks, not FemtoClaw]`;
  if (kind === "roots") return { kind, params: {} };
  if (kind === "elicitation") {
    const { mode = "form", message, requestedSchema } = params;
    // A link would lead a person to a page where nobody decides about anything.
    if (mode !== "form") throw refused("asks in another way than by a form");
    if (typeof message !== "string" || Object(requestedSchema).type !== "object")
      throw refused("asks with a form that is none");
    if (visibleJson(requestedSchema) !== JSON.stringify(requestedSchema)) {
      throw refused("asks with a form that has characters which nobody sees");
    }
    return { kind, params: { message: `${asks} ${printable(message, LIMITS.noticeChars)}`, requestedSchema } };
  }
  const { messages, maxTokens, systemPrompt } = params;
  const isSpoken = (one: unknown): boolean => ["user", "assistant"].includes(Object(one).role);
  if (!Array.isArray(messages) || !messages.every(isSpoken)) throw refused("asks a model with messages that are none");
  if (!Number.isSafeInteger(maxTokens) || Number(maxTokens) < 1) throw refused("asks a model without a limit");
  // Neither tools nor the context of other servers are given to a model because a server wants it.
  const told = typeof systemPrompt === "string" ? `${asks}\n${systemPrompt}` : asks;
  return {
    kind,
    params: {
      messages: messages.map(({ role, content }) => ({ role, content })),
      maxTokens: Math.min(Number(maxTokens), LIMITS.sampledTokens),
      systemPrompt: told,
    },
  };
}

/** The answers as the server gets them. Throws if they do not answer the questions. */
export function answersTo(questions: UpstreamQuestions, given: unknown): Record<string, JsonObject> {
  const answers = Object(given) as Members;
  const found = Object.entries(questions).map(([name, { kind }]) => {
    const answer = Object.hasOwn(answers, name) ? answerOf(kind, Object(answers[name]) as Members) : null;
    if (answer === null)
      throw new FemtoError("FEMTO_SOCKET_REQUEST", `there is no proper answer to ${printable(name, 64)}`);
    return [name, answer] as const;
  });
  return Object.fromEntries(found);
}

function answerOf(kind: AskKind, answer: Members): JsonObject | null {
  if (kind === "elicitation") {
    const { action, content } = answer;
    if (action === "decline" || action === "cancel") return { action };
    return action === "accept" && typeof content === "object" && !Array.isArray(content)
      ? ({ action, content: content ?? {} } as JsonObject)
      : null;
  }
  if (kind === "roots") {
    const { roots } = answer;
    return Array.isArray(roots) && roots.every((one) => typeof Object(one).uri === "string")
      ? ({ roots } as JsonObject)
      : null;
  }
  const { role, content, model, stopReason } = answer;
  if (role !== "assistant" || typeof content !== "object" || content === null || typeof model !== "string") return null;
  return { role, content, model, ...(typeof stopReason === "string" ? { stopReason } : {}) } as JsonObject;
}

function refused(how: string): FemtoError {
  return new FemtoError("FEMTO_UPSTREAM_ASKS", `the server ${how}`);
}
