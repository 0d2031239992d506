/**
 * How operators look at terminals. No verb here types anything, because typing is a call, which is decided and
 * recorded.
 */
import { executionNamed, type Runtime } from "@femtoclaw/runtime/live";
import { invalid, isCount, refuseUnknown, waitedMs } from "./request-fields.ts";
import type { OperatorVerbs } from "./verb-handlers.ts";

export function terminalVerbs(runtime: Runtime): OperatorVerbs<"terminals"> {
  return {
    "terminals.list": (fields) => {
      refuseUnknown(fields);
      return runtime.terminals.list();
    },
    "terminals.watch": async ({ terminal, from, wait_ms, ...rest }) => {
      refuseUnknown(rest);
      if (typeof terminal !== "string") throw invalid("`terminal` must be a string");
      if (!isCount(from)) throw invalid("`from` must be a number of bytes");
      const { data, ...part } = await runtime.terminals.watch(
        await executionNamed(runtime.reader, terminal),
        from,
        waitedMs(wait_ms),
      );
      return { ...part, data: data.toString("base64") };
    },
    "terminals.recording": async ({ terminal, from, ...rest }) => {
      refuseUnknown(rest);
      if (typeof terminal !== "string") throw invalid("`terminal` must be a string");
      if (from !== undefined && !isCount(from)) throw invalid("`from` must be a sequence number");
      // The modules that read a recording look back at the journal, and no start waits for them.
      const { recordingPage } = await import("@femtoclaw/runtime");
      return await recordingPage(runtime.reader, await executionNamed(runtime.reader, terminal), from ?? null);
    },
  };
}
