/** An agent that an operator launches: one to a connection, with which it ends. */
import type { Buffer } from "node:buffer";
import type { Reply } from "@femtoclaw/protocol";
import type { HostConnection } from "./connection.ts";

/** What an agent wrote that was launched, in base64; and once it has ended, the reply and how its calls ended. */
export interface LaunchOutput {
  /** In base64, as is `stderr`; empty where nothing was written. */
  readonly stdout: string;
  readonly stderr: string;
  /** Null while it runs. */
  readonly ended: {
    readonly reply: Reply;
    readonly calls: Partial<Record<Reply["status"], number>>;
    /** A rule asks operators about the launch itself, so that it never began. */
    readonly asked: boolean;
  } | null;
}

/** The agent that the connection of an `OperatorClient` may launch. */
export class LaunchedAgent {
  readonly #connection: HostConnection;

  constructor(connection: HostConnection) {
    this.#connection = connection;
  }

  /**
   * Launches the agent that `[launch.NAME]` names, in a terminal of `size` or, where that is null, on pipes. It ends
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
    const texts = {
      argv: endedTexts(argv),
      variables: endedTexts(Object.entries(variables).map(([name, value]) => `${name}=${value}`)),
    };
    return (await this.#connection.request("launch.start", { ...rest, ...texts })) as { session: string };
  }

  /** What it wrote since the last time; waits up to `waitMs` milliseconds where nothing is there. */
  async read(waitMs: number): Promise<LaunchOutput> {
    return (await this.#connection.request("launch.read", { wait_ms: waitMs })) as LaunchOutput;
  }

  /** Types to it; resolves when it has room for more. Null says that nothing more is written. */
  async write(data: Buffer | null): Promise<void> {
    await this.#connection.request("launch.write", { data: data?.toString("base64") ?? null });
  }

  /** Changes the size of the terminal that was lent to it, in cells. */
  async resize(size: { readonly cols: number; readonly rows: number }): Promise<void> {
    await this.#connection.request("launch.resize", { size });
  }

  /** Asks it to end. */
  async end(): Promise<void> {
    await this.#connection.request("launch.end");
  }
}

/** As one text, because a request holds few values and a command line may have many. */
function endedTexts(texts: readonly string[]): string {
  return texts.map((text) => `${text}\0`).join("");
}
