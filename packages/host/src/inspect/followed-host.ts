/** The host that a page shows: the one that runs now, and after a restart the next one, if it continues the same log. */
import { setTimeout as sleep } from "node:timers/promises";
import type { OperatorClient } from "@femtoclaw/client";
import { type ErrorCode, FemtoError } from "@femtoclaw/protocol";
import { hostStatus } from "../process/host-status.ts";

/** Time between two looks for the next host. */
const LOOK_MS = 500;
/** A host that is not there, that is about to end, or that hangs, may still be followed by another one. */
const AWAY: ReadonlySet<ErrorCode> = new Set(["FEMTO_HOST_NOT_RUNNING", "FEMTO_HOST_SILENT", "FEMTO_DRAINING"]);

export interface FollowedHostParts {
  /** INVARIANT: I7: proves that the log continues what was seen of it; throws FEMTO_HOST_NOT_RUNNING if no host runs. */
  connect(): Promise<OperatorClient>;
  talk(text: string): void;
}

export class FollowedHost implements AsyncDisposable {
  readonly #parts: FollowedHostParts;
  readonly #log: string;
  readonly #left = new AbortController();
  #operator: OperatorClient;

  private constructor(parts: FollowedHostParts, operator: OperatorClient, log: string) {
    this.#parts = parts;
    this.#operator = operator;
    this.#log = log;
  }

  static async begin(parts: FollowedHostParts): Promise<FollowedHost> {
    const operator = await parts.connect();
    try {
      return new FollowedHost(parts, operator, (await hostStatus(operator)).log);
    } catch (error) {
      await operator.close();
      throw error;
    }
  }

  /** While no host runs, this is a connection that rejects every request. */
  get operator(): OperatorClient {
    return this.#operator;
  }

  /** Goes over to each next host, until this is disposed of. Rejects if the next one has another log. */
  async follow(): Promise<void> {
    for (;;) {
      await this.#operator.closed;
      if (this.#left.signal.aborted) return;
      this.#parts.talk("the host has ended; once it is started again, the page goes on by itself");
      while (!(await this.#isThereAgain())) await sleep(LOOK_MS);
      if (this.#left.signal.aborted) return;
      this.#parts.talk("the host runs again, and the page goes on");
    }
  }

  /** Also true once nobody follows any more. */
  async #isThereAgain(): Promise<boolean> {
    if (this.#left.signal.aborted) return true;
    try {
      const operator = await this.#parts.connect();
      this.#operator = operator;
      if (this.#left.signal.aborted) await operator.close();
      else this.#refuseOther((await hostStatus(operator)).log);
      return true;
    } catch (error) {
      if (!(error instanceof FemtoError) || !AWAY.has(error.code)) throw error;
      return false;
    }
  }

  #refuseOther(log: string): void {
    if (log === this.#log) return;
    const fix = "Run the command again to look at the log that is there now.";
    throw new FemtoError("FEMTO_LOG_ROLLED_BACK", "the host has ended, and the next one has another log", { fix });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#left.abort();
    await this.#operator.close();
  }
}
