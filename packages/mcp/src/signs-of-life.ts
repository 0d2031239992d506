/** Tells a client in turn what its call is at: that it is under way, for whom it waits, what its program wrote or its MCP server said last. */
import { type OutputPart, printable, type UpstreamNotice } from "@femtoclaw/protocol";

/** Clients give up on a server that is silent for a minute; some do after half of that. */
const SIGN_OF_LIFE_MS = 4_000;
/** Where its program writes something, a client hears of it sooner, and not more often. */
const LAST_LINE_MS = 1_000;
/** LIMIT: characters of the line that is told. */
const LAST_LINE_CHARS = 200;

export interface Progress {
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

type LogNotice = UpstreamNotice & { readonly kind: "log" };

export interface Listener {
  /** Tells the client how far its call is; null where it has not asked for that. */
  readonly onProgress: ((progress: Progress) => void) | null;
  /** Tells it a line of the log of the MCP server; null where it has not asked for any. */
  readonly onLog: ((notice: LogNotice) => void) | null;
}

export class SignsOfLife implements Disposable {
  readonly listening = { onOutput: (part: OutputPart): void => this.#hear(part) };
  readonly #tell: Listener["onProgress"];
  readonly #log: Listener["onLog"];
  /** Of a server of others nobody knows how far it will count. */
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

  constructor({ onProgress, onLog }: Listener, isRelayed: boolean) {
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

  /** Of all that it wrote the newest line that says something; what one is not told is in the result. */
  #hearText(text: string): void {
    const lines = (this.#line + text).split(/[\r\n]+/);
    const last = lines.findLast((line) => line.trim() !== "");
    this.#line = (lines.at(-1) ?? "").slice(0, 2 * LAST_LINE_CHARS);
    if (last === undefined) return;
    // INVARIANT: I8: what a program writes acts on nobody's screen, and is told as what a program writes.
    this.#message = `output: ${printable(last, LAST_LINE_CHARS)}`;
    this.#isNew = true;
  }

  /** What a server says of its progress is told as it comes, and as what that server says. */
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

  /** Each time there is more progress than before, as clients demand, whoever counted what. */
  #say(progress: number): void {
    this.#isNew = false;
    this.#saidMs = performance.now();
    const more = Math.max(this.#told + 1e-6, this.#told * (1 + 1e-9));
    this.#told = this.#told < 0 || progress > this.#told ? progress : Math.min(more, Number.MAX_VALUE);
    const total = this.#total === null ? {} : { total: this.#total };
    this.#tell?.({ progress: this.#told, ...total, message: this.#message });
  }
}
