/** The state of telemetry, as rows of a table for people. */

import { printable } from "@femtoclaw/protocol";
import type { SignalStatus } from "@femtoclaw/telemetry";
import type { TelemetryStatus } from "../process/host-status.ts";
import type { Output } from "./output.ts";

type Shown = TelemetryStatus & { readonly observability: string };

export function telemetryRows({ otlp, observability, signals, endpoints }: Shown, output: Output): string[][] {
  const sent = otlp === null ? "not sent anywhere" : `${observability} to ${printable(otlp)}`;
  return [
    ["telemetry", observability === "degraded" ? output.style("yellow", sent) : sent],
    ...signals.map((signal) => ["", signalText(signal, output)]),
    ...(endpoints.prometheus === null ? [] : [["metrics", endpoints.prometheus]]),
    ...(endpoints.health === null ? [] : [["health", `${endpoints.health}/livez and /readyz`]]),
  ];
}

function signalText({ signal, lag, rejected, problem }: SignalStatus, output: Output): string {
  const sent = lag === null ? "sent as sums" : lag === 0 ? "all sent" : `${lag} records behind`;
  const lost = rejected === 0 ? "" : output.style("red", `, ${rejected} items rejected for good`);
  const text = `${signal.padEnd(7)}  ${sent}${lost}`;
  return problem === null ? text : `${text}: ${output.style("yellow", printable(problem, 1_000))}`;
}
