/**
 * An agent that an operator launched: the call that runs it, the session in which it proposes, and its input and output
 * at the operator's terminal. When that terminal is gone, the agent is ended.
 */
import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import type { AgentProcess } from "@femtoclaw/capabilities";
import {
  AGENT_RUN,
  EVERYBODY,
  errorText,
  FemtoError,
  faultOf,
  type OutputStream,
  type Reply,
} from "@femtoclaw/protocol";
import type { LogEntry, Runtime, Session } from "@femtoclaw/runtime";
import type { LaunchSetting } from "@femtoclaw/runtime/configuration";
import { serveProposals } from "./serve-proposals.ts";
import type { ThrowAway } from "./throw-away.ts";

export interface LaunchRequest {
  readonly setting: LaunchSetting;
  readonly argv: readonly string[];
  readonly cwd?: string;
  /** Variables for this agent alone, by names that the setting lists. */
  readonly variables: Readonly<Record<string, string>>;
  /** The configuration that is written for this launch. */
  readonly own: ThrowAway;
  /** Size of its terminal; null if it gets pipes. */
  readonly size: { readonly cols: number; readonly rows: number } | null;
}

/** How many of its calls ended with each status. */
export type CallCounts = { [Status in Reply["status"]]?: number };

export interface LaunchEnd {
  readonly reply: Reply;
  readonly calls: CallCounts;
  /** A rule asks operators about the launch itself, so the agent never started. */
  readonly asked: boolean;
}

/** Output since the last read. `ended` is set once all of it was taken. */
export interface LaunchPart {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly ended: LaunchEnd | null;
}

/** LIMIT: bytes of unread output beyond which the agent has to wait. */
const UNREAD_BYTES = 262_144;
/** Milliseconds to wait after the first output, so that what is drawn at once is read at once. */
const GATHER_MS = 4;

export class LaunchedAgent {
  readonly session: string;
  readonly #abort = new AbortController();
  readonly #calls: CallCounts = {};
  /** Resolves once the agent runs, or with null if it never will. */
  readonly #attached = Promise.withResolvers<AgentProcess | null>();
  #agent: AgentProcess | null = null;
  #unread: { readonly from: OutputStream; readonly piece: Buffer }[] = [];
  #unreadBytes = 0;
  #reply: Reply | null = null;
  #asked = false;
  /** Why the outcome of the launch is unknown. */
  #fault: FemtoError | null = null;
  #wake: () => void = () => undefined;

  /** Throws if the session cannot be opened. Any later result of the launch is in its reply. */
  constructor(runtime: Runtime, request: LaunchRequest, log: (entry: LogEntry) => void) {
    const { setting } = request;
    const session = runtime.openSession({
      channel: "agent",
      label: `launched: ${setting.name}`,
      ...(setting.principal === EVERYBODY ? {} : { principal: setting.principal }),
    });
    this.session = session.id;
    void this.#run(runtime, session, request, log);
  }

  /** Output since the last call; waits if there is none yet. Throws if the launch broke off. */
  async read(waitMs: number): Promise<LaunchPart> {
    if (this.#unreadBytes === 0 && this.#reply === null && this.#fault === null) {
      await this.#more(waitMs);
      if (this.#unreadBytes > 0) await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
    }
    const taken = this.#unread;
    this.#unread = [];
    this.#unreadBytes = 0;
    this.#agent?.resume();
    const of = (which: OutputStream): Buffer =>
      Buffer.concat(taken.flatMap(({ from, piece }) => (from === which ? [piece] : [])));
    if (this.#fault !== null && taken.length === 0) throw this.#fault;
    const ended = this.#reply === null ? null : { reply: this.#reply, calls: this.#calls, asked: this.#asked };
    return { stdout: of("stdout"), stderr: of("stderr"), ended };
  }

  /** Resolves when there is room for more. Input that arrives before the agent runs is kept until it does. */
  async write(bytes: Buffer): Promise<void> {
    const agent = await this.#attached.promise;
    await agent?.write(bytes);
  }

  async endInput(): Promise<void> {
    const agent = await this.#attached.promise;
    agent?.endInput();
  }

  async resize(size: { readonly cols: number; readonly rows: number }): Promise<void> {
    const agent = await this.#attached.promise;
    agent?.resize(size);
  }

  /**
   * Asks the agent to exit, and kills it after the grace time. INVARIANT: I8: no agent outlives the one who launched
   * it.
   */
  end(): void {
    this.#abort.abort(new FemtoError("FEMTO_CAPABILITY_CANCELLED", "its launch was taken back"));
  }

  async #run(runtime: Runtime, session: Session, request: LaunchRequest, log: (entry: LogEntry) => void) {
    const { setting, argv, cwd, variables, own, size } = request;
    const { signal } = this.#abort;
    const count = ({ status }: Reply): void => {
      this.#calls[status] = (this.#calls[status] ?? 0) + 1;
    };
    const { files, tunnel } = own.settings;
    const given = { ...variables, ...own.variables };
    const args = {
      bin: setting.program,
      argv: [...own.argv, ...argv],
      variables: Object.keys(given).sort(),
      terminal: size !== null,
      ...(cwd === undefined ? {} : { cwd }),
      ...(files.length === 0 ? {} : { files: files.map(digested) }),
      ...(tunnel === null ? {} : { tunnel }),
    };
    const launch = {
      variables: given,
      settings: own.settings,
      size,
      attached: (agent: AgentProcess) => this.#attach(agent),
      serve: (connection: Duplex) =>
        serveProposals({ runtime, session, connection, signal, onReply: count }).catch((error: unknown) => {
          connection.destroy();
          log({ level: "warn", event: "launch.unserved", session: session.id, reason: errorText(error) });
        }),
    };
    try {
      const message = { tool_call: { tool: AGENT_RUN, args } };
      const reply = await session.propose(message, { signal, launch, label: `run ${setting.name}` });
      this.#reply = reply.status === "pending" ? await this.#takenBack(session, reply) : reply;
    } catch (error) {
      const reason = errorText(error);
      log({ level: "error", event: "launch.failed", session: session.id, reason });
      this.#fault = faultOf(error);
    } finally {
      // Proposals of the agent that have no answer yet are cancelled.
      this.end();
      session.close();
      this.#attached.resolve(null);
      this.#wake();
    }
  }

  /**
   * A launch is a person's own act at a terminal, which no record contains. So nobody could start it later, after a
   * yes.
   */
  async #takenBack(session: Session, { execution_id }: Reply): Promise<Reply> {
    this.#asked = true;
    session.cancel(execution_id);
    return await session.wait(execution_id);
  }

  #attach(agent: AgentProcess): void {
    this.#agent = agent;
    this.#attached.resolve(agent);
    agent.listen((from, piece) => {
      this.#unread.push({ from, piece });
      this.#unreadBytes += piece.length;
      // INVARIANT: I9: an agent that writes faster than its output is read has to wait.
      if (this.#unreadBytes >= UNREAD_BYTES) agent.pause();
      this.#wake();
    });
    this.#wake();
  }

  async #more(waitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function digested({ path, content }: { readonly path: string; readonly content: string }) {
  return { path, sha256: createHash("sha256").update(content).digest("hex") };
}
