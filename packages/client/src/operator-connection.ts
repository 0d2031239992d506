/** The connection beneath an `OperatorClient`: how it is opened, checked, asked and closed. */
import { join } from "node:path";
import { type OperatorAnswers, type OperatorVerb, SOCKET_NAMES } from "@femtoclaw/protocol";
import { HostConnection } from "./connection.ts";
import { openHeld } from "./held-connection.ts";
import { followLogOf, type LogMemory, type MetLog } from "./host-log.ts";
import { LaunchedAgent } from "./launched-agent.ts";

export abstract class OperatorConnection implements AsyncDisposable {
  readonly #connection: HostConnection;
  /** The one agent that this connection may launch. */
  readonly launched: LaunchedAgent;

  protected constructor(connection: HostConnection) {
    this.#connection = connection;
    this.launched = new LaunchedAgent(connection);
  }

  /** Throws FEMTO_LOG_ROLLED_BACK if the host's log does not continue the one that is remembered. */
  protected static openProved(runtimeDirectory: string, memory: LogMemory): Promise<HostConnection> {
    return openHeld(join(runtimeDirectory, SOCKET_NAMES.operator), memory);
  }

  protected static openUnproved(runtimeDirectory: string): Promise<HostConnection> {
    return HostConnection.open(join(runtimeDirectory, SOCKET_NAMES.operator));
  }

  /** Checks the host's log against what is remembered; throws FEMTO_LOG_ROLLED_BACK. */
  meetLog(memory: LogMemory): Promise<MetLog> {
    return followLogOf(this.#connection, memory);
  }

  /** Resolves when the connection has ended, which is the last thing that a stopping host does. */
  get closed(): Promise<void> {
    return this.#connection.closed;
  }

  /** Ends the connection; the agent that it launched ends with it. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The form of the answer is not checked here: the host is the operator's own. */
  protected async ask<V extends OperatorVerb>(
    verb: V,
    fields: Readonly<Record<string, unknown>> = {},
  ): Promise<OperatorAnswers[V]> {
    return (await this.#connection.request(verb, fields)) as OperatorAnswers[V];
  }

  /** Like `ask`, for a verb that a host answers at once: rejects with FEMTO_HOST_SILENT if it does not. */
  protected async askSoon<V extends OperatorVerb>(
    verb: V,
    fields: Readonly<Record<string, unknown>> = {},
  ): Promise<OperatorAnswers[V]> {
    return (await this.#connection.requestSoon(verb, fields)) as OperatorAnswers[V];
  }
}
