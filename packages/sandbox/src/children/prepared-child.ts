/**
 * A child prepared while it is still uncertain whether its program may run. The confining program has begun, and stands
 * now or within milliseconds; nothing of the call has happened, because its program starts when the child is released.
 */
import { LIMITS } from "@femtoclaw/protocol";
import type { SandboxCommand } from "../bubblewrap.ts";
import { currentView } from "../views/current-view.ts";
import type { SandboxView } from "../views/view.ts";
import type { BoundChild } from "./bound-child.ts";
import type { ChildLimits } from "./child-limits.ts";
import { childStart } from "./child-start.ts";

export interface ChildToPrepare {
  readonly view: SandboxView;
  readonly command: SandboxCommand;
  readonly limits: ChildLimits;
}

/** A run takes it, or it has to be disposed of. */
export class PreparedChild implements Disposable {
  readonly #view: SandboxView;
  #bound: BoundChild | null;

  private constructor(view: SandboxView, bound: BoundChild) {
    this.#view = view;
    this.#bound = bound;
  }

  /**
   * Null if no waiting child fits the call: starting one would take milliseconds of this thread, too much for what may
   * never run. Throws FEMTO_SANDBOX_UNAVAILABLE for a command that cannot be confined.
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

  /**
   * Hands over the child, and with it its place among the running ones; null if it has ended meanwhile or shows too
   * much.
   */
  take(): BoundChild | null {
    const bound = this.#bound;
    if (bound === null || !bound.stillStands()) return null;
    this.#bound = null;
    return bound;
  }

  /** INVARIANT: I1: a child that was not taken runs nothing, neither before this nor after. */
  [Symbol.dispose](): void {
    const bound = this.#bound;
    if (bound === null) return;
    this.#bound = null;
    bound.kill();
    leaveKilled(this.#view);
  }
}

/** Gives up a killed child's place among the running ones after the grace time, by when its last process has ended. */
export function leaveKilled({ children }: SandboxView): void {
  setTimeout(() => children.end(), LIMITS.graceMs).unref();
}
