/**
 * Makes one tool call of an MCP client at the gate. While the call runs, the client gets signs of life; if it takes too
 * long, the client gets a ticket to wait with.
 */
import { Buffer } from "node:buffer";
import {
  ASK_KINDS,
  ASK_METHODS,
  type AskKind,
  FemtoError,
  LIMITS,
  type LogLevel,
  type OutputPart,
  printable,
  type Reply,
  type TraceFields,
} from "@femtoclaw/protocol";
import {
  type CallToolResult,
  type InputRequests,
  type InputRequiredResult,
  inputRequired,
  isInputRequiredResult,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
} from "@modelcontextprotocol/server";
import type { HostSession } from "./host-session.ts";
import { isRelayed } from "./relayed.ts";
import { faultOf, faultResult, resultOf } from "./results.ts";
import { type Listener, SignsOfLife } from "./signs-of-life.ts";
import type { OngoingCall, Question } from "./suspended-calls.ts";

export interface CallContext extends Listener {
  /** A name for this call that is recorded with it. */
  readonly label: string | undefined;
  /** The trace that the client says the call belongs to. */
  readonly trace: TraceFields;
  /** Aborted when the client does not want the call any more. */
  readonly cancelled: AbortSignal;
  /** The least severe log messages of MCP servers that the client wants; null for none. */
  readonly logLevel: LogLevel | null;
  /** The kinds of questions that the client says it can answer. */
  readonly canAnswer: readonly AskKind[];
  /** Whether the client is one of the 2026 era. */
  readonly isStateless: boolean;
  /** The client's answers to earlier questions, with the state that it was given then; null for a new call. */
  readonly answer: { readonly state: string; readonly answers: Readonly<Record<string, unknown>> } | null;
}

export interface ToolCallText {
  readonly tool: string;
  /** The text that the client wrote. */
  readonly args: string;
}

export class Calls {
  readonly #host: HostSession;
  readonly #waitMs: number;

  constructor(host: HostSession, waitMs: number) {
    this.#host = host;
    this.#waitMs = waitMs;
  }

  /** Proposes the call. If operators are asked about it, waits for them as long as clients wait. */
  async call(call: ToolCallText, context: CallContext): Promise<CallToolResult | InputRequiredResult> {
    try {
      const reply = await this.reply(call, context);
      return isInputRequiredResult(reply) ? reply : resultOf(reply);
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      return faultResult(faultOf(error));
    }
  }

  /**
   * Like `call`, but for requests that are not answered with a tool result, so it throws if the proposal could not be
   * made. If the MCP server asks the client something, the questions are returned, and the client's next request
   * continues the call.
   */
  async reply(call: ToolCallText, context: CallContext): Promise<Reply | InputRequiredResult> {
    const { answer, cancelled } = context;
    const resumed = answer === null ? null : this.#host.suspended.take(answer.state, call);
    if (answer !== null && resumed === null) throw notAsked();
    return await this.#withSigns({ context, isRelayed: isRelayed(call.tool) }, async (deadlineMs, signs) => {
      const ongoing = resumed?.ongoing ?? this.#begin(call, context, signs);
      ongoing.signs = signs;
      const cancel = (): void => ongoing.abort.abort();
      if (cancelled.aborted) cancel();
      else cancelled.addEventListener("abort", cancel, { once: true });
      try {
        if (resumed !== null && answer !== null) await this.#answer(resumed.question, answer.answers, ongoing);
        const next = await Promise.race([ongoing.reply, ongoing.asked.promise]);
        if ("questions" in next) return this.#suspend(ongoing, next);
        if (next.status !== "pending") return heldAgainst(next, context);
        return await this.#untilAnswered(next, context, deadlineMs, signs);
      } finally {
        cancelled.removeEventListener("abort", cancel);
        ongoing.signs = null;
      }
    });
  }

  #begin(call: ToolCallText, context: CallContext, signs: SignsOfLife | null): OngoingCall {
    const { label, trace, logLevel } = context;
    const canAnswer = isRelayed(call.tool) ? context.canAnswer : [];
    const abort = new AbortController();
    const onOutput = (part: OutputPart): void => {
      const { notice } = part;
      if (notice?.kind === "question") ongoing.asked.resolve(notice);
      else ongoing.signs?.listening.onOutput(part);
    };
    const reply = this.#host.propose(messageOf(call), {
      signal: abort.signal,
      trace,
      canAnswer,
      ...(label === undefined ? {} : { label }),
      ...(logLevel === null ? {} : { logLevel }),
      ...(signs === null && canAnswer.length === 0 ? {} : { onOutput }),
    });
    const ongoing: OngoingCall = { call, reply, abort, asked: Promise.withResolvers(), signs };
    return ongoing;
  }

  /** INVARIANT: I8: the client's answers are for the server that asked, and nothing here acts on them. */
  async #answer(
    { question }: Question,
    answers: Readonly<Record<string, unknown>>,
    ongoing: OngoingCall,
  ): Promise<void> {
    try {
      await this.#host.answer(question, answers);
    } catch (error) {
      // A malformed answer is not asked for again.
      ongoing.abort.abort();
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, faultOf(error).message);
    }
  }

  #suspend(ongoing: OngoingCall, question: Question): InputRequiredResult {
    ongoing.asked = Promise.withResolvers();
    const requests = Object.entries(question.questions).map(
      ([name, { kind, params }]) => [name, { method: ASK_METHODS[kind], params }] as const,
    );
    return inputRequired({
      inputRequests: Object.fromEntries(requests) as InputRequests,
      requestState: this.#host.suspended.suspend(ongoing, question),
    });
  }

  async #untilAnswered(
    reply: Reply,
    { cancelled }: CallContext,
    deadlineMs: number,
    signs: SignsOfLife | null,
  ): Promise<Reply> {
    signs?.say(`waits for an operator: question ${reply.approval?.id ?? ""}`);
    if (signs !== null) void this.#host.follow(reply.execution_id, signs.listening.onOutput);
    const cancel = (): void => void this.#host.cancel(reply.execution_id);
    if (cancelled.aborted) cancel();
    else cancelled.addEventListener("abort", cancel, { once: true });
    const ended = await this.#within(reply.execution_id, deadlineMs, cancelled);
    cancelled.removeEventListener("abort", cancel);
    return ended ?? reply;
  }

  /** Continues to wait for a call that was pending. */
  async wait(execution: unknown, context: CallContext): Promise<CallToolResult> {
    const reply = this.#withSigns<Reply>({ context, isRelayed: false }, async (deadlineMs, signs) => {
      const isOwn = typeof execution === "string" && this.#host.isTicket(execution);
      if (!isOwn) throw notOwn(execution);
      signs?.say("waits for an operator");
      if (signs !== null) void this.#host.follow(execution, signs.listening.onOutput);
      const ended = await this.#within(execution, deadlineMs, context.cancelled);
      return ended ?? { execution_id: execution, status: "pending", decision: null, record: null };
    });
    return await this.#answered(reply);
  }

  async #answered(reply: Promise<Reply>): Promise<CallToolResult> {
    try {
      return resultOf(await reply);
    } catch (error) {
      return faultResult(faultOf(error));
    }
  }

  /** Makes the call, and gives the client signs of life meanwhile. `isRelayed`: an MCP server counts the progress. */
  async #withSigns<T extends Reply | InputRequiredResult>(
    { context, isRelayed }: { readonly context: CallContext; readonly isRelayed: boolean },
    ask: (deadlineMs: number, signs: SignsOfLife | null) => Promise<T>,
  ): Promise<T> {
    using signs =
      context.onProgress === null && context.onLog === null ? null : new SignsOfLife(context, { isRelayed });
    const reply = await ask(performance.now() + this.#waitMs, signs);
    if (!isInputRequiredResult(reply)) this.#compareTools(reply as Reply);
    return reply;
  }

  /** Null if the call has not ended by the deadline, or if nobody waits for it any more. */
  async #within(execution: string, deadlineMs: number, cancelled: AbortSignal): Promise<Reply | null> {
    const over = Promise.withResolvers<null>();
    const timer = setTimeout(() => over.resolve(null), Math.max(deadlineMs - performance.now(), 0));
    const stop = (): void => over.resolve(null);
    cancelled.addEventListener("abort", stop, { once: true });
    try {
      return await Promise.race([this.#host.wait(execution), over.promise]);
    } finally {
      clearTimeout(timer);
      cancelled.removeEventListener("abort", stop);
    }
  }

  /** If a listed tool is not there any more, it was switched off meanwhile, so the client's list is outdated. */
  #compareTools({ error }: Reply): void {
    if (error?.code !== "FEMTO_CAPABILITY_DISABLED" && error?.code !== "FEMTO_CAPABILITY_NOT_FOUND") return;
    this.#host.compareTools().catch(() => undefined);
  }
}

/** Wraps the arguments, as they were written, in a message of FemtoClaw's protocol. */
function messageOf({ tool, args }: ToolCallText): Buffer {
  const message = Buffer.from(`{"tool_call":{"tool":${JSON.stringify(tool)},"args":${args}}}`);
  // One byte more than allowed is enough for the host to refuse the message and to record the refusal.
  return message.length > LIMITS.messageBytes ? Buffer.alloc(LIMITS.messageBytes + 1, "x") : message;
}

/**
 * INVARIANT: I8: if the client cannot be asked what a server wants to know, the server does not learn it in another
 * way. A client of the 2026 era is told in the form of its protocol version.
 */
function heldAgainst(reply: Reply, { canAnswer, isStateless }: CallContext): Reply {
  const missing = ASK_KINDS.filter((kind) => !canAnswer.includes(kind));
  if (!isStateless || reply.error?.code !== "FEMTO_UPSTREAM_ASKS" || missing.length === 0) return reply;
  const requiredCapabilities = Object.fromEntries(missing.map((kind) => [kind, {}]));
  throw new MissingRequiredClientCapabilityError({ requiredCapabilities }, reply.error.reason);
}

function notAsked(): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, "nothing was asked that this could be an answer to");
}

function notOwn(execution: unknown): FemtoError {
  const named = typeof execution === "string" ? printable(execution, 64) : "what was given";
  const fix =
    "Use the execution_id of an answer with the status pending that this client got. An operator can see the outcome of other calls with `femtoclaw executions list --all`.";
  return new FemtoError("FEMTO_EXECUTION_NOT_FOUND", `${named} is not a pending call of this client`, { fix });
}
