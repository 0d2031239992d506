/** What an agent may ask of a running host, with types. */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import {
  type AgentVerb,
  type AskKind,
  agentSocketName,
  type LogLevel,
  type OutputPart,
  type Reply,
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
  /** Whose socket is connected to; without it that of everybody who has no tables of his own. */
  readonly agent?: string;
  /** What the client calls itself. It is recorded with its session, and proves nothing. */
  readonly label?: string;
  /** How long the host may take to its first answer; at most, and without it, 30 seconds. */
  readonly silentMs?: number;
}

/** What goes with one proposal and is not part of its message. All of it may be left out. */
export interface ProposeOptions {
  /** A name for this call, recorded with it. */
  readonly label?: string;
  /** Lines of their logs that MCP servers say meanwhile are told with the output from this level on; none without. */
  readonly logLevel?: LogLevel;
  /** What the MCP server of the call may ask, where its operator lets it; asked by `onOutput`, answered by `answer`. */
  readonly canAnswer?: readonly AskKind[];
  /** W3C trace context of whoever proposes. */
  readonly trace?: TraceFields;
  /** Aborted when the call is wanted no more; the host is then asked to end it, and the reply says what became of it. */
  readonly signal?: AbortSignal;
  /**
   * Hears what the programs of the call write, as they write it, before the reply does. It is asked for no more before
   * what it returned has settled; what came too fast for it is skipped. See `AgentClient.output`.
   */
  readonly onOutput?: (part: OutputPart) => Promise<void> | void;
}

/**
 * A connection to a host's agent socket: it proposes, waits for and cancels calls of its own, and can do nothing else.
 * It is also a `Gate` of `@femtoclaw/agent`.
 */
export class AgentClient implements AsyncDisposable {
  readonly #connection: HostConnection;
  readonly #watch = (fields: Readonly<Record<string, unknown>>): Promise<unknown> => this.#request("watch", fields);

  private constructor(connection: HostConnection) {
    this.#connection = connection;
  }

  /**
   * Connects to the host whose sockets lie in `runtimeDirectory`; `femtoclaw status` names it. Each connection is a
   * session of its own, of the agent whose socket it goes to. Throws FEMTO_HOST_NOT_RUNNING when nobody listens there,
   * FEMTO_HOST_SILENT when it answers nothing, and FEMTO_LOG_ROLLED_BACK when the host's log does not go on from what is
   * remembered of it.
   */
  static async connect(
    runtimeDirectory: string,
    memory = memoryOf(runtimeDirectory),
    options: AgentOptions = {},
  ): Promise<AgentClient> {
    const { agent, label, silentMs } = options;
    const name = agent === undefined ? SOCKET_NAMES.agent : agentSocketName(agent);
    const client = new AgentClient(await openHeld(join(runtimeDirectory, name), memory, silentMs));
    if (label !== undefined) await client.#request("introduce", { label });
    return client;
  }

  /** Resolves when the connection has ended, from whichever side. */
  get closed(): Promise<void> {
    return this.#connection.closed;
  }

  /**
   * Proposes one protocol message, such as `{"tool_call":{"tool":…,"args":…}}` in UTF-8; resolves when its outcome is
   * durable, or the question to operators for which it waits. Denials and failures are replies. Throws what the host
   * says of the request itself, and FEMTO_HOST_NOT_RUNNING when the connection ends before the answer.
   */
  async propose(message: Uint8Array, options: ProposeOptions = {}): Promise<Reply> {
    const { label, logLevel, canAnswer = [], trace = {}, signal, onOutput } = options;
    const text = Buffer.from(message).toString("base64");
    const { id, answer } = this.#connection.ask("propose", {
      message: text,
      ...(label === undefined ? {} : { label }),
      ...(logLevel === undefined ? {} : { log_level: logLevel }),
      ...(canAnswer.length === 0 ? {} : { can_answer: canAnswer }),
      ...wireTrace(trace),
    });
    const cancel = (): void => {
      // It may have ended meanwhile, or its connection; then there is nothing to cancel.
      this.#request("cancel", { request: id }).catch(() => undefined);
    };
    if (signal?.aborted === true) cancel();
    else signal?.addEventListener("abort", cancel, { once: true });
    try {
      const told = onOutput === undefined ? null : tellOutput({ id, answer }, this.#watch, onOutput);
      const reply = (await answer) as Reply;
      // What waits for an operator may wait for long.
      if (reply.status !== "pending") await told;
      return reply;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  /**
   * What the programs of an execution of this connection write while it runs, without what looks like a secret: from its
   * beginning on, as far as that is still kept. It ends once the outcome is recorded, which alone says what came of it.
   */
  output(execution: string): AsyncIterable<OutputPart> {
    return executionOutput(execution, this.#watch);
  }

  /** What changed for this connection beside its calls since `from`; waits where nothing did. With null from when to ask on. */
  async changes(from: number | null, waitMs: number): Promise<WatchedChanges> {
    const fields = { ...(from === null ? {} : { from }), wait_ms: waitMs };
    return (await this.#request("changes", fields)) as WatchedChanges;
  }

  /** Answers what the MCP server of a call of this connection asks, by the names of the questions. */
  async answer(question: string, answers: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#request("answer", { question, answers: JSON.stringify(answers) });
  }

  /** Ends a subscription of this connection to a resource of an MCP server; false where there is none. */
  async unsubscribe(server: string, uri: string): Promise<boolean> {
    return (await this.#request("unsubscribe", { server, uri })) as boolean;
  }

  /**
   * The reply that an execution ends with, once it does; for one that waits for an operator, after the answer. Throws
   * FEMTO_EXECUTION_NOT_FOUND, and FEMTO_DRAINING when the host stops before it ends.
   */
  async wait(execution: string): Promise<Reply> {
    return (await this.#request("wait", { execution })) as Reply;
  }

  /** Asks an execution of this connection to end; false when it is unknown here or has ended. */
  async cancel(execution: string): Promise<boolean> {
    return (await this.#request("cancel", { execution })) as boolean;
  }

  /**
   * The enabled capabilities of which some rule permits some use. Listing one promises nothing: each call is decided.
   */
  async tools(): Promise<ToolDescription[]> {
    return (await this.#request("tools", {})) as ToolDescription[];
  }

  /** Ends the connection, and its session with it. Calls that were proposed go on. */
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
