/** An agent that an operator launches. A connection can launch one, and ends it with itself. */

import type { Buffer } from "node:buffer";
import type { LaunchOutput } from "@femtoclaw/protocol";
import { malformed, requireFields } from "@femtoclaw/protocol";
import type { HostConnection } from "./connection.ts";

/** The agent that the connection of an `OperatorClient` may launch. */
export class LaunchedAgent {
  readonly #connection: HostConnection;

  constructor(connection: HostConnection) {
    this.#connection = connection;
  }

  /**
   * Launches the agent configured as `[launch.NAME]`, in a terminal of `size`, or on pipes if that is null. It ends
   * with this connection. Resolves with its session.
   */
  async start(request: {
    readonly name: string;
    readonly argv: readonly string[];
    readonly cwd?: string;
    readonly variables: Readonly<Record<string, string>>;
    readonly size: { readonly cols: number; readonly rows: number } | null;
  }): Promise<{ session: string }> {
    const { argv, variables, ...rest } = request;
    if (!Array.isArray(argv)) throw malformed("`argv` must be a list");
    requireFields("`variables`", variables);
    const texts = {
      argv: endedTexts(argv),
      variables: endedTexts(Object.entries(variables).map(([name, value]) => `${name}=${value}`)),
    };
    return (await this.#connection.request("launch.start", { ...rest, ...texts })) as { session: string };
  }

  /** Output since the last read; waits up to `waitMs` milliseconds if there is none. */
  async read(waitMs: number): Promise<LaunchOutput> {
    return (await this.#connection.request("launch.read", { wait_ms: waitMs })) as LaunchOutput;
  }

  /** Writes to the agent's input; resolves when it has room for more. Null says that no more input follows. */
  async write(data: Buffer | null): Promise<void> {
    await this.#connection.request("launch.write", { data: data?.toString("base64") ?? null });
  }

  /** Changes the size of the agent's terminal, in cells. */
  async resize(size: { readonly cols: number; readonly rows: number }): Promise<void> {
    await this.#connection.request("launch.resize", { size });
  }

  /** Asks the agent to exit. */
  async end(): Promise<void> {
    await this.#connection.request("launch.end");
  }
}

/** Joins the texts into one, because a request may hold only few values and a command line many. */
function endedTexts(texts: readonly string[]): string {
  return texts.map((text) => `${text}\0`).join("");
}
