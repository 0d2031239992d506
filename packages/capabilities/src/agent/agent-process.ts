/** An agent that runs in the sandbox, for its launcher to read and write: on pipes or on a terminal. */
import type { Duplex, Readable, Writable } from "node:stream";
import { LIMITS, type OutputStream } from "@femtoclaw/protocol";
import {
  AgentChild,
  type AgentSettings,
  type ChildLimits,
  type SandboxCommand,
  type SandboxView,
  type TerminalEnd,
} from "@femtoclaw/sandbox";
import { Pty, type PtySize } from "../terminal/pty.ts";

export interface AgentRequest {
  readonly view: SandboxView;
  readonly command: SandboxCommand;
  readonly limits: ChildLimits;
  /** Variables for this agent alone. */
  readonly variables: Readonly<Record<string, string>>;
  readonly settings: AgentSettings;
  /** The size of its terminal; null if it gets pipes. */
  readonly size: PtySize | null;
  onConnection(connection: Duplex): void;
  /** Gets a copy of what the listener is given; it must not throw, and delays nothing. */
  onOutput(stream: OutputStream, piece: Uint8Array): void;
}

/** The terminal type in the agent's `TERM`, which most programs know. */
const TERM = "xterm-256color";
/** LIMIT: milliseconds after an agent's end in which its last output to the terminal is read. */
const DRAIN_MS = 500;
/** Milliseconds after which input is tried again that an agent on a terminal did not take. */
const RETRY_MS = 20;

/** A launched agent. */
export class AgentProcess {
  readonly #child: AgentChild;
  readonly #pty: Pty | null;
  readonly #onlooker: AgentRequest["onOutput"];
  readonly #ended = Promise.withResolvers<TerminalEnd>();

  private constructor(child: AgentChild, pty: Pty | null, onlooker: AgentRequest["onOutput"]) {
    this.#child = child;
    this.#pty = pty;
    this.#onlooker = onlooker;
  }

  /** Resolves once the agent runs. Throws FEMTO_SANDBOX_UNAVAILABLE or FEMTO_OS_REFUSED; nothing runs then. */
  static async start({ size, onOutput, ...request }: AgentRequest): Promise<AgentProcess> {
    if (size === null) {
      const agent = new AgentProcess(new AgentChild({ ...request, device: null }), null, onOutput);
      void agent.#child.ended.then(agent.#ended.resolve);
      await agent.#child.started;
      return agent;
    }
    const command = { ...request.command, environment: { TERM, ...request.command.environment } };
    const agent = Pty.open(size, (pty, device) => {
      return new AgentProcess(new AgentChild({ ...request, command, device }), pty, onOutput);
    });
    void agent.#child.ended.then((end) => agent.#drain(end));
    try {
      await agent.#child.started;
      return agent;
    } catch (error) {
      agent.#pty?.close();
      throw error;
    }
  }

  /** Resolves when none of its processes runs any more and all of its output was read. */
  get ended(): Promise<TerminalEnd> {
    return this.#ended.promise;
  }

  /**
   * Delivers all output, from the first byte. While nobody listens nothing is read, so the agent blocks on its output.
   */
  listen(onOutput: (from: OutputStream, piece: Buffer) => void): void {
    const { pipes } = this.#child;
    const tell = (from: OutputStream, piece: Buffer): void => {
      this.#onlooker(from, piece);
      onOutput(from, piece);
    };
    pipes?.stdout.on("data", (piece: Buffer) => tell("stdout", piece));
    pipes?.stderr.on("data", (piece: Buffer) => tell("stderr", piece));
    this.#pty?.listen(
      (piece) => tell("stdout", piece),
      () => undefined,
    );
  }

  /** Stops reading for now, so that the agent blocks on its output. */
  pause(): void {
    for (const stream of this.#readable) stream.pause();
    this.#pty?.pause();
  }

  /** Continues reading. */
  resume(): void {
    for (const stream of this.#readable) stream.resume();
    this.#pty?.resume();
  }

  /** Resolves when there is room for more, or when nobody reads it any more. */
  async write(bytes: Buffer): Promise<void> {
    const stdin = this.#child.pipes?.stdin;
    if (stdin?.writable && !stdin.write(bytes)) await roomIn(stdin);
    this.#pty?.write(bytes);
    while ((this.#pty?.waitingBytes ?? 0) > LIMITS.terminalInputBytes) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** Says that no more input follows. A terminal has no such end: the person who types sends a character for it. */
  endInput(): void {
    this.#child.pipes?.stdin.end();
  }

  /** Changes the size of its terminal, if it has one. */
  resize(size: PtySize): void {
    this.#pty?.resize(size);
  }

  /** Asks the agent to exit, and kills it if it does not. */
  end(): void {
    // An agent that blocks on its output could not exit.
    this.resume();
    this.#child.end();
  }

  get #readable(): readonly Readable[] {
    const { pipes } = this.#child;
    return pipes === null ? [] : [pipes.stdout, pipes.stderr];
  }

  /** Reads what the kernel still holds for the terminal, until no program has it open any more. */
  #drain(end: TerminalEnd): void {
    const pty = this.#pty;
    if (pty === null || pty.isClosed) return this.#ended.resolve(end);
    pty.resume();
    const late = setTimeout(() => pty.close(), DRAIN_MS);
    pty.listen(
      () => undefined,
      () => {
        clearTimeout(late);
        this.#ended.resolve(end);
      },
    );
  }
}

/** Resolves when the stream takes more, or is closed. */
async function roomIn(stream: Writable): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
  });
}
