/**
 * Starts one program inside the sandbox on a terminal of its own. It lives until it ends by itself or is ended as a
 * whole. Call it from the main thread: bubblewrap dies with the thread that started it.
 */
import type { ChildProcess } from "node:child_process";
import { FemtoError, LIMITS, printable, systemErrorCode } from "@femtoclaw/protocol";
import { BoundChild } from "./bound-child.ts";
import { type SandboxCommand, toolOf } from "./bubblewrap.ts";
import type { ChildLimits } from "./child-limits.ts";
import { childStart } from "./child-start.ts";
import { currentView } from "./current-view.ts";
import { signalOf } from "./exit-status.ts";
import { lostText } from "./kept-paths.ts";
import type { SandboxView } from "./view.ts";

export interface TerminalStart {
  readonly view: SandboxView;
  readonly command: SandboxCommand;
  readonly limits: ChildLimits;
  /** Descriptor of the terminal that the program gets as its own; whoever opened it closes it after the start. */
  readonly device: number;
}

export interface TerminalEnd {
  /** As the program left it, 128 + N for one that signal N ended; null when it was killed from here. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Why it was ended though nobody asked for it; absent where it was not. */
  readonly fault?: string;
}

export class TerminalChild {
  /** Resolves once the program runs; rejects with FEMTO_SANDBOX_UNAVAILABLE when it was not started. */
  readonly started: Promise<void>;
  /** Resolves when nothing runs on the terminal any more. */
  readonly ended: Promise<TerminalEnd>;
  readonly #bound: BoundChild;
  readonly #child: ChildProcess;
  readonly #started = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<TerminalEnd>();
  #killTimer: NodeJS.Timeout | null = null;

  /** Throws FEMTO_SANDBOX_UNAVAILABLE where the program would not be visible, FEMTO_OS_REFUSED for arguments that are too much. */
  constructor({ view: planned, command, limits, device }: TerminalStart) {
    this.started = this.#started.promise;
    this.ended = this.#ended.promise;
    // Who waits for the end alone hears of a start that failed as an end.
    this.started.catch(() => undefined);
    const { children } = planned;
    const view = children.begin(planned, currentView);
    void this.ended.then(() => children.end());
    try {
      const start = childStart(view, command, limits, [setsidOf(view), "--ctty"]);
      // Apart from the terminal of whoever runs the host, whose interrupts are for the host alone.
      this.#bound = new BoundChild(view, start, limits, [device, device, device], { detached: true });
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

  /** Hangs up, as a terminal that is closed does, and kills what has not ended after the grace time. */
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
    this.#started.reject(
      new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `bubblewrap did not start the program: ${printable(reason, 300)}`),
    );
    this.#ended.resolve(endOf(this.#bound));
  }
}

/** How what ran in it ended. */
export function endOf({ exitCode, lost, process }: BoundChild): TerminalEnd {
  const signal = exitCode === null ? (process.signalCode ?? "SIGKILL") : signalOf(exitCode);
  return { exitCode, signal, ...(lost === null ? {} : { fault: lostText(lost) }) };
}

/**
 * What makes the terminal the controlling one of a session that begins with the program, inside the sandbox. So job
 * control works, and what is typed interrupts the program and not bubblewrap, which would end with everything in it;
 * the system call filter keeps the program from typing by itself.
 */
export function setsidOf(view: SandboxView): string {
  return toolOf(view, "setsid", "terminals are made");
}
