/** One tool call of an MCP client: to the gate, with signs of life while it lasts, and a ticket where that takes too long. */
import { Buffer } from "node:buffer";
import { FemtoError, LIMITS, type LogLevel, printable, type Reply, type TraceFields } from "@femtoclaw/protocol";
import type { CallToolResult } from "@modelcontextprotocol/server";
import type { HostSession } from "./host-session.ts";
import { isRelayed } from "./relayed.ts";
import { faultOf, faultResult, resultOf } from "./results.ts";
import { type Listener, SignsOfLife } from "./signs-of-life.ts";

export interface CallContext extends Listener {
  /** A name for this call, recorded with it. */
  readonly label: string | undefined;
  /** The trace that the client says the call is part of. */
  readonly trace: TraceFields;
  /** Aborted when the client says that it does not want the call any more. */
  readonly cancelled: AbortSignal;
  /** What of the logs of MCP servers the client wants to be told; null for nothing. */
  readonly logLevel: LogLevel | null;
}

export interface ToolCallText {
  readonly tool: string;
  /** As the client wrote them. */
  readonly args: string;
}

export class Calls {
  readonly #host: HostSession;
  readonly #waitMs: number;

  constructor(host: HostSession, waitMs: number) {
    this.#host = host;
    this.#waitMs = waitMs;
  }

  /** Proposes the call; a question to operators is waited for as long as clients wait. */
  async call(call: ToolCallText, context: CallContext): Promise<CallToolResult> {
    return await this.#answered(this.reply(call, context));
  }

  /** The same, for who answers otherwise than a tool does. Throws what could not even be asked. */
  async reply(call: ToolCallText, context: CallContext): Promise<Reply> {
    return await this.#heard(context, isRelayed(call.tool), async (deadlineMs, signs) => {
      const { label, trace, cancelled, logLevel } = context;
      const named = { ...(label === undefined ? {} : { label }), ...(logLevel === null ? {} : { logLevel }) };
      const options = { signal: cancelled, trace, ...named, ...signs?.listening };
      const reply = await this.#host.propose(messageOf(call), options);
      if (reply.status !== "pending") return reply;
      signs?.say(`waits for an operator: question ${reply.approval?.id ?? ""}`);
      if (signs !== null) void this.#host.follow(reply.execution_id, signs.listening.onOutput);
      const cancel = (): void => void this.#host.cancel(reply.execution_id);
      if (cancelled.aborted) cancel();
      else cancelled.addEventListener("abort", cancel, { once: true });
      const ended = await this.#within(reply.execution_id, deadlineMs, cancelled);
      cancelled.removeEventListener("abort", cancel);
      return ended ?? reply;
    });
  }

  /** Waits on for a call that was pending. */
  async wait(execution: unknown, context: CallContext): Promise<CallToolResult> {
    const reply = this.#heard(context, false, async (deadlineMs, signs) => {
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

  async #heard(
    context: CallContext,
    isOfServer: boolean,
    ask: (deadlineMs: number, signs: SignsOfLife | null) => Promise<Reply>,
  ): Promise<Reply> {
    using signs = context.onProgress === null && context.onLog === null ? null : new SignsOfLife(context, isOfServer);
    const reply = await ask(performance.now() + this.#waitMs, signs);
    this.#compareTools(reply);
    return reply;
  }

  /** Null when it has not ended by then, or nobody waits for it any more. */
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

  /** A tool that was listed and is not there any more was switched off meanwhile. */
  #compareTools({ error }: Reply): void {
    if (error?.code !== "FEMTO_CAPABILITY_DISABLED" && error?.code !== "FEMTO_CAPABILITY_NOT_FOUND") return;
    this.#host.compareTools().catch(() => undefined);
  }
}

/** The message of the protocol around the arguments as they were written. */
function messageOf({ tool, args }: ToolCallText): Buffer {
  const message = Buffer.from(`{"tool_call":{"tool":${JSON.stringify(tool)},"args":${args}}}`);
  // One byte beyond the limit is enough for the host to refuse it, and to record that it did.
  return message.length > LIMITS.messageBytes ? Buffer.alloc(LIMITS.messageBytes + 1, "x") : message;
}

function notOwn(execution: unknown): FemtoError {
  const named = typeof execution === "string" ? printable(execution, 64) : "what was given";
  const fix =
    "Use the execution_id of an answer with the status pending that this client got. An operator sees with `femtoclaw executions list --all` what became of other calls.";
  return new FemtoError("FEMTO_EXECUTION_NOT_FOUND", `${named} is no call of this client that was pending`, { fix });
}
