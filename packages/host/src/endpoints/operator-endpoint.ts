/** What an operator may ask. This endpoint is never visible in a sandbox, and an agent never gets it. */

import { isAbsolute } from "node:path";
import type { Halt, OperatorVerb, ReloadAnswer } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime/live";
import type { HostSockets } from "../process/host-process.ts";
import type { TelemetryStatus } from "../process/host-status.ts";
import type { WebhookStatus } from "../webhook/webhook-delivery.ts";
import { approvalVerbs } from "./approval-verbs.ts";
import { auditVerbs, recordVerbs } from "./audit-verbs.ts";
import { executionVerbs } from "./execution-verbs.ts";
import type { LaunchVerbs } from "./launch-verbs.ts";
import { packageVerbs } from "./package-verbs.ts";
import { invalid, isCount, refuseUnknown } from "./request-fields.ts";
import { secretVerbs } from "./secret-verbs.ts";
import { terminalVerbs } from "./terminal-verbs.ts";
import { upstreamVerbs } from "./upstream-verbs.ts";
import type { ConnectionHandlers, Handler, OperatorHandlers, OperatorVerbs } from "./verb-handlers.ts";

export interface OperatorParts {
  readonly runtime: Runtime;
  readonly sockets: HostSockets;
  telemetryStatus(): TelemetryStatus;
  /** The state of the webhook that is notified of questions; null if there is none. */
  webhookStatus(): WebhookStatus | null;
  readonly launches: LaunchVerbs;
  /** Begins to stop the host. The answer to the request goes out first. */
  stop(now: boolean): void;
  /** Puts the policy of the present configuration in force. */
  reload(by: string): Promise<ReloadAnswer>;
}

export function operatorHandlers({
  runtime,
  sockets,
  telemetryStatus,
  webhookStatus,
  launches,
  stop,
  reload,
}: OperatorParts): ConnectionHandlers & { readonly verbs: OperatorHandlers<OperatorVerb> } {
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
      "capabilities.enable": switchVerb(runtime, { enabled: true }),
      "capabilities.disable": switchVerb(runtime, { enabled: false }),
      ...packageVerbs(runtime, operatorName),
      ...executionVerbs(runtime, operatorName),
      ...approvalVerbs(runtime, { operatorName, left: leaving.signal }),
      ...secretVerbs(runtime, operatorName),
      ...terminalVerbs(runtime),
      ...upstreamVerbs(runtime, operatorName),
      ...auditVerbs(runtime, operatorName),
      ...recordVerbs(runtime, leaving.signal),
      ...policyVerbs(runtime, reload),
      ...historyVerbs(runtime),
    },
  };
}

function policyVerbs(runtime: Runtime, reload: OperatorParts["reload"]): OperatorVerbs<"policy"> {
  return {
    "policy.show": (fields) => {
      refuseUnknown(fields);
      return runtime.policy;
    },
    "policy.decision": async ({ ref, ...rest }) => {
      refuseUnknown(rest);
      if (typeof ref !== "string") throw invalid("`ref` must be a string");
      // The modules that look back at a log are a tenth of all modules of a host, so no start waits for them.
      const { recordedDecision } = await import("@femtoclaw/runtime/redecide");
      return await recordedDecision(runtime.reader, ref);
    },
    "policy.reload": (fields) => {
      refuseUnknown(fields);
      return reload(operatorName());
    },
  };
}

/** Verbs that make another log, or compute a state, as of an earlier record. */
function historyVerbs(runtime: Runtime): OperatorHandlers<"fork" | "replay"> {
  return {
    fork: ({ seq, out, ...rest }) => {
      refuseUnknown(rest);
      if (!isCount(seq)) throw invalid("`seq` must be a sequence number");
      if (typeof out !== "string" || !isAbsolute(out)) throw invalid("`out` must be an absolute path");
      return runtime.fork(seq, out);
    },
    replay: async ({ to, ...rest }) => {
      refuseUnknown(rest);
      if (to !== undefined && !isCount(to)) throw invalid("`to` must be a sequence number");
      const { replay } = await import("@femtoclaw/runtime");
      const replayed = await replay(runtime.reader, to === undefined ? {} : { to });
      const { projection, from, snapshotsEqual: snapshots_equal } = replayed;
      return { records: projection.size, from, snapshots_equal, actors: projection.snapshot() };
    },
  };
}

function switchVerb(runtime: Runtime, { enabled }: { readonly enabled: boolean }): Handler<null> {
  return async ({ name, ...rest }) => {
    if (typeof name !== "string") throw invalid("`name` must be a string");
    refuseUnknown(rest);
    await runtime.switchCapability({ name, enabled, by: operatorName() });
    return null;
  };
}

function haltVerb(runtime: Runtime): Handler<Halt> {
  return async ({ session, reason, ...rest }) => {
    refuseUnknown(rest);
    if (typeof session !== "string") throw invalid("`session` must be a string");
    if (reason !== undefined && typeof reason !== "string") throw invalid("`reason` must be a string");
    return await runtime.haltSession({ session, by: operatorName(), ...(reason === undefined ? {} : { reason }) });
  };
}

/** The operator's name in records. A client of this socket counts as the user that the host runs as. */
function operatorName(): string {
  return `uid:${process.getuid?.() ?? 0}`;
}
