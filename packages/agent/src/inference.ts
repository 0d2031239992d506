/** One answer of a model: its text as it arrives, and the calls that it wants, exactly as it wrote them. */
import type { LanguageModelV4, LanguageModelV4Middleware, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { printable } from "@femtoclaw/protocol";
import { type ModelMessage, streamText, type ToolSet, wrapLanguageModel } from "ai";
import { tokensOf } from "./budget.ts";
import { clipped, type ProposedCall } from "./call.ts";

export interface Question {
  readonly model: LanguageModelV4;
  readonly instructions: string;
  readonly messages: readonly ModelMessage[];
  readonly tools: ToolSet;
  /** Characters of the question, for providers that count no tokens. */
  readonly chars: number;
  readonly answerTokens: number | undefined;
  readonly signal: AbortSignal;
  onText(text: string): void;
}

export interface Inferred {
  readonly text: string;
  readonly calls: readonly ProposedCall[];
  /** The model's messages, in the form in which they are repeated to it. */
  readonly said: readonly ModelMessage[];
  readonly tokens: number;
  /** Whether the provider ended the answer before the model did. */
  readonly isCut: boolean;
}

/** LIMIT: characters of malformed arguments that are repeated to the model. */
const UNREADABLE_CHARS = 500;

/** LIMIT: characters of arguments that are repeated to the model, which wrote longer ones and sees their result. */
const ARGUMENT_CHARS = 16_384;

/** LIMIT: calls of one answer; models want a handful at once. */
const CALLS_MAX = 256;

/** INVARIANT: I4: the SDK gets tools without `execute` and so can run none; calls are only collected here. */
export async function infer(question: Question): Promise<Inferred> {
  const { model, instructions, messages, tools, answerTokens, signal, onText } = question;
  const calls: ProposedCall[] = [];
  const result = streamText({
    model: wrapLanguageModel({ model, middleware: collecting(calls) }),
    instructions,
    messages: [...messages],
    tools,
    abortSignal: signal,
    ...(answerTokens === undefined ? {} : { maxOutputTokens: answerTokens }),
    // Faults are thrown below, where they end the turn.
    onError: () => undefined,
  });
  let text = "";
  for await (const part of result.fullStream) {
    if (part.type === "text-delta") {
      text += part.text;
      onText(part.text);
    } else if (part.type === "error") {
      throw part.error;
    }
  }
  signal.throwIfAborted();
  const [{ messages: response }, usage, finish] = await Promise.all([
    result.response,
    result.totalUsage,
    result.finishReason,
  ]);
  const answerChars = text.length + calls.reduce((sum, { args }) => sum + args.length, 0);
  return {
    text,
    calls,
    // The SDK's own remarks about calls that it could not read are dropped: the model gets the gate's verdict.
    said: response.filter(({ role }) => role === "assistant").map(repeatable),
    tokens: tokensOf(usage.totalTokens, question.chars + answerChars),
    isCut: finish === "length" || finish === "content-filter" || finish === "interrupted",
  };
}

/**
 * Collects the calls as the provider gave them. A provider's claim to have executed something is ignored, and each call
 * of an answer gets a name of its own.
 */
function collecting(calls: ProposedCall[]): LanguageModelV4Middleware {
  return {
    specificationVersion: "v4",
    wrapStream: async ({ doStream }) => {
      // After a failure, the SDK asks again from the beginning.
      calls.length = 0;
      const { stream, ...rest } = await doStream();
      const names = new Set<string>();
      const collect = new TransformStream<LanguageModelV4StreamPart, LanguageModelV4StreamPart>({
        transform(part, controller) {
          if (part.type.startsWith("tool-input-") || part.type === "tool-result") return;
          if (part.type !== "tool-call") {
            controller.enqueue(part);
            return;
          }
          // INVARIANT: I9: an answer has room for some hundred thousand calls, each of which gets a result and a line
          // for people.
          if (calls.length === CALLS_MAX) {
            controller.error(new Error(`the answer has more than ${CALLS_MAX} calls`));
            return;
          }
          const { toolName, input } = part;
          const id = unusedName(part.toolCallId, names);
          calls.push({ id, tool: toolName, args: input });
          controller.enqueue({ type: "tool-call", toolCallId: id, toolName, input });
        },
      });
      return { ...rest, stream: stream.pipeThrough(collect) };
    },
  };
}

function unusedName(wanted: string, names: Set<string>): string {
  const base = wanted === "" ? "call" : wanted;
  let name = base;
  for (let number = 2; names.has(name); number += 1) name = `${base}-${number}`;
  names.add(name);
  return name;
}

/**
 * Providers accept only objects as arguments, so malformed or very long arguments are repeated as a text within an
 * object.
 */
function repeatable(message: ModelMessage): ModelMessage {
  if (message.role !== "assistant" || typeof message.content === "string") return message;
  const content = message.content.map((part) => {
    if (part.type !== "tool-call") return part;
    const text = typeof part.input === "string" ? part.input : JSON.stringify(part.input);
    if (!isObject(part.input)) return { ...part, input: { unreadable: printable(text, UNREADABLE_CHARS) } };
    return text.length > ARGUMENT_CHARS ? { ...part, input: { shortened: clipped(text, UNREADABLE_CHARS) } } : part;
  });
  return { ...message, content };
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
