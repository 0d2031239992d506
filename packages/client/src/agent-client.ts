/** Typed access to what an agent may ask of a running host. */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import {
  type AgentVerb,
  type AskKind,
  agentSocketName,
  type LogLevel,
  malformed,
  type OutputPart,
  type Reply,
  requireFields,
  SOCKET_NAMES,
  type ToolDescription,
  type TraceFields,
  type WatchedChanges,
  wireTrace,
} from "@femtoclaw/protocol";
import { executionOutput, tellOutput } from "./call-output.ts";
import type { HostConnection } from "./connection.ts";
import { openHeld } from "./held-connection.ts";
import { memoryOf } from "./host-log.ts";

/** As whom a client connects. */
export interface AgentOptions {
  /** The agent whose socket is used; by default the one of all agents that have no tables of their own. */
  readonly agent?: string;
  /** The client's name for itself. It is recorded with its session, and proves nothing. */
  readonly label?: string;
  /** How long the host may take to its first answer; at most, and without it, 30 seconds. */
  readonly silentMs?: number;
}

/** Options of one proposal that are not part of its message. */
export interface ProposeOptions {
  /** A name for this call, recorded with it. */
  readonly label?: string;
  /** Log lines of MCP servers from this level on are delivered with the output; none by default. */
  readonly logLevel?: LogLevel;
  /**
   * Kinds of questions from the call's MCP server that `onOutput` may receive and `answer` answers, if the operator
   * permits.
   */
  readonly canAnswer?: readonly AskKind[];
  /** W3C trace context of the caller. */
  readonly trace?: TraceFields;
  /**
   * Aborted when the call is no longer wanted. The host is then asked to end it, and the reply says what became of it.
   */
  readonly signal?: AbortSignal;
  /**
   * Receives what the programs of the call write, as they write it, before the reply comes. It is not called again
   * before the promise that it returned has settled, and skips output that came too fast. See `AgentClient.output`.
   */
  readonly onOutput?: (part: OutputPart) => Promise<void> | void;
}

/** Throws FEMTO_SOCKET_REQUEST, before the host hears of the call, for what the host could not judge itself. */
function taken(message: Uint8Array, options: ProposeOptions): ProposeOptions {
  if (!(message instanceof Uint8Array)) throw malformed("the message must be bytes");
  requireFields("the options of a proposal", options);
  const { signal, onOutput, trace, canAnswer } = options;
  const { addEventListener, removeEventListener } = Object(signal) as Partial<AbortSignal>;
  const isSignal = typeof addEventListener === "function" && typeof removeEventListener === "function";
  if (signal !== undefined && !isSignal) throw malformed("`signal` must be an AbortSignal");
  if (onOutput !== undefined && typeof onOutput !== "function") throw malformed("`onOutput` must be a function");
  if (trace !== undefined) requireFields("`trace`", trace);
  if (canAnswer !== undefined && !Array.isArray(canAnswer)) throw malformed("`canAnswer` must be a list");
  return options;
}

/**
 * A connection to a host's agent socket. It proposes calls, waits for its own calls and cancels them, and can do
 * nothing else. It is also a `Gate` of `@femtoclaw/agent`.
 */
export class AgentClient implements AsyncDisposable {
  readonly #connection: HostConnection;
  readonly #watch = (fields: Readonly<Record<string, unknown>>): Promise<unknown> => this.#request("watch", fields);

  private constructor(connection: HostConnection) {
    this.#connection = connection;
  }

  /**
   * Connects to the host whose sockets lie in `runtimeDirectory`, which `femtoclaw status` names. Each connection is a
   * session of the agent whose socket is used. Throws FEMTO_HOST_NOT_RUNNING if nobody listens there, FEMTO_HOST_SILENT
   * if the host does not answer, and FEMTO_LOG_ROLLED_BACK if its log does not continue the one that is remembered.
   */
  static async connect(
    runtimeDirectory: string,
    memory = memoryOf(runtimeDirectory),
    options: AgentOptions = {},
  ): Promise<AgentClient> {
    const { agent, label, silentMs } = options;
    const name = agent === undefined ? SOCKET_NAMES.agent : agentSocketName(agent);
    const client = new AgentClient(await openHeld(join(runtimeDirectory, name), memory, silentMs));
    try {
      if (label !== undefined) await client.#request("introduce", { label });
      return client;
    } catch (error) {
      // Nobody gets this client, so nobody else could end its connection, which keeps the process alive.
      await client.close();
      throw error;
    }
  }

  /** Resolves when either side has ended the connection. */
  get closed(): Promise<void> {
    return this.#connection.closed;
  }

  /**
   * Proposes one protocol message, such as `{"tool_call":{"tool":…,"args":…}}` in UTF-8. Resolves when its outcome is
   * durable, or the question to operators for which it waits. Denials and failures are replies. Throws if the host
   * rejects the request itself, and FEMTO_HOST_NOT_RUNNING if the connection ends before the answer.
   */
  async propose(message: Uint8Array, options: ProposeOptions = {}): Promise<Reply> {
    const { label, logLevel, canAnswer = [], trace = {}, signal, onOutput } = taken(message, options);
    const text = Buffer.from(message).toString("base64");
    const { id, answer } = this.#connection.ask("propose", {
      message: text,
      ...(label === undefined ? {} : { label }),
      ...(logLevel === undefined ? {} : { log_level: logLevel }),
      ...(canAnswer.length === 0 ? {} : { can_answer: canAnswer }),
      ...wireTrace(trace),
    });
    const cancel = (): void => {
      // If the call or the connection has ended meanwhile, there is nothing to cancel.
      this.#request("cancel", { request: id }).catch(() => undefined);
    };
    if (signal?.aborted === true) cancel();
    else signal?.addEventListener("abort", cancel, { once: true });
    try {
      const told = onOutput === undefined ? null : tellOutput({ id, answer }, this.#watch, onOutput);
      const reply = (await answer) as Reply;
      // A call that waits for an operator may wait for long, so its output is not awaited here.
      if (reply.status !== "pending") await told;
      return reply;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  /**
   * What the programs of an execution of this connection write while it runs, with apparent secrets removed. It begins
   * with the first output that is still kept, and ends once the outcome is recorded; only that says what became of the
   * execution.
   */
  output(execution: string): AsyncIterable<OutputPart> {
    return executionOutput(execution, this.#watch);
  }

  /**
   * Changes for this connection, beside its calls, since `from`; waits if there are none. Null asks for the place to
   * start from.
   */
  async changes(from: number | null, waitMs: number): Promise<WatchedChanges> {
    const fields = { ...(from === null ? {} : { from }), wait_ms: waitMs };
    return (await this.#request("changes", fields)) as WatchedChanges;
  }

  /** Answers the questions of the MCP server of one of this connection's calls, by their names. */
  async answer(question: string, answers: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#request("answer", { question, answers: JSON.stringify(answers) });
  }

  /** Ends a subscription of this connection to a resource of an MCP server; false if there is none. */
  async unsubscribe(server: string, uri: string): Promise<boolean> {
    return (await this.#request("unsubscribe", { server, uri })) as boolean;
  }

  /**
   * The final reply to an execution, once it has ended; if it waits for an operator, after that answer. Throws
   * FEMTO_EXECUTION_NOT_FOUND, and FEMTO_DRAINING if the host stops before.
   */
  async wait(execution: string): Promise<Reply> {
    return (await this.#request("wait", { execution })) as Reply;
  }

  /** Asks an execution of this connection to end; false if it is unknown here or has ended. */
  async cancel(execution: string): Promise<boolean> {
    return (await this.#request("cancel", { execution })) as boolean;
  }

  /** The enabled capabilities of which a rule permits some use. Being listed promises nothing: each call is decided. */
  async tools(): Promise<ToolDescription[]> {
    return (await this.#request("tools", {})) as ToolDescription[];
  }

  /** Ends the connection and its session. Calls that were proposed go on. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #request(verb: AgentVerb, fields: Readonly<Record<string, unknown>>): Promise<unknown> {
    return this.#connection.request(verb, fields);
  }
}
