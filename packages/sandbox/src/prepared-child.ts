/**
 * A child that is made ready while it is not certain yet that its program may run. What confines it is begun and stands, or
 * will in some milliseconds, and nothing of the call has happened: its program is started when the child is released.
 */
import { LIMITS } from "@femtoclaw/protocol";
import type { BoundChild } from "./bound-child.ts";
import type { SandboxCommand } from "./bubblewrap.ts";
import type { ChildLimits } from "./child-limits.ts";
import { childStart } from "./child-start.ts";
import { currentView } from "./current-view.ts";
import type { SandboxView } from "./view.ts";

export interface ChildToPrepare {
  readonly view: SandboxView;
  readonly command: SandboxCommand;
  readonly limits: ChildLimits;
}

/** To be taken by a run, or disposed of. */
export class PreparedChild implements Disposable {
  readonly #view: SandboxView;
  #bound: BoundChild | null;

  private constructor(view: SandboxView, bound: BoundChild) {
    this.#view = view;
    this.#bound = bound;
  }

  /**
   * Null where none waits for such a call: to start one takes milliseconds of this thread, which is not spent on what may
   * never run. Throws FEMTO_SANDBOX_UNAVAILABLE for what cannot be confined.
   */
  static of({ view: planned, command, limits }: ChildToPrepare): PreparedChild | null {
    const { groups } = planned;
    if (command.into !== undefined || groups === null || !groups.waiting.isThere) return null;
    const view = planned.children.begin(planned, currentView);
    let bound: BoundChild | null = null;
    try {
      bound = groups.waiting.beginWaiting(view, childStart(view, command, limits), limits);
    } finally {
      if (bound === null) planned.children.end();
    }
    return bound === null ? null : new PreparedChild(view, bound);
  }

  /** The child, whose place among those that run is its taker's; null where it has ended meanwhile, or shows too much. */
  take(): BoundChild | null {
    const bound = this.#bound;
    if (bound === null || !bound.stillStands()) return null;
    this.#bound = null;
    return bound;
  }

  /** INVARIANT: I1: of what was not taken nothing runs, neither before this nor after. */
  [Symbol.dispose](): void {
    const bound = this.#bound;
    if (bound === null) return;
    this.#bound = null;
    bound.kill();
    leaveKilled(this.#view);
  }
}

/** Gives up the place among those that run of a child that was killed: as a whole it has ended a moment later. */
export function leaveKilled({ children }: SandboxView): void {
  setTimeout(() => children.end(), LIMITS.graceMs).unref();
}
