/** The journal's records as OpenTelemetry and for Prometheus. A projection: it can be dropped and made again at any time. */
export { PROMETHEUS_TYPE } from "./metrics/prometheus-text.ts";
export { type SignalStatus, Telemetry } from "./telemetry.ts";
