/**
 * The capabilities of a host as tools of the ai SDK. None of them has an `execute`: the SDK only says what a model
 * wants, and the gate decides what happens.
 */
import { ERRORS, FemtoError, type Reply, type ToolDescription } from "@femtoclaw/protocol";
import { jsonSchema, type ToolModelMessage, type ToolSet, tool } from "ai";
import { type CallAnswer, messageOf, type ProposedCall, resultPart } from "./call.ts";
import type { Gate } from "./gate.ts";

/** Milliseconds for which a call waits for an operator, by default. */
const WAIT_MS = 600_000;

/** LIMIT: characters of one result that a model gets, by default. */
export const RESULT_CHARS = 32_768;

/** How long a model's calls wait, and how much of their results it gets. */
export interface GateToolsOptions {
  /** Milliseconds for which a call waits for an operator before it is withdrawn; ten minutes by default. */
  readonly waitMs?: number;
  /** Characters of one result that a model gets; 32 768 by default. */
  readonly resultChars?: number;
}

/** Who follows a call, and who may end it. */
export interface CallOptions {
  /** Aborted when the call is no longer wanted. */
  readonly signal?: AbortSignal;
  /** Called when the call waits for an operator. */
  readonly onAsked?: (call: ProposedCall, reply: Reply) => void;
}

/** A model's call as the ai SDK reports it, in the `toolCalls` of its results. */
export interface SdkToolCall {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly input: unknown;
}

/** The tools for a model, and the way to execute its calls. */
export class GateTools {
  /** For `generateText` and `streamText`. None of them has an `execute`. */
  readonly tools: ToolSet;
  readonly #gate: Gate;
  readonly #waitMs: number;
  readonly #resultChars: number;

  private constructor(gate: Gate, described: readonly ToolDescription[], options: GateToolsOptions) {
    this.#gate = gate;
    this.#waitMs = options.waitMs ?? WAIT_MS;
    this.#resultChars = options.resultChars ?? RESULT_CHARS;
    const tools: ToolSet = Object.create(null);
    for (const { name, description, input } of described) {
      tools[name] = tool({ description, inputSchema: jsonSchema(input) });
    }
    // The object has no prototype, so that no name that a model makes up finds an inherited member.
    this.tools = tools;
  }

  /** The tools that the host lists now. */
  static async of(gate: Gate, options: GateToolsOptions = {}): Promise<GateTools> {
    return new GateTools(gate, await gate.tools(), options);
  }

  /**
   * Proposes one call and waits for its outcome. A call that waits for an operator too long is withdrawn, so that
   * nothing happens behind the back of a model that has gone on. A refusal of the host is a reply, and whatever keeps
   * the host from answering is a fault; neither is thrown.
   */
  async propose(call: ProposedCall, options: CallOptions = {}): Promise<CallAnswer> {
    try {
      return { call, ...(await this.#ended(call, options)) };
    } catch (error) {
      if (error instanceof FemtoError) return { call, fault: error };
      throw error;
    }
  }

  /** Proposes the calls of one answer, one after the other, and returns the message with their results. */
  async answer(calls: readonly SdkToolCall[], options: CallOptions = {}): Promise<ToolModelMessage> {
    const content = [];
    for (const { toolCallId, toolName, input } of calls) {
      const args = typeof input === "string" ? input : JSON.stringify(input ?? {});
      content.push(this.resultOf(await this.propose({ id: toolCallId, tool: toolName, args }, options)));
    }
    return { role: "tool", content };
  }

  /** The part of a message that tells the model the outcome of its call. */
  resultOf(answer: CallAnswer): ToolModelMessage["content"][number] {
    return resultPart(answer, this.#resultChars);
  }

  async #ended(
    call: ProposedCall,
    { signal, onAsked }: CallOptions,
  ): Promise<{ readonly reply: Reply; readonly unanswered?: true }> {
    if (signal?.aborted === true) throw notProposed("it was cancelled before it was proposed");
    const reply = await this.#gate.propose(messageOf(call), signal === undefined ? {} : { signal });
    if (reply.status !== "pending") return { reply };
    onAsked?.(call, reply);
    const takeBack = (): void => void Promise.resolve(this.#gate.cancel(reply.execution_id)).catch(() => undefined);
    const limit = AbortSignal.timeout(this.#waitMs);
    const over = signal === undefined ? limit : AbortSignal.any([signal, limit]);
    if (over.aborted) takeBack();
    else over.addEventListener("abort", takeBack, { once: true });
    try {
      // An answer given in the same moment counts: no matter who came first, the reply says what became of the call.
      const ended = await this.#gate.wait(reply.execution_id);
      const isOverdue = limit.aborted && over.reason === limit.reason;
      const isWithdrawn = isOverdue && ended.error?.code === "FEMTO_EXECUTION_HALTED";
      return isWithdrawn ? { reply: ended, unanswered: true } : { reply: ended };
    } finally {
      over.removeEventListener("abort", takeBack);
    }
  }
}

/** The fault of a call that was never proposed. */
export function notProposed(reason: string): FemtoError {
  return new FemtoError("FEMTO_EXECUTION_HALTED", reason, { fix: ERRORS.FEMTO_EXECUTION_HALTED.fix });
}
