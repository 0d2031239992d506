/**
 * Output of running calls for those who watch: operators see all of it, a session sees its own. A reader asks for what
 * is there and waits for more, so a slow or vanished reader holds nothing up, and no reader is a way to an effect.
 */
import type { Clock } from "@femtoclaw/journal";
import {
  type ExecutionId,
  FemtoError,
  followOutput,
  LIMITS,
  type OutputPart,
  type OutputStream,
  printable,
  requireCount,
  requireFields,
  requireText,
  type SessionId,
  type UpstreamNotice,
  WAIT_MS_MAX,
  type WatchedOutput,
} from "@femtoclaw/protocol";
import { WaitingReaders } from "../waiting-readers.ts";
import { LiveOutput } from "./live-output.ts";

/** LIMIT: ended executions whose last output can still be read, and for how many milliseconds. */
const ENDED_MAX = 32;
const ENDED_MS = 30_000;
/** LIMIT: readers of one session, and of operators, that wait for more at once. */
const SESSION_READERS = 64;
const OPERATOR_READERS = 256;
/** Milliseconds for which output is gathered, so that what is written together is reported together. */
const GATHER_MS = 20;

/** Milliseconds of one wait of a reader that follows. */
const FOLLOW_MS = 10_000;

/**
 * The session of an execution that has not ended, and whether the execution still waits for its turn or for an
 * operator.
 */
export interface Unended {
  readonly session: SessionId;
  readonly isWaiting: boolean;
}

/** Which output is wanted, and from where on. */
export interface WatchRequest {
  /** Identifier of the execution. */
  readonly execution: string;
  /** Place in the output. */
  readonly from: number;
  /** How long to wait if nothing is there. */
  readonly waitMs: number;
}

/**
 * For operators, who may watch all executions, or for one session, which may watch its own. Throws
 * FEMTO_EXECUTION_NOT_FOUND for an execution that ended long ago, never existed or belongs to another session,
 * FEMTO_OVERLOADED if too many readers wait, and FEMTO_DRAINING.
 */
export interface OutputReader {
  /**
   * Text without what looks like a secret, from its beginning on, as far as that is still kept. It ends once the
   * outcome is recorded, and only the outcome says how the call ended.
   */
  follow(execution: string): AsyncIterable<OutputPart>;
  /** The output from a place on; waits for more if there is none. */
  watch(request: WatchRequest): Promise<WatchedOutput>;
}

type Whose = SessionId | "operators";

interface OutputsParts {
  readonly clock: Pick<Clock, "after">;
  unended(execution: string): Unended | null;
}

export class Outputs {
  readonly #parts: OutputsParts;
  /** Output of executions that have not ended and have written something, or are watched. */
  readonly #live = new Map<string, LiveOutput>();
  /** The oldest first, each with the cancellation of the timer that forgets it. */
  readonly #ended = new Map<string, { readonly output: LiveOutput; readonly cancel: () => void }>();
  readonly #readers = new Map<string, WaitingReaders>();
  readonly #waiting = new Map<Whose, number>();
  #isStopped = false;

  constructor(parts: OutputsParts) {
    this.#parts = parts;
  }

  /**
   * Takes what the program of an execution writes. This costs only a bounded amount of memory, even if nobody reads.
   */
  take(execution: ExecutionId, session: SessionId, stream: OutputStream, piece: Uint8Array): void {
    if (this.#isStopped || this.#parts.unended(execution) === null) return;
    if (this.#liveOf(execution, session).append(stream, piece)) this.#wake(execution);
  }

  /** Takes what an MCP server said besides its answer, at the same cost. */
  tell(execution: ExecutionId, session: SessionId, notice: UpstreamNotice): void {
    if (this.#isStopped || this.#parts.unended(execution) === null) return;
    this.#liveOf(execution, session).tell(notice);
    this.#wake(execution);
  }

  /** To be called when the outcome of the execution is recorded, or never will be. */
  ended(execution: ExecutionId): void {
    const output = this.#live.get(execution);
    if (output === undefined) return;
    this.#live.delete(execution);
    output.end();
    const cancel = this.#parts.clock.after(ENDED_MS, () => this.#ended.delete(execution), { unref: true });
    this.#ended.set(execution, { output, cancel });
    if (this.#ended.size > ENDED_MAX) this.#makeRoom();
    this.#wake(execution);
  }

  reader(whose: Whose): OutputReader {
    const watch = (request: WatchRequest): Promise<WatchedOutput> => this.#watch(request, whose);
    return Object.freeze({
      watch,
      follow: (execution: string) => followOutput((from) => watch({ execution, from, waitMs: FOLLOW_MS })),
    });
  }

  /** Forgets everything; waiting readers are told that the host stops. */
  stop(): void {
    this.#isStopped = true;
    for (const execution of [...this.#readers.keys()]) this.#wake(execution);
    for (const execution of [...this.#ended.keys()]) this.#forget(execution);
    this.#live.clear();
  }

  async #watch(request: WatchRequest, whose: Whose): Promise<WatchedOutput> {
    requireFields("a request for output", request);
    const { execution, from, waitMs } = request;
    requireText("execution", execution);
    requireCount("from", from);
    requireCount("waitMs", waitMs, WAIT_MS_MAX);
    const now = this.#look(execution, from, whose);
    if (now.parts.length > 0 || now.skipped > 0 || now.state === "ended" || waitMs === 0) return now;
    const waiting = this.#waiting.get(whose) ?? 0;
    // INVARIANT: I9: the number of readers is limited, separately for each session.
    if (waiting >= (whose === "operators" ? OPERATOR_READERS : SESSION_READERS)) {
      throw new FemtoError("FEMTO_OVERLOADED", `${waiting} readers wait for output already`);
    }
    this.#waiting.set(whose, waiting + 1);
    try {
      await this.#more(execution, waitMs);
    } finally {
      const left = (this.#waiting.get(whose) ?? 1) - 1;
      if (left === 0) this.#waiting.delete(whose);
      else this.#waiting.set(whose, left);
    }
    return this.#look(execution, from, whose);
  }

  #look(execution: string, from: number, whose: Whose): WatchedOutput {
    if (this.#isStopped) {
      const fix = "Do not propose the call again. See with `femtoclaw executions show` what became of it.";
      throw new FemtoError("FEMTO_DRAINING", "the host stops, and tells no more output", { fix });
    }
    const unended = this.#parts.unended(execution);
    const ended = this.#ended.get(execution)?.output;
    const session = unended?.session ?? ended?.session;
    // INVARIANT: I8: a session that asks for another session's execution gets the same answer as for one that never
    // existed.
    if (session === undefined || (whose !== "operators" && whose !== session)) throw notFound(execution);
    const output = unended === null ? ended : this.#liveOf(execution, session);
    const { isAll = true, ...part } = output?.from(from) ?? { parts: [], skipped: 0, next: from };
    const state = unended === null && isAll ? "ended" : unended?.isWaiting === true ? "waiting" : "running";
    return { execution, ...part, state };
  }

  #liveOf(execution: string, session: SessionId): LiveOutput {
    const output = this.#live.get(execution) ?? new LiveOutput(session);
    this.#live.set(execution, output);
    return output;
  }

  // INVARIANT: I9: a session that ends one call after the other evicts no unread output of another session.
  /** Forgets the oldest output of the session that has the most. */
  #makeRoom(): void {
    const held = [...Map.groupBy(this.#ended.keys(), (id) => this.#ended.get(id)?.output.session).values()];
    const [oldest] = held.reduce((most, other) => (other.length > most.length ? other : most));
    if (oldest !== undefined) this.#forget(oldest);
  }

  #forget(execution: string): void {
    this.#ended.get(execution)?.cancel();
    this.#ended.delete(execution);
  }

  /** Resolves a moment after something has come, when the execution has ended, or when the time is over. */
  async #more(execution: string, waitMs: number): Promise<void> {
    const readers = this.#readers.get(execution) ?? new WaitingReaders(this.#parts.clock, GATHER_MS);
    this.#readers.set(execution, readers);
    await readers.more(waitMs);
    if (readers.count === 0 && this.#readers.get(execution) === readers) this.#readers.delete(execution);
  }

  #wake(execution: string): void {
    this.#readers.get(execution)?.wake();
  }
}

function notFound(execution: string): FemtoError {
  const reason = `no execution \`${printable(execution, LIMITS.labelChars)}\` whose output can be followed`;
  const fix =
    "Output can be followed only while an execution runs or waits, and shortly after its end, by its own session and by operators. Its outcome has the final result.";
  return new FemtoError("FEMTO_EXECUTION_NOT_FOUND", reason, { fix });
}
