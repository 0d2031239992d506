/** A program on a terminal under Landlock, alone or in namespaces as the first word of this process says. */
import { setTimeout as pause } from "node:timers/promises";
import { DEFAULT_CHILD_LIMITS, type TerminalEnd } from "@femtoclaw/sandbox";
import { confined } from "../../../sandbox/test/landlock/confined.ts";
import { type Playground, programOf } from "../../../sandbox/test/playground.ts";
import { Terminal, type TerminalRequest } from "../../src/terminal/terminal.ts";

export const CTRL_C = "\u0003";
export const CTRL_Z = "\u001a";
export const CTRL_BACKSLASH = "\u001c";
/** A shell without anything that a person's configuration adds. */
export const BASH = ["bash", "--norc", "--noprofile"];

const SIGNAL = new AbortController().signal;

export class Screen {
  readonly terminal: Terminal;
  /** All that was read of it. */
  shown = "";

  private constructor(terminal: Terminal) {
    this.terminal = terminal;
  }

  static async open(
    place: Playground,
    words: readonly string[],
    { signal = SIGNAL, view = confined(place) }: Partial<Pick<TerminalRequest, "signal" | "view">> = {},
  ): Promise<Screen> {
    const [name = "", ...args] = words;
    const terminal = await Terminal.start({
      view,
      command: { ...programOf(name), args, cwd: place.workspace, environment: { TERM: "xterm" } },
      limits: DEFAULT_CHILD_LIMITS,
      size: { cols: 90, rows: 20 },
      signal,
    });
    return new Screen(terminal);
  }

  type(text: string): void {
    this.terminal.write(text);
  }

  /** Reads on until the pattern is there, and says what is shown since the last time. */
  async until(pattern: RegExp): Promise<string> {
    for (let silent = 0; silent < 100 && !pattern.test(this.shown); silent += 1) {
      const { text } = await this.terminal.read({ bytesMax: 65_536, latest: false, timeoutMs: 200, signal: SIGNAL });
      this.shown += text;
      if (text !== "") silent = 0;
      if (text === "" && this.terminal.end !== null) break;
    }
    const { shown } = this;
    if (!pattern.test(shown)) throw new Error(`never shown: ${String(pattern)} in ${JSON.stringify(shown)}`);
    this.shown = "";
    return shown;
  }

  /** All that it shows until it ends by itself, and how it does; it is killed if it does not. */
  async rest(): Promise<{ readonly end: TerminalEnd; readonly shown: string }> {
    await this.until(/(?!)/).catch(() => undefined);
    if (this.terminal.end === null) this.terminal.kill();
    return { end: await this.terminal.whenEnded, shown: this.shown.replaceAll("\r", "") };
  }

  /** How it ends once it is closed. */
  async close(): Promise<TerminalEnd> {
    this.terminal.hangUp();
    return await this.terminal.whenEnded;
  }
}

/** The number of written bytes once no more are written. */
export async function heldUp({ terminal }: Screen): Promise<number> {
  for (;;) {
    const before = terminal.bytesOut;
    await pause(300);
    if (before > 0 && terminal.bytesOut === before) return before;
  }
}
