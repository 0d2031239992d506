/**
 * Reads what goes to a collector as a collector does that follows the published definitions (opentelemetry-proto 1.x in
 * its JSON form) to the letter: every field by its name and type, nothing that is not defined, nothing left out that
 * a receiver needs. It shares no code with what sends.
 */

export interface DecodedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for one that has none. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly startTimeUnixNano: bigint;
  readonly endTimeUnixNano: bigint;
  readonly status: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

export interface DecodedLog {
  readonly event: string;
  readonly severity: string;
  readonly text: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly timeUnixNano: bigint;
  readonly attributes: DecodedSpan["attributes"];
}

export interface DecodedPoint {
  readonly attributes: DecodedSpan["attributes"];
  readonly startTimeUnixNano: bigint;
  readonly timeUnixNano: bigint;
  /** Of a sum or gauge; of a histogram its count. */
  readonly value: number;
}

export interface DecodedMetric {
  readonly name: string;
  readonly unit: string;
  readonly kind: "sum" | "gauge" | "histogram";
  readonly points: readonly DecodedPoint[];
}

export interface Decoded {
  readonly spans: readonly DecodedSpan[];
  readonly logs: readonly DecodedLog[];
  readonly metrics: readonly DecodedMetric[];
}

type Value = Readonly<Record<string, unknown>>;

/** Throws where the request is none of the protocol. */
export function decodeOtlp(path: string, body: string): Decoded {
  const request = objectOf(JSON.parse(body));
  const none = { spans: [], logs: [], metrics: [] };
  switch (path) {
    case "/v1/traces":
      return { ...none, spans: grouped(request, "resourceSpans", "scopeSpans", "spans").map(spanOf) };
    case "/v1/logs":
      return { ...none, logs: grouped(request, "resourceLogs", "scopeLogs", "logRecords").map(logOf) };
    case "/v1/metrics":
      return { ...none, metrics: grouped(request, "resourceMetrics", "scopeMetrics", "metrics").map(metricOf) };
    default:
      throw new Error(`no signal is taken at ${path}`);
  }
}

function grouped(request: Value, resources: string, scopes: string, items: string): Value[] {
  only(request, [resources]);
  return listOf(request[resources]).flatMap((group) => {
    only(group, ["resource", scopes, "schemaUrl"]);
    const resource = objectOf(group["resource"]);
    only(resource, ["attributes", "droppedAttributesCount"]);
    if (attributesOf(resource["attributes"])["service.name"] !== "femtoclaw") throw new Error("it names no service");
    return listOf(group[scopes]).flatMap((scoped) => {
      only(scoped, ["scope", items, "schemaUrl"]);
      only(objectOf(scoped["scope"]), ["name", "version", "attributes", "droppedAttributesCount"]);
      return listOf(scoped[items]);
    });
  });
}

function spanOf(span: Value): DecodedSpan {
  only(span, [
    ...["traceId", "spanId", "traceState", "parentSpanId", "flags", "name", "kind", "startTimeUnixNano"],
    ...["endTimeUnixNano", "attributes", "droppedAttributesCount", "events", "droppedEventsCount", "links"],
    ...["droppedLinksCount", "status"],
  ]);
  const status = objectOf(span["status"] ?? {});
  only(status, ["message", "code"]);
  if (span["kind"] !== 1) throw new Error(`a span is of kind ${String(span["kind"])}`);
  return {
    name: textOf(span["name"]),
    traceId: idOf(span["traceId"], 16),
    spanId: idOf(span["spanId"], 8),
    parentSpanId: span["parentSpanId"] === undefined ? "" : idOf(span["parentSpanId"], 8),
    traceState: span["traceState"] === undefined ? "" : textOf(span["traceState"]),
    startTimeUnixNano: nanosOf(span["startTimeUnixNano"]),
    endTimeUnixNano: nanosOf(span["endTimeUnixNano"]),
    status: Number(status["code"] ?? 0),
    attributes: attributesOf(span["attributes"]),
  };
}

function logOf(log: Value): DecodedLog {
  only(log, [
    ...["timeUnixNano", "observedTimeUnixNano", "severityNumber", "severityText", "body", "attributes"],
    ...["droppedAttributesCount", "flags", "traceId", "spanId", "eventName"],
  ]);
  const severity = log["severityNumber"];
  if (typeof severity !== "number" || severity < 1 || severity > 24) throw new Error("a line has no severity");
  return {
    event: textOf(log["eventName"]),
    severity: textOf(log["severityText"]),
    text: String(anyOf(log["body"])),
    traceId: idOf(log["traceId"], 16),
    spanId: idOf(log["spanId"], 8),
    timeUnixNano: nanosOf(log["timeUnixNano"]),
    attributes: attributesOf(log["attributes"]),
  };
}

function metricOf(metric: Value): DecodedMetric {
  only(metric, ["name", "description", "unit", "gauge", "sum", "histogram", "metadata"]);
  const kinds = (["sum", "gauge", "histogram"] as const).filter((kind) => metric[kind] !== undefined);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) throw new Error("a metric is of one kind");
  const data = objectOf(metric[kind]);
  only(data, kind === "gauge" ? ["dataPoints"] : ["dataPoints", "aggregationTemporality", "isMonotonic"]);
  if (kind !== "gauge" && data["aggregationTemporality"] !== 2) throw new Error("a sum is not cumulative");
  const points = listOf(data["dataPoints"]).map(kind === "histogram" ? histogramOf : numberOf);
  return { name: textOf(metric["name"]), unit: textOf(metric["unit"]), kind, points };
}

function numberOf(point: Value): DecodedPoint {
  only(point, ["attributes", "startTimeUnixNano", "timeUnixNano", "asDouble", "asInt", "exemplars", "flags"]);
  const value = Number(point["asInt"] ?? point["asDouble"]);
  if (!Number.isFinite(value)) throw new Error("a point has no value");
  return { ...pointOf(point), value };
}

function histogramOf(point: Value): DecodedPoint {
  only(point, [
    ...["attributes", "startTimeUnixNano", "timeUnixNano", "count", "sum", "bucketCounts", "explicitBounds"],
    ...["exemplars", "flags", "min", "max"],
  ]);
  const counts = (point["bucketCounts"] as unknown[]).map(Number);
  const bounds = point["explicitBounds"] as number[];
  const value = Number(point["count"]);
  if (counts.length !== bounds.length + 1) throw new Error("buckets and bounds do not fit");
  if (counts.reduce((sum, count) => sum + count, 0) !== value) throw new Error("buckets and count do not fit");
  if (bounds.some((bound, index) => index > 0 && bound <= (bounds[index - 1] ?? 0))) throw new Error("bounds go back");
  return { ...pointOf(point), value };
}

function pointOf(point: Value): Omit<DecodedPoint, "value"> {
  const startTimeUnixNano = nanosOf(point["startTimeUnixNano"]);
  const timeUnixNano = nanosOf(point["timeUnixNano"]);
  if (timeUnixNano < startTimeUnixNano) throw new Error("a point ends before it began");
  return { attributes: attributesOf(point["attributes"]), startTimeUnixNano, timeUnixNano };
}

function attributesOf(value: unknown): DecodedSpan["attributes"] {
  const entries = listOf(value).map((pair): [string, string | number | boolean] => {
    only(pair, ["key", "value"]);
    return [textOf(pair["key"]), anyOf(pair["value"])];
  });
  const attributes = Object.fromEntries(entries);
  if (Object.keys(attributes).length !== entries.length) throw new Error("an attribute stands twice");
  return attributes;
}

function anyOf(value: unknown): string | number | boolean {
  const any = objectOf(value);
  const [kind = "", ...more] = Object.keys(any);
  if (more.length > 0) throw new Error("a value is of one kind");
  const held = any[kind];
  if (kind === "stringValue" && typeof held === "string") return textOf(held);
  if (kind === "boolValue" && typeof held === "boolean") return held;
  if ((kind === "intValue" || kind === "doubleValue") && Number.isFinite(Number(held))) return Number(held);
  throw new Error(`no value is a ${kind}`);
}

function idOf(value: unknown, bytes: number): string {
  if (typeof value !== "string" || !new RegExp(`^[0-9a-f]{${2 * bytes}}$`).test(value) || /^0+$/.test(value)) {
    throw new Error(`${String(value)} is no identifier of ${bytes} bytes`);
  }
  return value;
}

function nanosOf(value: unknown): bigint {
  if (typeof value !== "string" || !/^[0-9]{1,20}$/.test(value)) throw new Error(`${String(value)} is no time`);
  return BigInt(value);
}

function textOf(value: unknown): string {
  if (typeof value !== "string" || !value.isWellFormed()) throw new Error("a text is none");
  return value;
}

function listOf(value: unknown): Value[] {
  if (!Array.isArray(value)) throw new Error("a list is none");
  return value.map(objectOf);
}

function objectOf(value: unknown): Value {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Error("an object is none");
  return value as Value;
}

function only(value: Value, names: readonly string[]): void {
  const stranger = Object.keys(value).find((name) => !names.includes(name));
  if (stranger !== undefined) throw new Error(`the protocol has no field ${stranger} here`);
}
