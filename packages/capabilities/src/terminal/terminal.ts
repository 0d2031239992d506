/**
 * A program on a terminal inside the sandbox. Its output waits for a reader, and a program that writes faster than it
 * is read is held up. It ends by itself or is ended as a whole.
 */
import { StringDecoder } from "node:string_decoder";
import { FemtoError, LIMITS } from "@femtoclaw/protocol";
import {
  type ChildLimits,
  type SandboxCommand,
  type SandboxView,
  TerminalChild,
  type TerminalEnd,
} from "@femtoclaw/sandbox";
import { Pty, type PtySize } from "./pty.ts";
import { Scroll } from "./scroll.ts";
import { type TakenOutput, UnreadOutput } from "./unread-output.ts";

/** What to start, and in which view. */
export interface TerminalRequest {
  readonly view: SandboxView;
  readonly command: SandboxCommand;
  readonly limits: ChildLimits;
  readonly size: PtySize;
  readonly signal: AbortSignal;
}

/** Receives what happens on a terminal, in order. */
export interface TerminalListener {
  onOutput(text: string): void;
  onInput(text: string): void;
  onSize(size: PtySize): void;
  /** The program wrote more than it may. */
  onOverflow(): void;
}

export interface ReadRequest {
  readonly bytesMax: number;
  /** Whether to drop everything older than the newest bytes. */
  readonly latest: boolean;
  /** How long to wait if there is no output. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Milliseconds to wait, once output has come, for the rest of what the program draws at once. */
const SETTLE_MS = 30;
/** LIMIT: milliseconds after the program's end in which its last output is read. */
const DRAIN_MS = 500;

/** A program on a pseudoterminal. */
export class Terminal {
  readonly #pty: Pty;
  readonly #child: TerminalChild;
  readonly #unread = new UnreadOutput();
  readonly #scroll = new Scroll(LIMITS.terminalScrollBytes);
  readonly #decoder = new StringDecoder("utf8");
  readonly #ended = Promise.withResolvers<TerminalEnd>();
  #listener: TerminalListener | null = null;
  #early: string[] = [];
  #size: PtySize;
  #end: TerminalEnd | null = null;
  #exit: TerminalEnd | null = null;
  #bytesIn = 0;
  #bytesOut = 0;

  private constructor(pty: Pty, child: TerminalChild, size: PtySize) {
    this.#pty = pty;
    this.#child = child;
    this.#size = size;
    pty.listen(
      (chunk) => this.#take(chunk),
      () => this.#finish(),
    );
    void child.ended.then((end) => {
      this.#exit = end;
      if (pty.isClosed) return this.#finish();
      // Its last output is no more than the kernel held for it.
      pty.resume();
      setTimeout(() => pty.close(), DRAIN_MS);
    });
  }

  /** Resolves once the program runs. Throws FEMTO_SANDBOX_UNAVAILABLE or FEMTO_OS_REFUSED; nothing runs then. */
  static async start({ view, command, limits, size, signal }: TerminalRequest): Promise<Terminal> {
    signal.throwIfAborted();
    const terminal = Pty.open(size, (pty, device) => {
      return new Terminal(pty, new TerminalChild({ view, command, limits, device }), size);
    });
    const kill = (): void => terminal.kill();
    signal.addEventListener("abort", kill, { once: true });
    try {
      await terminal.#child.started;
      signal.throwIfAborted();
      return terminal;
    } catch (error) {
      if (signal.aborted) terminal.kill();
      await terminal.whenEnded;
      signal.throwIfAborted();
      throw terminal.#withWords(error);
    } finally {
      signal.removeEventListener("abort", kill);
    }
  }

  get size(): PtySize {
    return this.#size;
  }

  get bytesIn(): number {
    return this.#bytesIn;
  }

  get bytesOut(): number {
    return this.#bytesOut;
  }

  /** How the program ended; null while it runs. */
  get end(): TerminalEnd | null {
    return this.#end;
  }

  /** Bytes that nobody has read yet. */
  get unreadBytes(): number {
    return this.#unread.bytes;
  }

  /** Resolves when nothing runs on the terminal any more and its last output is here. */
  get whenEnded(): Promise<TerminalEnd> {
    return this.#ended.promise;
  }

  /** Receives events from now on, after the output that came before. */
  listen(listener: TerminalListener): void {
    this.#listener = listener;
    for (const text of this.#early.splice(0)) listener.onOutput(text);
  }

  /** Returns the number of bytes. Throws FEMTO_TERMINAL_ENDED or FEMTO_TERMINAL_BUSY; nothing was written then. */
  write(text: string): number {
    this.#requireRunning();
    const bytes = Buffer.from(text, "utf8");
    const { waitingBytes } = this.#pty;
    if (waitingBytes + bytes.length > LIMITS.terminalInputBytes) {
      const reason = `${waitingBytes} bytes of input wait for the program, and ${bytes.length} more are too many`;
      throw new FemtoError("FEMTO_TERMINAL_BUSY", reason);
    }
    this.#bytesIn += bytes.length;
    this.#pty.write(bytes);
    this.#listener?.onInput(text);
    return bytes.length;
  }

  /** Throws FEMTO_TERMINAL_ENDED. */
  resize(size: PtySize): void {
    this.#requireRunning();
    this.#pty.resize(size);
    this.#size = size;
    this.#listener?.onSize(size);
  }

  /** Returns output since the last read; if there is none and the program runs, waits for it. */
  async read({ bytesMax, latest, timeoutMs, signal }: ReadRequest): Promise<TakenOutput> {
    const isOver = AbortSignal.any([signal, AbortSignal.timeout(Math.max(1, timeoutMs))]);
    if (timeoutMs > 0 && this.#unread.bytes === 0 && this.#end === null) {
      await this.#scroll.more(isOver);
      if (this.#end === null && !isOver.aborted) await quiet(SETTLE_MS, isOver);
    }
    signal.throwIfAborted();
    const taken = this.#unread.take(bytesMax, { latest, isWhole: this.#end !== null });
    if (this.#unread.bytes < LIMITS.terminalUnreadBytes) this.#pty.resume();
    return taken;
  }

  /** Returns output from a position on without consuming it, for an operator who looks in; waits if there is none. */
  async watch(from: number, waitMs: number): Promise<ReturnType<Scroll["from"]>> {
    const part = this.#scroll.from(from);
    if (part.data.length > 0 || this.#end !== null || waitMs <= 0) return part;
    await this.#scroll.more(AbortSignal.timeout(waitMs));
    return this.#scroll.from(from);
  }

  /** Hangs up like a closed terminal, and kills what has not ended after the grace time. */
  hangUp(): void {
    this.#child.hangUp();
  }

  kill(): void {
    this.#child.kill();
    this.#pty.close();
  }

  #requireRunning(): void {
    if (this.#end === null && this.#exit === null && !this.#pty.isClosed) return;
    throw new FemtoError("FEMTO_TERMINAL_ENDED", "the program on the terminal has ended");
  }

  #take(chunk: Buffer): void {
    const room = LIMITS.terminalOutputBytes - this.#bytesOut;
    const kept = chunk.subarray(0, room);
    this.#bytesOut += kept.length;
    this.#unread.append(kept);
    this.#scroll.append(kept);
    this.#tell(this.#decoder.write(kept));
    if (kept.length < chunk.length) {
      this.#unread.drop(chunk.length - kept.length);
      this.#listener?.onOverflow();
      this.kill();
    } else if (this.#unread.bytes >= LIMITS.terminalUnreadBytes && this.#exit === null) {
      this.#pty.pause();
    }
  }

  #tell(text: string): void {
    if (text === "") return;
    if (this.#listener === null) this.#early.push(text);
    else this.#listener.onOutput(text);
  }

  /** Takes two conditions: the program has ended, and all of its output was read. */
  #finish(): void {
    if (this.#exit === null || this.#end !== null) return;
    this.#tell(this.#decoder.end());
    this.#end = this.#exit;
    this.#scroll.wake();
    this.#ended.resolve(this.#end);
  }

  /** If a start failed, the terminal shows what the sandbox said about it. */
  #withWords(error: unknown): unknown {
    const said = this.#early.join("").trim();
    if (!(error instanceof FemtoError) || said === "") return error;
    return new FemtoError(error.code, error.message.replace("it gave no reason", said.slice(0, 300)), {
      fix: error.fix,
      cause: error,
    });
  }
}

/** Waits for the given time, or until `isOver` aborts. */
async function quiet(ms: number, isOver: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    isOver.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
