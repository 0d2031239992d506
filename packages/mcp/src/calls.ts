/** One tool call of an MCP client: to the gate, with signs of life while it lasts, and a ticket where that takes too long. */
import { Buffer } from "node:buffer";
import { FemtoError, LIMITS, type OutputPart, printable, type Reply, type TraceFields } from "@femtoclaw/protocol";
import type { CallToolResult } from "@modelcontextprotocol/server";
import type { HostSession } from "./host-session.ts";
import { faultOf, faultResult, resultOf } from "./results.ts";

/** Clients give up on a server that is silent for a minute; some do after half of that. */
const SIGN_OF_LIFE_MS = 4_000;
/** Where its program writes something, a client hears of it sooner, and not more often. */
const LAST_LINE_MS = 1_000;
/** LIMIT: characters of the line that is told. */
const LAST_LINE_CHARS = 200;

export interface CallContext {
  /** A name for this call, recorded with it. */
  readonly label: string | undefined;
  /** The trace that the client says the call is part of. */
  readonly trace: TraceFields;
  /** Aborted when the client says that it does not want the call any more. */
  readonly cancelled: AbortSignal;
  /** Tells the client that its call is under way; null where it has not asked for that. */
  readonly onProgress: ((progress: { readonly progress: number; readonly message: string }) => void) | null;
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
    return await this.#answered(context, async (deadlineMs, signs) => {
      const { label, trace, cancelled } = context;
      const options = { signal: cancelled, trace, ...(label === undefined ? {} : { label }), ...signs?.listening };
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
    return await this.#answered(context, async (deadlineMs, signs) => {
      const isOwn = typeof execution === "string" && this.#host.isTicket(execution);
      if (!isOwn) throw notOwn(execution);
      signs?.say("waits for an operator");
      if (signs !== null) void this.#host.follow(execution, signs.listening.onOutput);
      const ended = await this.#within(execution, deadlineMs, context.cancelled);
      return ended ?? { execution_id: execution, status: "pending", decision: null, record: null };
    });
  }

  async #answered(
    context: CallContext,
    ask: (deadlineMs: number, signs: SignsOfLife | null) => Promise<Reply>,
  ): Promise<CallToolResult> {
    using signs = context.onProgress === null ? null : new SignsOfLife(context.onProgress);
    try {
      const reply = await ask(performance.now() + this.#waitMs, signs);
      this.#compareTools(reply);
      return resultOf(reply);
    } catch (error) {
      return faultResult(faultOf(error));
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

/** Tells a client in turn what its call is at: that it is under way, for whom it waits, or what its program wrote last. */
class SignsOfLife implements Disposable {
  readonly listening = { onOutput: (part: OutputPart): void => this.#hear(part) };
  readonly #tell: NonNullable<CallContext["onProgress"]>;
  readonly #startMs = performance.now();
  #message = "under way";
  #saidMs = this.#startMs;
  #isNew = false;
  #isOver = false;
  #line = "";
  readonly #timer = setInterval(() => this.#look(), LAST_LINE_MS);

  constructor(tell: NonNullable<CallContext["onProgress"]>) {
    this.#tell = tell;
  }

  say(message: string): void {
    this.#message = message;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearInterval(this.#timer);
  }

  /** Of all that it wrote the newest line that says something; what one is not told is in the result. */
  #hear({ text }: OutputPart): void {
    if (this.#isOver) return;
    const lines = (this.#line + text).split(/[\r\n]+/);
    const last = lines.findLast((line) => line.trim() !== "");
    this.#line = (lines.at(-1) ?? "").slice(0, 2 * LAST_LINE_CHARS);
    if (last === undefined) return;
    // INVARIANT: I8: what a program writes acts on nobody's screen, and is told as what a program writes.
    this.#message = `output: ${printable(last, LAST_LINE_CHARS)}`;
    this.#isNew = true;
  }

  /** Each time there is more progress than before, as clients demand. */
  #look(): void {
    const nowMs = performance.now();
    if (!this.#isNew && nowMs - this.#saidMs < SIGN_OF_LIFE_MS) return;
    this.#isNew = false;
    this.#saidMs = nowMs;
    this.#tell({ progress: Math.round(nowMs - this.#startMs) / 1_000, message: this.#message });
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
