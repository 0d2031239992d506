/**
 * The capabilities of a host as tools of the ai SDK. None of them has an `execute`: the SDK only says what a model
 * wants, and what happens then is the gate's to decide.
 */
import { ERRORS, FemtoError, type Reply, type ToolDescription } from "@femtoclaw/protocol";
import { jsonSchema, type ToolModelMessage, type ToolSet, tool } from "ai";
import { type CallAnswer, messageOf, type ProposedCall, resultPart } from "./call.ts";
import type { Gate } from "./gate.ts";

/** Time for which a call waits for an operator, unless it is said otherwise. */
const WAIT_MS = 600_000;

/** LIMIT: characters of one result that a model is told, unless it is said otherwise. */
export const RESULT_CHARS = 32_768;

/** Limits of what a model waits for and is told. */
export interface GateToolsOptions {
  /** How long a call waits for an operator before it is taken back, in milliseconds; ten minutes without it. */
  readonly waitMs?: number;
  /** Characters of one result that a model is told; 32 768 without it. */
  readonly resultChars?: number;
}

/** Who hears of a call, and who may end it. */
export interface CallOptions {
  /** Aborted when the call is wanted no more. */
  readonly signal?: AbortSignal;
  /** Told when a call waits for an operator. */
  readonly onAsked?: (call: ProposedCall, reply: Reply) => void;
}

/** A call of a model as the ai SDK tells of it, in `toolCalls` of its results. */
export interface SdkToolCall {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly input: unknown;
}

/** The tools for a model, and what becomes of its calls. */
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
    // No name that a model makes up finds what every object has.
    this.tools = tools;
  }

  /** The tools as the host lists them now. */
  static async of(gate: Gate, options: GateToolsOptions = {}): Promise<GateTools> {
    return new GateTools(gate, await gate.tools(), options);
  }

  /**
   * Proposes one call and waits for its end. A question to operators is waited for within its limit and taken back
   * then, so that nothing happens behind the back of a model that has gone on. What the host refuses is a reply, and
   * what keeps it from answering is a fault; nothing of it is thrown.
   */
  async propose(call: ProposedCall, options: CallOptions = {}): Promise<CallAnswer> {
    try {
      return { call, reply: await this.#ended(call, options) };
    } catch (error) {
      if (error instanceof FemtoError) return { call, fault: error };
      throw error;
    }
  }

  /** Proposes the calls of one answer, one after the other, and makes the message with their results. */
  async answer(calls: readonly SdkToolCall[], options: CallOptions = {}): Promise<ToolModelMessage> {
    const content = [];
    for (const { toolCallId, toolName, input } of calls) {
      const args = typeof input === "string" ? input : JSON.stringify(input ?? {});
      content.push(this.resultOf(await this.propose({ id: toolCallId, tool: toolName, args }, options)));
    }
    return { role: "tool", content };
  }

  /** What became of a call, as the part of a message that the model is told it by. */
  resultOf(answer: CallAnswer): ToolModelMessage["content"][number] {
    return resultPart(answer, this.#resultChars);
  }

  async #ended(call: ProposedCall, { signal, onAsked }: CallOptions): Promise<Reply> {
    if (signal?.aborted === true) throw notProposed("it was cancelled before it was proposed");
    const reply = await this.#gate.propose(messageOf(call), signal === undefined ? {} : { signal });
    if (reply.status !== "pending") return reply;
    onAsked?.(call, reply);
    const takeBack = (): void => void Promise.resolve(this.#gate.cancel(reply.execution_id)).catch(() => undefined);
    const limit = AbortSignal.timeout(this.#waitMs);
    const over = signal === undefined ? limit : AbortSignal.any([signal, limit]);
    if (over.aborted) takeBack();
    else over.addEventListener("abort", takeBack, { once: true });
    try {
      // What was answered in the same moment counts: the reply says what became of the call, whoever was first.
      return await this.#gate.wait(reply.execution_id);
    } finally {
      over.removeEventListener("abort", takeBack);
    }
  }
}

/** The answer to a call that nobody was asked about. */
export function notProposed(reason: string): FemtoError {
  return new FemtoError("FEMTO_EXECUTION_HALTED", reason, { fix: ERRORS.FEMTO_EXECUTION_HALTED.fix });
}
