/**
 * A program on a terminal inside the sandbox: input goes in, output waits for its reader, and a program that writes
 * faster than it is read is held up. It ends by itself or is ended as a whole.
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

/** What is started, and in which view. */
export interface TerminalRequest {
  readonly view: SandboxView;
  readonly command: SandboxCommand;
  readonly limits: ChildLimits;
  readonly size: PtySize;
  readonly signal: AbortSignal;
}

/** Hears what a terminal does, in the order in which it does it. */
export interface TerminalListener {
  onOutput(text: string): void;
  onInput(text: string): void;
  onSize(size: PtySize): void;
  /** The program wrote more than it may. */
  onOverflow(): void;
}

export interface ReadRequest {
  readonly bytesMax: number;
  /** Drop what is older than the newest bytes. */
  readonly latest: boolean;
  /** How long to wait where nothing is there. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Once something has come, the rest of what a program draws at once follows within this time. */
const SETTLE_MS = 30;
/** Time after the end of a program in which what it wrote last is read. */
const DRAIN_MS = 500;

/** A program on a pseudoterminal. Its output waits for its reader. */
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
      // What it wrote last is at most what the kernel held for it.
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

  /** How its program ended; null while it runs. */
  get end(): TerminalEnd | null {
    return this.#end;
  }

  /** Bytes that wait for their reader. */
  get unreadBytes(): number {
    return this.#unread.bytes;
  }

  /** Resolves when nothing runs on it any more and its last output is here. */
  get whenEnded(): Promise<TerminalEnd> {
    return this.#ended.promise;
  }

  /** From now on; what has come before is told first. */
  listen(listener: TerminalListener): void {
    this.#listener = listener;
    for (const text of this.#early.splice(0)) listener.onOutput(text);
  }

  /** Bytes that were taken. Throws FEMTO_TERMINAL_ENDED or FEMTO_TERMINAL_BUSY; nothing was written then. */
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

  /** What has come since the last time; waits for it where nothing is there and the program runs. */
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

  /** Output from a place on, for somebody who looks in and takes nothing away; waits for more where there is none. */
  async watch(from: number, waitMs: number): Promise<ReturnType<Scroll["from"]>> {
    const part = this.#scroll.from(from);
    if (part.data.length > 0 || this.#end !== null || waitMs <= 0) return part;
    await this.#scroll.more(AbortSignal.timeout(waitMs));
    return this.#scroll.from(from);
  }

  /** Asks what runs to end, as a terminal that is closed does, and kills it after the grace time. */
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

  /** Both have to be: the program has ended, and nothing more of it can be read. */
  #finish(): void {
    if (this.#exit === null || this.#end !== null) return;
    this.#tell(this.#decoder.end());
    this.#end = this.#exit;
    this.#scroll.wake();
    this.#ended.resolve(this.#end);
  }

  /** What bubblewrap says of a start that failed stands on the terminal. */
  #withWords(error: unknown): unknown {
    const said = this.#early.join("").trim();
    if (!(error instanceof FemtoError) || said === "") return error;
    return new FemtoError(error.code, error.message.replace("it gave no reason", said.slice(0, 300)), {
      fix: error.fix,
      cause: error,
    });
  }
}

/** Waits, unless it is over before. */
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
