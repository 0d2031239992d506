/** How the inspector reads on: one bounded page of records at a time, from a number that it names. It changes nothing. */
import type { Runtime } from "@femtoclaw/runtime";
import { invalid, refuseUnknown } from "./request-fields.ts";
import type { ConnectionHandlers } from "./socket-server.ts";

/** Loaded when somebody inspects: a start needs no charts. */
async function pagesOf({ reader }: Runtime) {
  const { RecordPages } = await import("@femtoclaw/inspector/record-pages");
  return new RecordPages(reader);
}

export function recordVerbs(runtime: Runtime): ConnectionHandlers["verbs"] {
  return {
    "log.records": async ({ from, ...rest }) => {
      refuseUnknown(rest);
      if (typeof from !== "number" || !Number.isSafeInteger(from) || from < 0) {
        throw invalid("`from` must be a sequence number");
      }
      return await (await pagesOf(runtime)).from(from);
    },
    "log.summary": async (fields) => {
      refuseUnknown(fields);
      return await (await pagesOf(runtime)).summary();
    },
  };
}
