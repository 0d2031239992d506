/** One tool call of an MCP client: to the gate, with signs of life while it lasts, and a ticket where that takes too long. */
import { Buffer } from "node:buffer";
import { FemtoError, LIMITS, printable, type Reply, type TraceFields } from "@femtoclaw/protocol";
import type { CallToolResult } from "@modelcontextprotocol/server";
import type { HostSession } from "./host-session.ts";
import { faultOf, faultResult, resultOf } from "./results.ts";

/** Clients give up on a server that is silent for a minute; some do after half of that. */
const SIGN_OF_LIFE_MS = 4_000;

export interface CallContext {
  /** A name for this call, recorded with it. */
  readonly label: string | undefined;
  /** The trace that the client says the call is part of. */
  readonly trace: TraceFields;
  /** Aborted when the client says that it does not want the call any more. */
  readonly cancelled: AbortSignal;
  /** Tells the client that its call is under way. */
  onProgress(progress: { readonly progress: number; readonly message: string }): void;
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
    return await this.#heard(context, async (deadlineMs, say) => {
      const { label, trace, cancelled } = context;
      const options = { signal: cancelled, trace, ...(label === undefined ? {} : { label }) };
      const reply = await this.#host.propose(messageOf(call), options);
      if (reply.status !== "pending") return reply;
      say(`waits for an operator: question ${reply.approval?.id ?? ""}`);
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
    const reply = this.#heard(context, async (deadlineMs, say) => {
      const isOwn = typeof execution === "string" && this.#host.isTicket(execution);
      if (!isOwn) throw notOwn(execution);
      say("waits for an operator");
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
    ask: (deadlineMs: number, say: (message: string) => void) => Promise<Reply>,
  ): Promise<Reply> {
    const startMs = performance.now();
    let message = "under way";
    const timer = setInterval(() => {
      context.onProgress({ progress: Math.round((performance.now() - startMs) / 1_000), message });
    }, SIGN_OF_LIFE_MS);
    try {
      const reply = await ask(startMs + this.#waitMs, (said) => {
        message = said;
      });
      this.#compareTools(reply);
      return reply;
    } finally {
      clearInterval(timer);
    }
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
