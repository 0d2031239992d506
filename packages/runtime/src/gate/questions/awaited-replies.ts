/**
 * Those who wait for executions to end. An execution may wait for an operator for hours, so a waiter that leaves is
 * forgotten at once.
 */
import { type ExecutionId, FemtoError, type Reply } from "@femtoclaw/protocol";

type Waiter = PromiseWithResolvers<Reply>;

export class AwaitedReplies {
  readonly #waiters = new Map<ExecutionId, Set<Waiter>>();

  /**
   * The reply with which the execution ends. INVARIANT: I9: a waiter is held until `left` is aborted and no longer, so
   * that clients that come, wait and leave do not fill the memory.
   */
  async of(id: ExecutionId, left?: AbortSignal): Promise<Reply> {
    left?.throwIfAborted();
    const waiter: Waiter = Promise.withResolvers();
    const leave = (): void => waiter.reject(new Error("nobody waits for the reply any more"));
    const waiters = this.#waiters.get(id) ?? new Set();
    this.#waiters.set(id, waiters.add(waiter));
    left?.addEventListener("abort", leave);
    try {
      return await waiter.promise;
    } finally {
      left?.removeEventListener("abort", leave);
      waiters.delete(waiter);
      if (waiters.size === 0 && this.#waiters.get(id) === waiters) this.#waiters.delete(id);
    }
  }

  ended(id: ExecutionId, reply: Reply): void {
    for (const waiter of this.#taken(id)) waiter.resolve(reply);
  }

  failed(id: ExecutionId, error: unknown): void {
    for (const waiter of this.#taken(id)) waiter.reject(error);
  }

  /**
   * The call joined another one of its session, so it gets no reply of its own. The other one is not named, because a
   * waiter may be of another principal.
   */
  joined(id: ExecutionId): void {
    const reason = "the call joined one about which its session asks operators already";
    const fix = "Wait for the execution that the answer to the proposal names.";
    this.failed(id, new FemtoError("FEMTO_EXECUTION_NOT_FOUND", reason, { fix }));
  }

  /** Everyone who waits is told to wait again after the next start. */
  close(): void {
    const reason = "the host stops; the call keeps waiting, and can be waited for after the next start";
    const fix = "Do not propose it again. An operator sees it with `femtoclaw approvals list` after the next start.";
    for (const id of [...this.#waiters.keys()]) this.failed(id, new FemtoError("FEMTO_DRAINING", reason, { fix }));
  }

  #taken(id: ExecutionId): Iterable<Waiter> {
    const waiters = this.#waiters.get(id) ?? [];
    this.#waiters.delete(id);
    return waiters;
  }
}
