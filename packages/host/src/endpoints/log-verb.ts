/** The one verb that both sockets have: how the log went on from what the client has seen of it. It reveals no record but changes of the key. */
import { proveContinuation } from "@femtoclaw/journal/live";
import { FemtoError } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";
import { invalid, refuseUnknown } from "./request-fields.ts";
import type { Handler } from "./socket-server.ts";

/** LIMIT: time that a proof takes before it is asked whether the disk is full. */
const FULL_DISK_MS = 3_000;

/** The verb for one connection, which gets one answer at a time: who asks often waits for himself. */
export function followLogVerb(runtime: Runtime): Handler {
  let earlier: Promise<unknown> = Promise.resolve();
  return ({ from, ...rest }) => {
    refuseUnknown(rest);
    if (from !== undefined && !isSize(from)) throw invalid("`from` must be a number of records, at least 1");
    const proof = async () => {
      await coverAcknowledged(runtime);
      return await proveContinuation(runtime.reader, from ?? null);
    };
    const answer = earlier.then(() => unlessFull(runtime, proof()));
    earlier = answer.catch(() => undefined);
    return answer;
  };
}

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1;
}

/**
 * A journal that waits for room is read by nobody until it has some, and every client asks for this first: it would wait
 * with it, also who only wants to see what is wrong, or to stop the host.
 */
async function unlessFull<T>(runtime: Runtime, proof: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const looking = setInterval(() => {
    const { full } = runtime.status().memory;
    if (full === null) return;
    const fix =
      "Free space on the disk of the state directory; the host answers by itself then. Nothing was asked of it yet.";
    reject(new FemtoError("FEMTO_DISK_FULL", `the journal cannot be read until it has room: ${full}`, { fix }));
  }, FULL_DISK_MS);
  try {
    return await Promise.race([proof, late]);
  } finally {
    clearInterval(looking);
  }
}

/** A journal that takes no more records signs nothing either; then what it has signed is all that it can show. */
async function coverAcknowledged(runtime: Runtime): Promise<void> {
  try {
    await runtime.checkpoint();
  } catch (error) {
    if (!(error instanceof FemtoError)) throw error;
  }
}
