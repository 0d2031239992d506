/** What an operator may ask. This endpoint is never visible in a sandbox, and an agent never gets it. */

import { isAbsolute } from "node:path";
import type { ReloadAnswer } from "@femtoclaw/client";
import type { Runtime } from "@femtoclaw/runtime/live";
import type { SignalStatus } from "@femtoclaw/telemetry";
import type { HostSockets } from "../host-process.ts";
import type { WebhookStatus } from "../webhook/webhook-delivery.ts";
import { approvalVerbs } from "./approval-verbs.ts";
import { auditVerbs, recordVerbs } from "./audit-verbs.ts";
import { executionVerbs } from "./execution-verbs.ts";
import type { LaunchVerbs } from "./launch-verbs.ts";
import type { EndpointUrls } from "./observability-endpoints.ts";
import { packageVerbs } from "./package-verbs.ts";
import { invalid, isCount, refuseUnknown } from "./request-fields.ts";
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
const lookingBack = () => import("@femtoclaw/runtime");

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

function policyVerbs(runtime: Runtime, reload: OperatorParts["reload"]): ConnectionHandlers["verbs"] {
  return {
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
  };
}

/** Another log, or a state, as of an earlier record. */
function historyVerbs(runtime: Runtime): ConnectionHandlers["verbs"] {
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
      const { replay } = await lookingBack();
      const replayed = await replay(runtime.reader, to === undefined ? {} : { to });
      const { projection, from, snapshotsEqual: snapshots_equal } = replayed;
      return { records: projection.size, from, snapshots_equal, actors: projection.snapshot() };
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

/** Who has this socket is the user whom the host runs as. */
function operatorName(): string {
  return `uid:${process.getuid?.() ?? 0}`;
}
