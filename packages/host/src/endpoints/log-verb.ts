/**
 * The one verb that both sockets have: it proves that the log continues what the client has seen of it. It reveals no
 * records except changes of the key.
 */
import { proveContinuation } from "@femtoclaw/journal/live";
import { FemtoError, type LogContinuation } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";
import { invalid, isPositive, refuseUnknown } from "./request-fields.ts";
import type { Handler } from "./verb-handlers.ts";

/** LIMIT: time that a proof may take before the host looks whether the disk is full. */
const FULL_DISK_MS = 3_000;

/** The verb for one connection. It makes one answer at a time, so a client that asks often waits only for itself. */
export function followLogVerb(runtime: Runtime): Handler<LogContinuation> {
  let earlier: Promise<unknown> = Promise.resolve();
  return ({ from, ...rest }) => {
    refuseUnknown(rest);
    if (from !== undefined && !isPositive(from)) throw invalid("`from` must be a number of records, at least 1");
    const proof = async () => {
      await coverAcknowledged(runtime);
      return await proveContinuation(runtime.reader, from ?? null);
    };
    const answer = earlier.then(() => unlessFull(runtime, proof()));
    earlier = answer.catch(() => undefined);
    return answer;
  };
}

/**
 * Fails with FEMTO_DISK_FULL if the disk is full. A journal that waits for space cannot be read until there is some.
 * Every client asks for this proof first, so even one that only wants to see what is wrong, or to stop the host, would
 * have to wait.
 */
async function unlessFull<T>(runtime: Runtime, proof: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const looking = setInterval(() => {
    const { full } = runtime.status().memory;
    if (full === null) return;
    const fix =
      "Free space on the disk of the state directory. The host then answers by itself. Nothing was asked of it yet.";
    reject(new FemtoError("FEMTO_DISK_FULL", `the journal cannot be read until it has room: ${full}`, { fix }));
  }, FULL_DISK_MS);
  try {
    return await Promise.race([proof, late]);
  } finally {
    clearInterval(looking);
  }
}

/**
 * Signs everything that was acknowledged. A journal that takes no more records cannot sign either, so it then shows
 * only what it has signed already.
 */
async function coverAcknowledged(runtime: Runtime): Promise<void> {
  try {
    await runtime.checkpoint();
  } catch (error) {
    if (!(error instanceof FemtoError)) throw error;
  }
}
