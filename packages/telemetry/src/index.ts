/** The journal's records as OpenTelemetry. A projection: it can be dropped and sent again at any time. */
export { type ExportSource, OtlpExporter } from "./otlp-exporter.ts";
