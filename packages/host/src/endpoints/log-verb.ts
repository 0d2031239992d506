/** The one verb that both sockets have: how the log went on from what the client has seen of it. It reveals no record but changes of the key. */
import { proveContinuation } from "@femtoclaw/journal/live";
import { FemtoError } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";
import { invalid, refuseUnknown } from "./request-fields.ts";
import type { Handler } from "./socket-server.ts";

/** The verb for one connection, which gets one answer at a time: who asks often waits for himself. */
export function followLogVerb(runtime: Runtime): Handler {
  let earlier: Promise<unknown> = Promise.resolve();
  return ({ from, ...rest }) => {
    refuseUnknown(rest);
    if (from !== undefined && !isSize(from)) throw invalid("`from` must be a number of records, at least 1");
    const answer = earlier.then(async () => {
      await coverAcknowledged(runtime);
      return await proveContinuation(runtime.reader, from ?? null);
    });
    earlier = answer.catch(() => undefined);
    return answer;
  };
}

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1;
}

/** A journal that takes no more records signs nothing either; then what it has signed is all that it can show. */
async function coverAcknowledged(runtime: Runtime): Promise<void> {
  try {
    await runtime.checkpoint();
  } catch (error) {
    if (!(error instanceof FemtoError)) throw error;
  }
}
