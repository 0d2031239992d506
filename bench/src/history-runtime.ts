/**
 * A process with a runtime that fills a journal until somebody kills it. It tells when it is idle, what its
 * journal held then, and when the journal has grown to the size that it was asked for.
 */
import assert from "node:assert/strict";
import { createRuntime } from "@femtoclaw/runtime";
import { noop, noopConfiguration, proposeNoop } from "./noop.ts";

export type HistoryNews = { readonly state: "idle" | "written"; readonly records: number };

const CALLERS = 1_000;

const [directory, target] = process.argv.slice(2);
assert(directory !== undefined && target !== undefined, "it is started with a folder and a number of records");
const runtime = await createRuntime({
  configuration: noopConfiguration(directory),
  capabilities: [noop],
  permit: ["noop"],
});
tell("idle");

const session = runtime.openSession({ channel: "library", label: "bench" });
let n = 0;
let isWritten = false;
await Promise.all(
  Array.from({ length: CALLERS }, async () => {
    for (;;) {
      n += 1;
      await proposeNoop(session, n);
      if (isWritten || runtime.reader.size < Number(target)) continue;
      isWritten = true;
      tell("written");
    }
  }),
);

function tell(state: HistoryNews["state"]): void {
  process.send?.({ state, records: runtime.reader.size } satisfies HistoryNews);
}
