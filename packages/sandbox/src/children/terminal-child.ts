/**
 * Starts one program inside the sandbox on a terminal of its own. It runs until it exits by itself or is ended as a
 * whole. Call this from the main thread: bubblewrap dies with the thread that started it.
 */
import { FemtoError, LIMITS, printable, systemErrorCode } from "@femtoclaw/protocol";
import type { SandboxCommand } from "../bubblewrap.ts";
import type { Rung } from "../probing/rung.ts";
import type { SpawnedProcess } from "../spawning/spawned-process.ts";
import { currentView } from "../views/current-view.ts";
import { lostText } from "../views/kept-paths.ts";
import type { SandboxView } from "../views/view.ts";
import { BoundChild } from "./bound-child.ts";
import type { ChildLimits } from "./child-limits.ts";
import { childStart } from "./child-start.ts";
import { signalOf } from "./exit-status.ts";

export interface TerminalStart {
  readonly view: SandboxView;
  readonly command: SandboxCommand;
  readonly limits: ChildLimits;
  /** Descriptor of the program's own terminal; the code that opened it closes it after the start. */
  readonly device: number;
}

export interface TerminalEnd {
  /** The program's exit code, 128 + N if signal N ended it; null if it was killed from here. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Why it was killed though nobody asked for it; absent otherwise. */
  readonly fault?: string;
}

export class TerminalChild {
  /** Resolves once the program runs; rejects with FEMTO_SANDBOX_UNAVAILABLE if it was not started. */
  readonly started: Promise<void>;
  /** Resolves when nothing runs on the terminal any more. */
  readonly ended: Promise<TerminalEnd>;
  readonly #bound: BoundChild;
  readonly #child: SpawnedProcess;
  readonly #rung: Rung["name"];
  readonly #started = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<TerminalEnd>();
  #killTimer: NodeJS.Timeout | null = null;

  /**
   * Throws FEMTO_SANDBOX_UNAVAILABLE if the program would not be visible, FEMTO_OS_REFUSED if the arguments are too
   * long.
   */
  constructor({ view: planned, command, limits, device }: TerminalStart) {
    this.started = this.#started.promise;
    this.ended = this.#ended.promise;
    // A caller that waits for `ended` alone learns of a failed start there, so this rejection may go unhandled.
    this.started.catch(() => undefined);
    const { children } = planned;
    const view = children.begin(planned, currentView);
    this.#rung = view.rung.name;
    void this.ended.then(() => children.end());
    try {
      const start = childStart(view, command, limits, true);
      // The child is detached from the terminal of the user who runs the host: an interrupt typed there is for the host
      // alone.
      this.#bound = new BoundChild(view, start, limits, [inputOf(view, device), device, device], { detached: true });
      this.#bound.begin(start);
      this.#bound.release();
      this.#child = this.#bound.process;
    } catch (error) {
      this.#ended.resolve({ exitCode: null, signal: null });
      throw error;
    }
    this.#bound.started.then(this.#started.resolve, this.#started.reject);
    this.#child.on("error", (error) => this.#end(systemErrorCode(error) ?? error.message));
    this.#child.on("close", () => this.#end("it gave no reason"));
  }

  /** Hangs up like a closed terminal, and kills what has not ended after the grace time. */
  hangUp(): void {
    if (!this.#bound.signal("SIGHUP")) return this.kill();
    this.#bound.signal("SIGCONT");
    this.#killTimer ??= setTimeout(() => this.kill(), LIMITS.graceMs);
  }

  kill(): void {
    this.#bound.kill();
  }

  #end(reason: string): void {
    if (this.#killTimer !== null) clearTimeout(this.#killTimer);
    const why = printable(this.#bound.fault ?? reason, 300);
    this.#started.reject(
      new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `${this.#rung} did not start the program: ${why}`),
    );
    this.#ended.resolve(endOf(this.#bound));
  }
}

/**
 * In namespaces under Landlock, the launcher takes the terminal for the program, and gives it the input. The guard gets
 * no terminal as its input, because some shells make that one the controlling one of their own session as they start.
 */
function inputOf({ rung }: SandboxView, device: number): number | "ignore" {
  return rung.name === "landlock, namespaces" ? "ignore" : device;
}

/** How the child's program ended. */
export function endOf({ exitCode, lost, process }: BoundChild): TerminalEnd {
  const signal = exitCode === null ? (process.signalCode ?? "SIGKILL") : signalOf(exitCode);
  return { exitCode, signal, ...(lost === null ? {} : { fault: lostText(lost) }) };
}
