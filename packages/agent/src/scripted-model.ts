/**
 * A model whose answers were written in advance: for tests, for demonstrations, and to try a policy without a model.
 * The next step depends on the conversation alone, so that the same conversation gets the same answer.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  LanguageModelV4Text,
  LanguageModelV4ToolCall,
} from "@ai-sdk/provider";

/** One answer: a text, calls, or both. */
export interface ScriptedStep {
  readonly text?: string;
  readonly calls?: readonly ScriptedCall[];
  /** Milliseconds before the answer. */
  readonly after_ms?: number;
}

/** One call of a scripted answer. */
export interface ScriptedCall {
  /** Name of a capability, whether it exists or not. */
  readonly tool: string;
  /** A text is proposed as it is, so that malformed arguments can be scripted too. */
  readonly args?: Readonly<Record<string, unknown>> | string;
}

/** Characters of text that come at once. */
const CHUNK_CHARS = 16;

/** Roughly what providers count. */
const CHARS_PER_TOKEN = 4;

/** Answers with the steps in order; after the last one it has nothing to say. */
export function scriptedModel(steps: readonly ScriptedStep[]): LanguageModelV4 {
  const answer = async (options: LanguageModelV4CallOptions): Promise<Answer> => {
    const { prompt, abortSignal } = options;
    const number = prompt.filter(({ role }) => role === "assistant").length;
    const step = steps[number] ?? { text: "The script has ended." };
    if (step.after_ms !== undefined) await sleep(step.after_ms, undefined, { signal: abortSignal });
    return answerOf(step, number, JSON.stringify(prompt).length);
  };
  return {
    specificationVersion: "v4",
    provider: "scripted",
    modelId: "scripted",
    supportedUrls: {},
    doStream: async (options) => ({ stream: ReadableStream.from(partsOf(await answer(options))) }),
    doGenerate: async (options) => ({ ...(await answer(options)), warnings: [] }),
  };
}

type Answer = Pick<LanguageModelV4GenerateResult, "finishReason" | "usage"> & {
  readonly content: (LanguageModelV4Text | LanguageModelV4ToolCall)[];
};

function answerOf({ text, calls = [] }: ScriptedStep, number: number, promptChars: number): Answer {
  const content: Answer["content"] = text === undefined ? [] : [{ type: "text", text }];
  for (const [index, { tool, args = {} }] of calls.entries()) {
    const input = typeof args === "string" ? args : JSON.stringify(args);
    content.push({ type: "tool-call", toolCallId: `call-${number}-${index}`, toolName: tool, input });
  }
  const tokens = (chars: number): number => Math.ceil(chars / CHARS_PER_TOKEN);
  return {
    content,
    finishReason: { unified: calls.length > 0 ? "tool-calls" : "stop", raw: undefined },
    usage: {
      inputTokens: { total: tokens(promptChars), noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: tokens(JSON.stringify(content).length), text: undefined, reasoning: undefined },
    },
  };
}

function* partsOf({ content, finishReason, usage }: Answer): Generator<LanguageModelV4StreamPart> {
  yield { type: "stream-start", warnings: [] };
  for (const part of content) {
    if (part.type === "tool-call") {
      yield part;
      continue;
    }
    yield { type: "text-start", id: "text" };
    for (let at = 0; at < part.text.length; at += CHUNK_CHARS) {
      yield { type: "text-delta", id: "text", delta: part.text.slice(at, at + CHUNK_CHARS) };
    }
    yield { type: "text-end", id: "text" };
  }
  yield { type: "finish", finishReason, usage };
}
