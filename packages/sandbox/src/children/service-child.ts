/**
 * Starts one program inside the sandbox that serves over its stdin and stdout. It runs until it exits by itself or is
 * ended as a whole. Call this from the main thread: bubblewrap dies with the thread that started it.
 */
import { errorText, LIMITS, printable, systemErrorCode } from "@femtoclaw/protocol";
import type { SandboxCommand } from "../bubblewrap.ts";
import type { SpawnedProcess } from "../spawning/spawned-process.ts";
import { currentView } from "../views/current-view.ts";
import { lostText } from "../views/kept-paths.ts";
import type { SandboxView } from "../views/view.ts";
import { BoundChild } from "./bound-child.ts";
import type { ChildLimits } from "./child-limits.ts";
import { childStart } from "./child-start.ts";
import { signalOf } from "./exit-status.ts";

export interface ServiceStart {
  readonly view: SandboxView;
  readonly command: SandboxCommand;
  readonly limits: ChildLimits;
  /** Gets what the program writes to stdout, piece by piece. */
  onOutput(piece: Buffer): void;
}

/** LIMIT: bytes of stderr that are kept, the newest ones; enough for the last words of a program. */
const LAST_WORDS_BYTES = 2_048;
/** LIMIT: bytes that wait for a program that does not read its stdin. */
const WAITING_BYTES = 4_194_304;

export class ServiceChild {
  /** Resolves with the reason when nothing of the program runs any more. */
  readonly ended: Promise<string>;
  readonly #bound: BoundChild;
  readonly #child: SpawnedProcess;
  readonly #ended = Promise.withResolvers<string>();
  #lastWords = Buffer.alloc(0);
  #killTimer: NodeJS.Timeout | null = null;
  #endTimer: NodeJS.Timeout | null = null;

  /**
   * Throws FEMTO_SANDBOX_UNAVAILABLE if the program would not be visible, FEMTO_OS_REFUSED if the arguments are too
   * long.
   */
  constructor({ view: planned, command, limits, onOutput }: ServiceStart) {
    this.ended = this.#ended.promise;
    const { children } = planned;
    const view = children.begin(planned, currentView);
    void this.ended.then(() => children.end());
    try {
      const start = childStart(view, command, limits);
      this.#bound = new BoundChild(view, start, limits, ["pipe", "pipe", "pipe"], { detached: true });
      this.#bound.begin(start);
      this.#bound.release();
      this.#child = this.#bound.process;
    } catch (error) {
      this.#ended.resolve("it was not started");
      throw error;
    }
    this.#child.on("error", (error) => this.#end(systemErrorCode(error) ?? error.message));
    this.#bound.started.catch((error: unknown) => this.#end(errorText(error)));
    // If no descriptors were left for the child, Node made no streams either.
    if (this.#child.pid !== undefined) this.#connect(onOutput);
  }

  /** Returns false and writes nothing if too much already waits for a program that does not read. */
  write(bytes: Buffer): boolean {
    const { stdin } = this.#child;
    if (stdin === null || stdin.destroyed || stdin.writableLength + bytes.length > WAITING_BYTES) return false;
    stdin.write(bytes);
    return true;
  }

  /** Closes the program's stdin and asks it to end; kills it if it has not ended after the grace time. */
  end(): void {
    this.#child.stdin?.end();
    if (!this.#bound.signal("SIGTERM")) return this.kill();
    this.#killTimer ??= setTimeout(() => this.kill(), LIMITS.graceMs);
  }

  kill(): void {
    this.#bound.kill();
  }

  #connect(onOutput: (piece: Buffer) => void): void {
    const { stdout, stderr } = this.#child;
    stdout?.on("data", onOutput);
    stderr?.on("data", (piece: Buffer) => {
      this.#lastWords = Buffer.concat([this.#lastWords, piece]).subarray(-LAST_WORDS_BYTES);
    });
    this.#child.on("close", () => this.#end(null));
    // Its last output has still to be read, but a pipe that stays open even so is not waited for.
    this.#child.on("exit", () => {
      this.#endTimer = setTimeout(() => this.#end(null), LIMITS.graceMs);
    });
  }

  #end(fault: string | null): void {
    for (const timer of [this.#killTimer, this.#endTimer]) if (timer !== null) clearTimeout(timer);
    const said = this.#lastWords.toString().trim();
    const words = said === "" ? "" : `; its last words: ${printable(said, 300)}`;
    this.#ended.resolve(`${fault ?? this.#howItEnded()}${words}`);
    for (const stream of this.#child.stdio) stream?.destroy();
  }

  #howItEnded(): string {
    const { status, exitCode, fault, lost } = this.#bound;
    if (lost !== null) return lostText(lost);
    if (exitCode === null) {
      if (fault !== null) return `it was not started: ${printable(fault, 300)}`;
      return status.includes('"child-pid"') ? "it was ended" : "it was not started";
    }
    const signal = signalOf(exitCode);
    return signal === null ? `it ended with exit code ${exitCode}` : `it was ended by ${signal}`;
  }
}
