/**
 * A process with a runtime that fills a journal until it is killed. It reports when the journal has reached the
 * requested size.
 */
import assert from "node:assert/strict";
import { createRuntime } from "@femtoclaw/runtime";
import { noop, noopConfiguration, proposeNoop } from "./noop.ts";

const CALLERS = 1_000;
/** Executions of one session, which may use only a share of the journal. */
const SESSION_EXECUTIONS = 250_000;

const [directory, target] = process.argv.slice(2);
assert(directory !== undefined && target !== undefined, "it is started with a folder and a number of records");
const runtime = await createRuntime({
  configuration: noopConfiguration(directory),
  capabilities: [noop],
  permit: ["noop"],
});

const openSession = () => runtime.openSession({ channel: "library", label: "bench" });
let session = openSession();
let n = 0;
let isWritten = false;
await Promise.all(
  Array.from({ length: CALLERS }, async () => {
    for (;;) {
      n += 1;
      if (n % SESSION_EXECUTIONS === 0) session = openSession();
      await proposeNoop(session, n);
      if (isWritten || runtime.reader.size < Number(target)) continue;
      isWritten = true;
      process.send?.("written");
    }
  }),
);
