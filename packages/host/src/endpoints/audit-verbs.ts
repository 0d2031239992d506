/** What an operator may ask about the log: its records, proofs, checkpoints, keys and exports, and removal from it. */
import { isAbsolute } from "node:path";
import { LIMITS } from "@femtoclaw/protocol";
import type { PruneRequest } from "@femtoclaw/runtime";
import type { Runtime } from "@femtoclaw/runtime/live";
import { followLogVerb } from "./log-verb.ts";
import { invalid, isCount, isPositive, refuseUnknown, waitedMs } from "./request-fields.ts";
import type { OperatorHandlers, OperatorVerbs } from "./verb-handlers.ts";

/** The modules that look back at a whole log are a tenth of all modules of a host, so no start waits for them. */
const logAccess = () => import("../log/log-access.ts");

export function auditVerbs(
  runtime: Runtime,
  by: () => string,
): OperatorVerbs<"audit" | "keys"> & OperatorHandlers<"log.follow"> {
  return {
    "audit.prove": async ({ ref, ...rest }) => {
      refuseUnknown(rest);
      if (typeof ref !== "string") throw invalid("`ref` must be a string");
      // A new checkpoint covers everything that is durable now, so that any record can be proved.
      await runtime.checkpoint();
      const { proveRecord } = await logAccess();
      const { seq, proof, record } = await proveRecord(runtime.reader, ref);
      return { seq, proof, record: record?.toString("base64") ?? null };
    },
    "audit.checkpoint": (fields) => {
      refuseUnknown(fields);
      return runtime.checkpoint();
    },
    "audit.checkpoints": (fields) => {
      refuseUnknown(fields);
      return runtime.reader.checkpoints();
    },
    "log.follow": followLogVerb(runtime),
    "keys.show": async (fields) => {
      refuseUnknown(fields);
      const { keysOf } = await logAccess();
      return await keysOf(runtime.reader);
    },
    "keys.rotate": (fields) => {
      refuseUnknown(fields);
      return runtime.rotateKey();
    },
    "audit.erase": async ({ ref, field, reason, ...rest }) => {
      refuseUnknown(rest);
      if (typeof ref !== "string") throw invalid("`ref` must be a string");
      if (field !== undefined && typeof field !== "string") throw invalid("`field` must be a JSON pointer");
      if (typeof reason !== "string" || reason === "" || reason.length > LIMITS.reasonChars) {
        throw invalid(`\`reason\` must have 1 to ${LIMITS.reasonChars} characters`);
      }
      const request = { ref, reason, ...(field === undefined ? {} : { field }) };
      const { eraseValues } = await import("../log/retention.ts");
      return await eraseValues(runtime, request, by());
    },
    "audit.prune": async ({ before, older_than_ms, sure, ...rest }) => {
      refuseUnknown(rest);
      if (typeof sure !== "boolean") throw invalid("`sure` must be true or false");
      const request = pruneRequest(before, older_than_ms);
      const { retention } = runtime;
      return sure ? await retention.prune(request, by()) : await retention.planPruning(request);
    },
    "audit.export": async ({ format, out, values, ...rest }) => {
      refuseUnknown(rest);
      if (values !== undefined && typeof values !== "boolean") throw invalid("`values` must be true or false");
      const { EXPORT_FORMATS, exportAs } = await logAccess();
      const known = EXPORT_FORMATS.find((name) => name === format);
      if (known === undefined) throw invalid(`\`format\` must be one of ${EXPORT_FORMATS.join(", ")}`);
      if (typeof out !== "string" || !isAbsolute(out)) throw invalid("`out` must be an absolute path");
      await runtime.checkpoint();
      return await exportAs(runtime.reader, { format: known, out, values: values === true });
    },
  };
}

/** INVARIANT: an age is never taken for the number of a record, whatever else the request says. */
function pruneRequest(before: unknown, olderThanMs: unknown): PruneRequest {
  if (isPositive(before) && olderThanMs === undefined) return { before };
  if (isPositive(olderThanMs) && before === undefined) return { before: { olderThanMs } };
  throw invalid("one of `before` and `older_than_ms`, and not the other, must be an integer of at least 1");
}

/** Loaded only when somebody inspects the log, because a start needs no charts. */
async function pagesOf({ reader }: Runtime) {
  const { RecordPages } = await import("@femtoclaw/inspector/record-pages");
  return new RecordPages(reader);
}

/**
 * How the inspector reads on: one bounded page of records at a time, from a number that it names. While there is no
 * such record, the request waits. `left` is aborted when the client of the connection asks nothing any more.
 */
export function recordVerbs(runtime: Runtime, left: AbortSignal): OperatorHandlers<"log.records" | "log.summary"> {
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
