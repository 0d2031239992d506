/** The status of a running host, which its operator endpoint makes and commands read. */
import type { OperatorClient } from "@femtoclaw/client";
import type { RuntimeStatus } from "@femtoclaw/runtime";
import type { SignalStatus } from "@femtoclaw/telemetry";
import type { EndpointUrls } from "../endpoints/observability-endpoints.ts";
import type { WebhookStatus } from "../webhook/webhook-delivery.ts";

/** The state of telemetry. */
export interface TelemetryStatus {
  /** Where telemetry is sent; null if it is sent nowhere. */
  readonly otlp: string | null;
  /** What is sent there, and how well that works. */
  readonly signals: readonly SignalStatus[];
  /** Where telemetry can be fetched. */
  readonly endpoints: EndpointUrls;
}

/** The status of the runtime, with what the host adds. The names are those of `femtoclaw status --json`. */
export interface HostStatus extends RuntimeStatus, TelemetryStatus {
  readonly agent_socket: string;
  /** By the names of the agents that have a socket of their own. */
  readonly agent_sockets: Readonly<Record<string, string>>;
  readonly operator_socket: string;
  /** The state of the webhook that is notified of questions; null if there is none. */
  readonly webhook: WebhookStatus | null;
}

/** The form is not checked, because the host is the operator's own. */
export async function hostStatus(operator: Pick<OperatorClient, "status">): Promise<HostStatus> {
  return (await operator.status()) as unknown as HostStatus;
}
