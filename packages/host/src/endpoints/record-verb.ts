/**
 * How the inspector reads on: one bounded page of records at a time, from a number that it names; it waits here where there
 * is none yet. It changes nothing.
 */
import type { Runtime } from "@femtoclaw/runtime";
import { invalid, isCount, refuseUnknown, waitedMs } from "./request-fields.ts";
import type { ConnectionHandlers } from "./socket-server.ts";

/** Loaded when somebody inspects: a start needs no charts. */
async function pagesOf({ reader }: Runtime) {
  const { RecordPages } = await import("@femtoclaw/inspector/record-pages");
  return new RecordPages(reader);
}

/** `left` says that the client of the connection asks nothing any more. */
export function recordVerbs(runtime: Runtime, left: AbortSignal): ConnectionHandlers["verbs"] {
  return {
    "log.records": async ({ from, wait_ms = 0, ...rest }) => {
      refuseUnknown(rest);
      if (!isCount(from)) throw invalid("`from` must be a sequence number");
      await runtime.growth.until(runtime.reader, from, { waitMs: waitedMs(wait_ms), left });
      return await (await pagesOf(runtime)).from(from);
    },
    "log.summary": async (fields) => {
      refuseUnknown(fields);
      return await (await pagesOf(runtime)).summary();
    },
  };
}
