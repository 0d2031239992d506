/** What became of interrupted executions, in the words of an operator. This neither runs nor undoes anything. */
import type { Journal, JournalReader } from "@femtoclaw/journal";
import { FemtoError, LIMITS, malformed, printable, requireFields, requireText } from "@femtoclaw/protocol";
import type { UnresolvedExecution } from "../projection/unresolved.ts";
import { notFound, showExecution } from "./history.ts";
import { operatorActor } from "./operator-actor.ts";

/** An operator's statement about an interrupted execution. */
export interface ResolutionRequest {
  readonly execution: string;
  /** Whether the effect happened. */
  readonly resolution: "done" | "not-done";
  /** How the operator knows that. It must not be empty. */
  readonly reason: string;
  /** The operator who says so. */
  readonly by: string;
}

const RESOLUTIONS: readonly unknown[] = ["done", "not-done"] satisfies ResolutionRequest["resolution"][];

interface ResolutionParts {
  readonly journal: Pick<Journal, "append"> & JournalReader;
  /** Executions that wait for a resolution, according to the durable records. */
  unresolved(): ReadonlyMap<string, UnresolvedExecution>;
}

export class Resolutions {
  readonly #parts: ResolutionParts;
  /** Executions whose resolution is on its way to the disk. */
  readonly #writing = new Set<string>();

  constructor(parts: ResolutionParts) {
    this.#parts = parts;
  }

  /**
   * Resolves with the record's sequence number once it is durable. Throws if the execution does not wait for a
   * resolution.
   */
  async resolve(request: ResolutionRequest): Promise<number> {
    requireFields("a resolution", request);
    const { execution, resolution, reason, by } = request;
    for (const [name, text] of Object.entries({ execution, reason, by })) requireText(name, text);
    if (!RESOLUTIONS.includes(resolution)) throw malformed(`\`resolution\` must be one of ${RESOLUTIONS.join(", ")}`);
    const said = printable(reason.trim(), LIMITS.reasonChars);
    if (said === "") {
      const fix = "Give a reason: how do you know the outcome?";
      throw new FemtoError("FEMTO_SOCKET_REQUEST", "a resolution needs a reason", { fix });
    }
    const known = this.#parts.unresolved().get(execution);
    if (known === undefined) throw await this.#refusal(execution);
    // INVARIANT: an execution is resolved once. If two operators do so at the same time, the second is refused here.
    if (this.#writing.has(execution)) throw notUnresolved(execution, "is being resolved by somebody else");
    this.#writing.add(execution);
    try {
      const { session, seq: interrupted, tool } = known;
      const actor = operatorActor(by);
      const body = { interrupted, tool, resolution, reason: said };
      const { seq } = await this.#parts.journal.append({ type: "execution.resolved", actor, session, execution, body });
      return seq;
    } finally {
      this.#writing.delete(execution);
    }
  }

  async #refusal(execution: string): Promise<FemtoError> {
    const shown = await showExecution(this.#parts.journal, execution);
    if (shown === null) return await notFound(this.#parts.journal, execution);
    const { status, resolution } = shown.view;
    if (status !== "interrupted") return notUnresolved(execution, `is ${status}, not interrupted`);
    if (resolution === undefined) return notUnresolved(execution, `is older than the newest ${LIMITS.unresolved}`);
    const { resolution: said, by, seq } = resolution;
    return notUnresolved(execution, `was resolved as ${said} by ${printable(by)} in record ${seq}`);
  }
}

function notUnresolved(execution: string, what: string): FemtoError {
  return new FemtoError("FEMTO_EXECUTION_NOT_UNRESOLVED", `execution ${printable(execution, 64)} ${what}`);
}
