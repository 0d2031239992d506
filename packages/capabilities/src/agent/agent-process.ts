/** An agent that runs in the sandbox, as whoever launched it reads and writes it: on pipes, or on a terminal. */
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
  /** Variables that it alone gets. */
  readonly variables: Readonly<Record<string, string>>;
  readonly settings: AgentSettings;
  /** Of its terminal; null where it gets pipes. */
  readonly size: PtySize | null;
  onConnection(connection: Duplex): void;
  /** Looks on at what whoever listens is given; it must not throw, and holds nothing up. */
  onOutput(stream: OutputStream, piece: Uint8Array): void;
}

/** What programs are told about the terminal; most of them know it. */
const TERM = "xterm-256color";
/** Time after the end of an agent in which what it wrote last to its terminal is read. */
const DRAIN_MS = 500;
/** How often input is tried again that an agent on a terminal does not take. */
const RETRY_MS = 20;

/** An agent that was launched and runs. */
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

  /** Resolves once it runs. Throws FEMTO_SANDBOX_UNAVAILABLE or FEMTO_OS_REFUSED; nothing runs then. */
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

  /** Resolves when nothing of it runs any more and all that it wrote was read. */
  get ended(): Promise<TerminalEnd> {
    return this.#ended.promise;
  }

  /** From now on, and what came before; nothing is read while nobody listens, and the agent then waits. */
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

  /** Reads nothing of it for now, so that it waits. */
  pause(): void {
    for (const stream of this.#readable) stream.pause();
    this.#pty?.pause();
  }

  /** Reads on. */
  resume(): void {
    for (const stream of this.#readable) stream.resume();
    this.#pty?.resume();
  }

  /** Resolves when there is room for more, or nobody reads it any more. */
  async write(bytes: Buffer): Promise<void> {
    const stdin = this.#child.pipes?.stdin;
    if (stdin?.writable && !stdin.write(bytes)) await roomIn(stdin);
    this.#pty?.write(bytes);
    while ((this.#pty?.waitingBytes ?? 0) > LIMITS.terminalInputBytes) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** Nothing more is written. A terminal has no end of its own: who types says it by a character. */
  endInput(): void {
    this.#child.pipes?.stdin.end();
  }

  /** Changes the size of its terminal, where it has one. */
  resize(size: PtySize): void {
    this.#pty?.resize(size);
  }

  /** Asks it to end, and ends it where it does not. */
  end(): void {
    // What it writes from here on nobody has to read before it has ended.
    this.resume();
    this.#child.end();
  }

  get #readable(): readonly Readable[] {
    const { pipes } = this.#child;
    return pipes === null ? [] : [pipes.stdout, pipes.stderr];
  }

  /** What the kernel holds of a terminal is read to its end, which comes when no program has it any more. */
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

/** Resolves when the stream takes more, or nothing any more. */
async function roomIn(stream: Writable): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
  });
}
