/**
 * Carries out what the root machine decides about a crashed subsystem: records the crash, waits, restarts the
 * subsystem's driver and tells the root. The pause doubles with each crash in the window.
 */
import type { Clock, JournalEntry } from "@femtoclaw/journal";
import type { Crash, Subsystem } from "@femtoclaw/machines";
import { errorText, LIMITS, printable } from "@femtoclaw/protocol";
import type { ActorSystem } from "./system.ts";

interface SupervisionParts {
  readonly system: ActorSystem;
  /** Restart the subsystem's I/O; each throws if it cannot. */
  readonly restarters: Readonly<Partial<Record<Subsystem, () => Promise<void>>>>;
  readonly clock: Clock;
  record(entry: JournalEntry): void;
  /** Called when a subsystem is lost without which nothing may execute. */
  onLost(subsystem: Subsystem, crash: Crash): void;
}

export class Supervision {
  readonly #parts: SupervisionParts;
  readonly #timers = new Set<() => void>();
  #stopped = false;

  constructor(parts: SupervisionParts) {
    this.#parts = parts;
  }

  /** Ends the subsystem's actor. A subsystem that is already down is left to its restart. */
  crash(subsystem: Subsystem, code: string, why: string): void {
    const { system } = this.#parts;
    if (this.#stopped || !system.isUp(subsystem)) return;
    // The reason is whatever text the broken part threw; it has to fit into a record.
    const reason = printable(why, LIMITS.reasonChars);
    const crash = { code, reason, atMs: Math.floor(this.#parts.clock.nowUs() / 1000) };
    system.crash(subsystem, crash);
    const lost = system.isLost(subsystem);
    this.#parts.record({
      type: "supervision.crashed",
      session: null,
      execution: null,
      body: { subsystem, code, reason, at_ms: crash.atMs, decision: lost ? "give-up" : "restart" },
    });
    if (lost) this.#parts.onLost(subsystem, crash);
    else this.#restartLater(subsystem);
  }

  /** From now on nothing is restarted or recorded. */
  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  #restartLater(subsystem: Subsystem): void {
    const crashes = this.#parts.system.crashesInWindow(subsystem);
    const cancel = this.#parts.clock.after(LIMITS.restartBackoffMs * 2 ** (crashes - 1), () => {
      this.#timers.delete(cancel);
      void this.#restart(subsystem);
    });
    this.#timers.add(cancel);
  }

  async #restart(subsystem: Subsystem): Promise<void> {
    let failure: unknown;
    try {
      await this.#parts.restarters[subsystem]?.();
    } catch (error) {
      failure = error;
    }
    if (this.#stopped) return;
    this.#parts.system.advance({ type: "subsystem.restart", subsystem });
    this.#parts.record({
      type: "supervision.restarted",
      session: null,
      execution: null,
      body: { subsystem },
    });
    // A driver that does not come back counts as one more crash, so that the limit is reached instead of waiting for
    // ever.
    if (failure !== undefined) this.crash(subsystem, "FEMTO_SUBSYSTEM_LOST", errorText(failure));
  }
}
