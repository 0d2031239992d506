/**
 * The journal's records for OpenTelemetry and Prometheus. This is a projection: it can be dropped and rebuilt at any
 * time.
 */
export { PROMETHEUS_TYPE } from "./metrics/prometheus-text.ts";
export { type SignalStatus, Telemetry } from "./telemetry.ts";
