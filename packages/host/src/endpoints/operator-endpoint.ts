/** What an operator may ask. This endpoint is never visible in a sandbox, and an agent never gets it. */

import { isAbsolute } from "node:path";
import type { ReloadAnswer } from "@femtoclaw/client";
import { FemtoError, LIMITS } from "@femtoclaw/protocol";
import type { PruneRequest } from "@femtoclaw/runtime";
import { listExecutions, notFound, type Runtime, showExecution } from "@femtoclaw/runtime/live";
import type { SignalStatus } from "@femtoclaw/telemetry";
import type { HostSockets } from "../host-process.ts";
import { eraseValues } from "../retention.ts";
import type { WebhookStatus } from "../webhook/webhook-delivery.ts";
import { approvalVerbs } from "./approval-verbs.ts";
import type { LaunchVerbs } from "./launch-verbs.ts";
import { followLogVerb } from "./log-verb.ts";
import type { EndpointUrls } from "./observability-endpoints.ts";
import { noMoreOutput, watchRequest } from "./output-verb.ts";
import { packageVerbs } from "./package-verbs.ts";
import { recordVerbs } from "./record-verb.ts";
import { invalid, refuseUnknown } from "./request-fields.ts";
import { secretVerbs } from "./secret-verbs.ts";
import type { ConnectionHandlers } from "./socket-server.ts";
import { terminalVerbs } from "./terminal-verbs.ts";
import { upstreamVerbs } from "./upstream-verbs.ts";

/** How it goes with telemetry. */
export interface TelemetryStatus {
  /** Where it is sent; null when it is sent nowhere. */
  readonly otlp: string | null;
  /** What is sent there, and how that goes. */
  readonly signals: readonly SignalStatus[];
  /** Where it can be asked for. */
  readonly endpoints: EndpointUrls;
}

export interface OperatorParts {
  readonly runtime: Runtime;
  readonly sockets: HostSockets;
  telemetryStatus(): TelemetryStatus;
  /** How it goes with telling somebody of questions; null where nobody is told. */
  webhookStatus(): WebhookStatus | null;
  readonly launches: LaunchVerbs;
  /** Begins the end of the host; the answer goes out first. */
  stop(now: boolean): void;
  /** Puts the policy in force that the configuration has by now. */
  reload(by: string): Promise<ReloadAnswer>;
}

/** What looks back at a whole log is a tenth of a host's modules, and no start waits for them. */
const logAccess = () => import("../log-access.ts");
const lookingBack = () => import("@femtoclaw/runtime");

/** LIMIT: executions in one answer. */
const LISTED_MAX = 10_000;

export function operatorHandlers({
  runtime,
  sockets,
  telemetryStatus,
  webhookStatus,
  launches,
  stop,
  reload,
}: OperatorParts): ConnectionHandlers {
  const switchCapability = async ({ name, ...rest }: Readonly<Record<string, unknown>>, enable: boolean) => {
    if (typeof name !== "string") throw invalid("`name` must be a string");
    refuseUnknown(rest);
    await runtime.switchCapability(name, enable, operatorName());
    return null;
  };
  const launch = launches.handlers();
  const leaving = new AbortController();
  const left = (): void => {
    launch.onLeaving();
    leaving.abort();
  };
  return {
    onLeaving: left,
    onClosed: left,
    verbs: {
      ...launch.verbs,
      status: (fields) => {
        refuseUnknown(fields);
        const { agent, operator, agents } = sockets;
        const paths = { agent_socket: agent, operator_socket: operator, agent_sockets: agents };
        return { ...runtime.status(), ...paths, ...telemetryStatus(), webhook: webhookStatus() };
      },
      stop: ({ now, ...rest }) => {
        if (now !== undefined && typeof now !== "boolean") throw invalid("`now` must be true or false");
        refuseUnknown(rest);
        stop(now === true);
        return null;
      },
      "sessions.halt": haltVerb(runtime),
      "capabilities.list": (fields) => {
        refuseUnknown(fields);
        return [...runtime.capabilities(), ...runtime.upstreams.capabilities()];
      },
      "capabilities.enable": (fields) => switchCapability(fields, true),
      "capabilities.disable": (fields) => switchCapability(fields, false),
      ...packageVerbs(runtime, operatorName),
      "executions.list": ({ limit, status, session, ...rest }) => {
        refuseUnknown(rest);
        if (!isCount(limit, LISTED_MAX)) throw invalid(`\`limit\` must be an integer from 1 to ${LISTED_MAX}`);
        if (status !== undefined && typeof status !== "string") throw invalid("`status` must be a string");
        if (session !== undefined && typeof session !== "string") throw invalid("`session` must be a string");
        return listExecutions(runtime.reader, {
          limit,
          ...(status === undefined ? {} : { status }),
          ...(session === undefined ? {} : { session }),
        });
      },
      "executions.show": async ({ execution, ...rest }) => {
        refuseUnknown(rest);
        if (typeof execution !== "string") throw invalid("`execution` must be a string");
        const shown = await showExecution(runtime.reader, execution);
        if (shown !== null) return { ...shown.view, records: shown.records };
        throw await notFound(runtime.reader, execution);
      },
      "executions.watch": watchVerb(runtime),
      ...aftermathVerbs(runtime),
      ...approvalVerbs(runtime, { operatorName, left: leaving.signal }),
      ...secretVerbs(runtime, operatorName),
      ...{ ...terminalVerbs(runtime), ...upstreamVerbs(runtime, operatorName), ...auditVerbs(runtime) },
      ...recordVerbs(runtime, leaving.signal),
      "policy.show": (fields) => {
        refuseUnknown(fields);
        return runtime.policy;
      },
      "policy.decision": async ({ ref, ...rest }) => {
        refuseUnknown(rest);
        if (typeof ref !== "string") throw invalid("`ref` must be a string");
        const { recordedDecision } = await lookingBack();
        return await recordedDecision(runtime.reader, ref);
      },
      "policy.reload": (fields) => {
        refuseUnknown(fields);
        return reload(operatorName());
      },
      ...historyVerbs(runtime),
    },
  };
}

/** Another log, or a state, as of an earlier record. */
function historyVerbs(runtime: Runtime): ConnectionHandlers["verbs"] {
  return {
    fork: ({ seq, out, ...rest }) => {
      refuseUnknown(rest);
      if (seq !== 0 && !isCount(seq, Number.MAX_SAFE_INTEGER)) throw invalid("`seq` must be a sequence number");
      if (typeof out !== "string" || !isAbsolute(out)) throw invalid("`out` must be an absolute path");
      return runtime.fork(Number(seq), out);
    },
    replay: async ({ to, ...rest }) => {
      refuseUnknown(rest);
      if (to !== undefined && to !== 0 && !isCount(to, Number.MAX_SAFE_INTEGER)) {
        throw invalid("`to` must be a sequence number");
      }
      const { replay } = await lookingBack();
      const replayed = await replay(runtime.reader, to === undefined ? {} : { to: Number(to) });
      const { projection, from, snapshotsEqual: snapshots_equal } = replayed;
      return { records: projection.size, from, snapshots_equal, actors: projection.snapshot() };
    },
  };
}

function watchVerb(runtime: Runtime): ConnectionHandlers["verbs"][string] {
  return async ({ execution, ...fields }) => {
    if (typeof execution !== "string") throw invalid("`execution` must be a string");
    const [watch, rest] = watchRequest(execution, fields);
    refuseUnknown(rest);
    try {
      return await runtime.outputs.watch(watch);
    } catch (error) {
      const isGone = error instanceof FemtoError && error.code === "FEMTO_EXECUTION_NOT_FOUND";
      const known = isGone ? await showExecution(runtime.reader, execution) : null;
      // What the journal knows and nobody runs has ended; its outcome is in the journal.
      if (known !== null && known.view.status !== "pending") return noMoreOutput(execution, watch.from);
      throw isGone && known === null ? await notFound(runtime.reader, execution) : error;
    }
  };
}

/** What an operator does about executions that have ended. */
function aftermathVerbs(runtime: Runtime): ConnectionHandlers["verbs"] {
  return {
    "executions.resolve": async ({ execution, resolution, reason, ...rest }) => {
      refuseUnknown(rest);
      if (typeof execution !== "string") throw invalid("`execution` must be a string");
      if (resolution !== "done" && resolution !== "not-done")
        throw invalid('`resolution` must be "done" or "not-done"');
      if (typeof reason !== "string") throw invalid("`reason` must be a string");
      return { seq: await runtime.resolveExecution({ execution, resolution, reason, by: operatorName() }) };
    },
    "executions.undo": async ({ execution, ...rest }) => {
      refuseUnknown(rest);
      if (typeof execution !== "string") throw invalid("`execution` must be a string");
      return await runtime.undo(execution);
    },
  };
}

function haltVerb(runtime: Runtime): ConnectionHandlers["verbs"][string] {
  return async ({ session, reason, ...rest }) => {
    refuseUnknown(rest);
    if (typeof session !== "string") throw invalid("`session` must be a string");
    if (reason !== undefined && typeof reason !== "string") throw invalid("`reason` must be a string");
    return await runtime.haltSession({ session, by: operatorName(), ...(reason === undefined ? {} : { reason }) });
  };
}

function auditVerbs(runtime: Runtime): ConnectionHandlers["verbs"] {
  return {
    "audit.prove": async ({ ref, ...rest }) => {
      refuseUnknown(rest);
      if (typeof ref !== "string") throw invalid("`ref` must be a string");
      // The newest checkpoint covers everything that is durable now, so that any record can be proved.
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
      return await eraseValues(runtime, request, operatorName());
    },
    "audit.prune": async ({ before, older_than_ms, sure, ...rest }) => {
      refuseUnknown(rest);
      if (typeof sure !== "boolean") throw invalid("`sure` must be true or false");
      const request = pruneRequest(before, older_than_ms);
      const { retention } = runtime;
      return sure ? await retention.prune(request, operatorName()) : await retention.planPruning(request);
    },
    "audit.export": async ({ format, out, values, ...rest }) => {
      refuseUnknown(rest);
      if (values !== undefined && typeof values !== "boolean") throw invalid("`values` must be true or false");
      const { EXPORT_FORMATS, exportAs } = await logAccess();
      const known = EXPORT_FORMATS.find((name) => name === format);
      if (known === undefined) throw invalid(`\`format\` must be one of ${EXPORT_FORMATS.join(", ")}`);
      if (typeof out !== "string" || !isAbsolute(out)) throw invalid("`out` must be an absolute path");
      await runtime.checkpoint();
      return await exportAs(runtime.reader, known, out, values === true);
    },
  };
}

function pruneRequest(before: unknown, olderThanMs: unknown): PruneRequest {
  const numbers = [before, olderThanMs].filter((value) => isCount(value, Number.MAX_SAFE_INTEGER));
  const [first] = numbers;
  if (first === undefined || numbers.length !== 1)
    throw invalid("one of `before` and `older_than_ms` must be a number");
  return { before: before === undefined ? { olderThanMs: Number(first) } : Number(first) };
}

/** Who has this socket is the user whom the host runs as. */
function operatorName(): string {
  return `uid:${process.getuid?.() ?? 0}`;
}

function isCount(value: unknown, max: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1 && value <= max;
}
