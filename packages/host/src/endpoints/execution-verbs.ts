/** What an operator may ask about executions: which there were, what they write, and to resolve or undo one. */
import { FemtoError, type WatchedOutput } from "@femtoclaw/protocol";
import { executionNamed, listExecutions, notFound, type Runtime, showExecution } from "@femtoclaw/runtime/live";
import { invalid, isPositive, refuseUnknown, watchRequest } from "./request-fields.ts";
import type { Handler, OperatorVerbs } from "./verb-handlers.ts";

/** LIMIT: executions in one answer. */
const LISTED_MAX = 10_000;

export function executionVerbs(runtime: Runtime, by: () => string): OperatorVerbs<"executions"> {
  return {
    "executions.list": ({ limit, status, session, ...rest }) => {
      refuseUnknown(rest);
      if (!isPositive(limit, LISTED_MAX)) throw invalid(`\`limit\` must be an integer from 1 to ${LISTED_MAX}`);
      if (status !== undefined && typeof status !== "string") throw invalid("`status` must be a string");
      if (session !== undefined && typeof session !== "string") throw invalid("`session` must be a string");
      return listExecutions(runtime.reader, {
        limit,
        ...(status === undefined ? {} : { status }),
        ...(session === undefined ? {} : { session }),
      });
    },
    "executions.show": async ({ execution: ref, ...rest }) => {
      refuseUnknown(rest);
      const execution = await named(runtime, ref);
      const shown = await showExecution(runtime.reader, execution);
      if (shown !== null) return { ...shown.view, records: shown.records };
      throw await notFound(runtime.reader, execution);
    },
    "executions.watch": watchVerb(runtime),
    "executions.resolve": async ({ execution: ref, resolution, reason, ...rest }) => {
      refuseUnknown(rest);
      if (resolution !== "done" && resolution !== "not-done")
        throw invalid('`resolution` must be "done" or "not-done"');
      if (typeof reason !== "string") throw invalid("`reason` must be a string");
      const execution = await named(runtime, ref);
      return { seq: await runtime.resolveExecution({ execution, resolution, reason, by: by() }) };
    },
    "executions.undo": async ({ execution, ...rest }) => {
      refuseUnknown(rest);
      return await runtime.undo(await named(runtime, execution));
    },
  };
}

/** Operators name an execution as they see it in a list or a reply: by its identifier or by a record. */
async function named(runtime: Runtime, execution: unknown): Promise<string> {
  if (typeof execution !== "string") throw invalid("`execution` must be a string");
  return await executionNamed(runtime.reader, execution);
}

function watchVerb(runtime: Runtime): Handler<WatchedOutput> {
  return async ({ execution: ref, ...fields }) => {
    const execution = await named(runtime, ref);
    const [watch, rest] = watchRequest(execution, fields);
    refuseUnknown(rest);
    try {
      return await runtime.outputs.watch(watch);
    } catch (error) {
      const isGone = error instanceof FemtoError && error.code === "FEMTO_EXECUTION_NOT_FOUND";
      const known = isGone ? await showExecution(runtime.reader, execution) : null;
      // An execution that the journal knows and that does not run any more has ended. Its outcome is in the journal.
      if (known !== null && known.view.status !== "pending") return noMoreOutput(execution, watch.from);
      throw isGone && known === null ? await notFound(runtime.reader, execution) : error;
    }
  };
}

/** The answer about an execution that is over: there is no more output. */
function noMoreOutput(execution: string, from: number): WatchedOutput {
  return { execution, parts: [], skipped: 0, next: from, state: "ended" };
}
