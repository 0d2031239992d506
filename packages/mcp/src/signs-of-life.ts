/**
 * Tells a client how its call is doing: that it is under way, whom it waits for, or the latest output of its program or
 * message of its MCP server.
 */
import { type OutputPart, printable, type UpstreamNotice } from "@femtoclaw/protocol";

/**
 * Milliseconds between signs of life. Clients give up on a server that is silent for a minute, some after half of that.
 */
const SIGN_OF_LIFE_MS = 4_000;
/** Milliseconds between messages while the program writes output. */
const LAST_LINE_MS = 1_000;
/** LIMIT: characters of a line that is passed on. */
const LAST_LINE_CHARS = 200;

export interface Progress {
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

type LogNotice = UpstreamNotice & { readonly kind: "log" };

export interface Listener {
  /** Tells the client how far its call is; null if it has not asked for that. */
  readonly onProgress: ((progress: Progress) => void) | null;
  /** Passes on a log message of the MCP server; null if the client has not asked for any. */
  readonly onLog: ((notice: LogNotice) => void) | null;
}

export class SignsOfLife implements Disposable {
  readonly listening = { onOutput: (part: OutputPart): void => this.#hear(part) };
  readonly #tell: Listener["onProgress"];
  readonly #log: Listener["onLog"];
  /** Whether an external server counts the progress. Nobody knows how far it will count. */
  readonly #isRelayed: boolean;
  readonly #startMs = performance.now();
  #message = "under way";
  #total: number | null = null;
  #told = -1;
  #saidMs = this.#startMs;
  #isNew = false;
  #isOver = false;
  #line = "";
  readonly #timer: NodeJS.Timeout | null;

  constructor({ onProgress, onLog }: Listener, { isRelayed }: { readonly isRelayed: boolean }) {
    this.#tell = onProgress;
    this.#log = onLog;
    this.#isRelayed = isRelayed;
    this.#timer = onProgress === null ? null : setInterval(() => this.#look(), LAST_LINE_MS);
  }

  say(message: string): void {
    this.#message = message;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #hear({ text, notice }: OutputPart): void {
    if (this.#isOver) return;
    if (notice?.kind === "log") this.#log?.(notice);
    else if (notice?.kind === "progress") this.#relay(notice);
    else this.#hearText(text);
  }

  /** Keeps the newest line that is not blank. Lines that are skipped here are in the result. */
  #hearText(text: string): void {
    const lines = (this.#line + text).split(/[\r\n]+/);
    const last = lines.findLast((line) => line.trim() !== "");
    this.#line = (lines.at(-1) ?? "").slice(0, 2 * LAST_LINE_CHARS);
    if (last === undefined) return;
    // INVARIANT: I8: output of a program cannot control anybody's screen, and is marked as output.
    this.#message = `output: ${printable(last, LAST_LINE_CHARS)}`;
    this.#isNew = true;
  }

  /** Progress of an MCP server is passed on at once, marked as that server's. */
  #relay({ server, progress, total, message }: UpstreamNotice & { readonly kind: "progress" }): void {
    this.#total = total;
    this.#message = `[MCP server ${server}]${message === null ? "" : ` ${message}`}`;
    this.#say(progress);
  }

  #look(): void {
    const nowMs = performance.now();
    if (!this.#isNew && nowMs - this.#saidMs < SIGN_OF_LIFE_MS) return;
    this.#say(this.#isRelayed ? 0 : Math.round(nowMs - this.#startMs) / 1_000);
  }

  /** Each message reports more progress than the one before, as clients demand, no matter who counts. */
  #say(progress: number): void {
    this.#isNew = false;
    this.#saidMs = performance.now();
    const more = Math.max(this.#told + 1e-6, this.#told * (1 + 1e-9));
    this.#told = this.#told < 0 || progress > this.#told ? progress : Math.min(more, Number.MAX_VALUE);
    const total = this.#total === null ? {} : { total: this.#total };
    this.#tell?.({ progress: this.#told, ...total, message: this.#message });
  }
}
