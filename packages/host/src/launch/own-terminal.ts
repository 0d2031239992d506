/** Lends the terminal or the pipes of this command to an agent. Input is passed on unchanged; output can only draw. */
import { once } from "node:events";
import { StringDecoder } from "node:string_decoder";
import { LIMITS } from "@femtoclaw/protocol";
import { SCREEN_RESTORED, ScreenFilter } from "../terminal/screen-filter.ts";

export interface Borrower {
  /** Resolves when there is room for more; null marks the end of the input. */
  typed(data: Buffer | null): Promise<void>;
  resized(size: { readonly cols: number; readonly rows: number }): Promise<void>;
  interrupted(): Promise<void>;
}

type Output = "stdout" | "stderr";

const DEFAULT_SIZE = { cols: 80, rows: 24 };
const sideOf = (side: number, usual: number): number => Math.min(side || usual, LIMITS.terminalSide);

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export class OwnTerminal implements Disposable {
  /** The signal that interrupted the agent; null if none did. */
  interruptedBy: NodeJS.Signals | null = null;
  readonly #filters = { stdout: new Filter(), stderr: new Filter() };
  readonly #undo: (() => void)[] = [];
  #isDrawn = false;

  /** Null if there is no terminal: an agent gets one only if both its input and its output are terminals. */
  get size(): { readonly cols: number; readonly rows: number } | null {
    const { stdin, stdout } = process;
    if (!stdin.isTTY || !stdout.isTTY) return null;
    // A terminal that a tool created without a screen has no size.
    return { cols: sideOf(stdout.columns, DEFAULT_SIZE.cols), rows: sideOf(stdout.rows, DEFAULT_SIZE.rows) };
  }

  lend({ typed, resized, interrupted }: Borrower): void {
    const { stdin, stdout } = process;
    // The agent may end while input is on its way, which is then dropped.
    const ignore = (): void => undefined;
    let before = Promise.resolve();
    const pass = (data: Buffer | null): void => {
      stdin.pause();
      before = before.then(() => typed(data)).then(() => void (data === null || stdin.resume()), ignore);
    };
    const onData = (data: Buffer): void => pass(data);
    const onEnd = (): void => pass(null);
    stdin.on("data", onData).on("end", onEnd).on("error", onEnd).resume();
    this.#undo.push(() => stdin.off("data", onData).off("end", onEnd).pause());
    for (const signal of SIGNALS) {
      const onSignal = (): void => {
        this.interruptedBy ??= signal;
        interrupted().catch(ignore);
      };
      process.on(signal, onSignal);
      this.#undo.push(() => process.off(signal, onSignal));
    }
    if (this.size === null) return;
    stdin.setRawMode(true);
    const onResize = (): void => {
      if (this.size !== null) resized(this.size).catch(ignore);
    };
    stdout.on("resize", onResize);
    this.#undo.push(() => {
      stdout.off("resize", onResize);
      stdin.setRawMode(false);
      // Where nothing was drawn, the cursor stays at what this command says.
      if (this.#isDrawn) stdout.write(SCREEN_RESTORED);
    });
  }

  /** Resolves when the reader has room for more, or is gone. */
  async write(to: Output, bytes: Buffer): Promise<void> {
    if (bytes.length === 0) return;
    this.#isDrawn = true;
    const stream = process[to];
    const said = stream.isTTY ? this.#filters[to].pass(bytes) : bytes;
    // A stream whose reader is gone reports an error, and never that it has room.
    if (!stream.write(said)) await once(stream, "drain").catch(() => undefined);
  }

  /** Restores the terminal. Further calls do nothing. */
  restore(): void {
    for (const undo of this.#undo.splice(0).reverse()) undo();
  }

  [Symbol.dispose](): void {
    this.restore();
  }
}

/** INVARIANT: I8: an agent can tell the terminal of the person who launched it only what to draw. */
class Filter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #filter = new ScreenFilter();

  pass(bytes: Buffer): string {
    return this.#filter.pass(this.#decoder.write(bytes));
  }
}
