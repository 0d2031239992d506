/** Follows the output of a call that has no answer yet, piece by piece. */
import { FemtoError, followOutput, type OutputPart, type Reply, type WatchedOutput } from "@femtoclaw/protocol";

/** Milliseconds for which one request for more output waits at the host. */
export const WATCH_MS = 5_000;

type Ask = (fields: Readonly<Record<string, unknown>>) => Promise<unknown>;

/** The output of one execution of the connection. */
export function executionOutput(execution: string, ask: Ask): AsyncGenerator<OutputPart, void, void> {
  return followOutput(async (from) => (await ask({ execution, from, wait_ms: WATCH_MS })) as WatchedOutput);
}

/**
 * Delivers the output of a proposal, whose execution has no known name until the host tells it. Output only accompanies
 * the answer: if it cannot be delivered, it ends, and the answer comes nevertheless.
 */
export async function tellOutput(
  { id, answer }: { readonly id: number; readonly answer: Promise<unknown> },
  ask: Ask,
  onOutput: (part: OutputPart) => Promise<void> | void,
): Promise<void> {
  let named: Readonly<Record<string, unknown>> = { request: id };
  let isAsked = false;
  const replied = answer.then((value) => {
    const { execution_id: execution, status } = value as Reply;
    named = { execution };
    // A call that waits for an operator may wait for long.
    isAsked = status === "pending";
  });
  replied.catch(() => undefined);
  const watch = async (from: number): Promise<WatchedOutput> => {
    if (isAsked) return { execution: "", parts: [], skipped: 0, next: from, state: "ended" };
    try {
      const part = (await ask({ ...named, from, wait_ms: WATCH_MS })) as WatchedOutput;
      named = { execution: part.execution };
      return part;
    } catch (error) {
      const isAnswered = error instanceof FemtoError && error.code === "FEMTO_EXECUTION_NOT_FOUND";
      if (!isAnswered || !("request" in named)) throw error;
      await replied;
      return await watch(from);
    }
  };
  try {
    for await (const part of followOutput(watch)) await onOutput(part);
  } catch {
    // The host no longer keeps the output, or is gone, which the answer says too.
  }
}
