/** Turns spans, log lines and metrics into data of the OpenTelemetry SDK, and into the JSON sent to a collector. */

import { VERSION } from "@femtoclaw/protocol";
import {
  type Attributes,
  type Context,
  createTraceState,
  ROOT_CONTEXT,
  SeverityNumber,
  SpanStatusCode,
  TraceFlags,
  trace,
  ValueType,
} from "@opentelemetry/api";
import {
  type ISerializer,
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
} from "@opentelemetry/otlp-transformer";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import { AggregationTemporality, type DataPoint, DataPointType, type MetricData } from "@opentelemetry/sdk-metrics";
import { type ReadableSpan, type SpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { SCHEMA_URL, SERVICE } from "./conventions.ts";
import type { LogFacts, Severity } from "./log-facts.ts";
import { BOUNDS_US, type MetricDefinition } from "./metrics/catalogue.ts";
import type { Collected, Family } from "./metrics/metrics.ts";
import type { Histogram, Point } from "./metrics/series.ts";
import { timeOf, told } from "./record-identity.ts";
import type { Payload } from "./record-sender.ts";
import type { SpanFacts } from "./span-facts.ts";

/** Who tells: the log that the records are of. So a collector tells hosts apart, and a host that starts anew is one. */
const resourceOf = (log: string): Resource =>
  resourceFromAttributes({ "service.name": SERVICE, "service.version": VERSION, "service.instance.id": told(log) });

const scope = { name: SERVICE, version: VERSION, schemaUrl: SCHEMA_URL };

/** Makes finished spans with identifiers of our own, for which the SDK asks while a span starts. */
export class SpanFactory {
  readonly #finished: ReadableSpan[] = [];
  readonly #tracer;
  #next: SpanFacts | null = null;

  constructor(log: string) {
    // Not a processor of the SDK, because its batching ones drop spans that come faster than they can send.
    const collector: SpanProcessor = {
      onStart: () => undefined,
      onEnd: (span) => {
        this.#finished.push(span);
      },
      forceFlush: async () => undefined,
      shutdown: async () => undefined,
    };
    const provider = new TracerProvider({
      resource: resourceOf(log),
      idGenerator: {
        generateTraceId: () => this.#next?.traceId ?? "",
        generateSpanId: () => this.#next?.spanId ?? "",
      },
      spanProcessors: [collector],
    });
    this.#tracer = provider.getTracer(scope.name, scope.version, { schemaUrl: scope.schemaUrl });
  }

  payload(facts: readonly SpanFacts[]): Payload | null {
    for (const fact of facts) {
      this.#next = fact;
      const options = { startTime: timeOf(fact.startUs), attributes: fact.attributes };
      const span = this.#tracer.startSpan(fact.name, options, contextOf(fact));
      if (fact.failed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(timeOf(fact.endUs));
    }
    return serialized(JsonTraceSerializer, this.#finished.splice(0), facts.length);
  }
}

/** INVARIANT: I7: a span is exported even if its remote parent is marked as not sampled. */
function contextOf({ traceId, parent }: SpanFacts): Context {
  if (parent === null) return ROOT_CONTEXT;
  const { spanId, state } = parent;
  const traceState = state === undefined ? {} : { traceState: createTraceState(state) };
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
    ...traceState,
  });
}

const SEVERITIES: Readonly<Record<Severity, SeverityNumber>> = {
  INFO: SeverityNumber.INFO,
  WARN: SeverityNumber.WARN,
  ERROR: SeverityNumber.ERROR,
};

export function logsPayload(facts: readonly LogFacts[], log: string): Payload | null {
  const resource = resourceOf(log);
  const records = facts.map(({ event, severity, text, timeUs, traceId, spanId, attributes }): ReadableLogRecord => {
    const time = timeOf(timeUs);
    return {
      hrTime: time,
      hrTimeObserved: time,
      spanContext: { traceId, spanId, traceFlags: TraceFlags.SAMPLED },
      severityText: severity,
      severityNumber: SEVERITIES[severity],
      body: text,
      eventName: event,
      resource,
      instrumentationScope: scope,
      attributes,
      droppedAttributesCount: 0,
    };
  });
  return serialized(JsonLogsSerializer, records, records.length);
}

export function metricsPayload({ families, nowUs, log }: Collected): Payload | null {
  const metrics = families.filter(({ points }) => points.length > 0).map((family) => metricData(family, nowUs));
  const count = families.reduce((sum, { points }) => sum + points.length, 0);
  return serialized(JsonMetricsSerializer, { resource: resourceOf(log), scopeMetrics: [{ scope, metrics }] }, count);
}

function metricData({ definition, points, startUs }: Family, nowUs: number): MetricData {
  const { name, help: description, unit, kind } = definition;
  const valueType = kind === "gauge" && unit === "s" ? ValueType.DOUBLE : ValueType.INT;
  const common = { aggregationTemporality: AggregationTemporality.CUMULATIVE };
  const as = <T, U>({ labels, value }: Point<T>, mapped: (value: T) => U): DataPoint<U> => {
    return {
      startTime: timeOf(startUs),
      endTime: timeOf(nowUs),
      attributes: attributesOf(definition, labels),
      value: mapped(value),
    };
  };
  const descriptor = { name, description, unit, valueType };
  if (kind === "histogram") {
    const dataPoints = (points as readonly Point<Histogram>[]).map((point) => as(point, histogramValue));
    const histogram = { ...descriptor, valueType: ValueType.DOUBLE };
    return { ...common, descriptor: histogram, dataPointType: DataPointType.HISTOGRAM, dataPoints };
  }
  const dataPoints = (points as readonly Point<number>[]).map((point) => as(point, (value) => value));
  if (kind === "gauge") return { ...common, descriptor, dataPointType: DataPointType.GAUGE, dataPoints };
  return { ...common, descriptor, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints };
}

function histogramValue({ buckets, count, sumUs }: Histogram) {
  const boundaries = BOUNDS_US.map((bound) => bound / 1_000_000);
  return { buckets: { boundaries, counts: [...buckets] }, count, sum: sumUs / 1_000_000 };
}

function attributesOf({ labels: names }: MetricDefinition, values: readonly string[]): Attributes {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""]));
}

function serialized<T>({ serializeRequest }: ISerializer<T, unknown>, items: T, count: number): Payload | null {
  if (count === 0) return null;
  const body = serializeRequest(items);
  if (body === undefined) throw new Error("the SDK made nothing of what there is to tell");
  return { body, count };
}
