/** Metrics in the text format of Prometheus, version 0.0.4. */
import { BOUNDS_US, type MetricDefinition } from "./catalogue.ts";
import type { Collected, Family } from "./metrics.ts";
import type { Histogram, Point } from "./series.ts";

export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const UNITS: Readonly<Record<string, string>> = { s: "_seconds", By: "_bytes" };

export function prometheusText({ families }: Collected): string {
  return families.map(familyText).join("");
}

/** The Prometheus name of a metric, which includes its unit and `_total` for a counter. */
export function prometheusName({ name, kind, unit }: MetricDefinition): string {
  return `${name.replaceAll(".", "_")}${UNITS[unit] ?? ""}${kind === "counter" ? "_total" : ""}`;
}

function familyText({ definition, points }: Family): string {
  const name = prometheusName(definition);
  const head = `# HELP ${name} ${escapedHelp(definition.help)}\n# TYPE ${name} ${definition.kind}\n`;
  if (definition.kind === "histogram") {
    return head + (points as readonly Point<Histogram>[]).map((point) => histogramText(definition, point)).join("");
  }
  const numbers = points as readonly Point<number>[];
  return head + numbers.map(({ labels, value }) => line(name, pairs(definition, labels), value)).join("");
}

function histogramText(definition: MetricDefinition, { labels, value }: Point<Histogram>): string {
  const name = prometheusName(definition);
  const own = pairs(definition, labels);
  let below = 0;
  const buckets = value.buckets.map((amount, index) => {
    below += amount;
    const bound = BOUNDS_US[index];
    const le = bound === undefined ? "+Inf" : String(bound / 1_000_000);
    return line(`${name}_bucket`, [...own, `le="${le}"`], below);
  });
  return [...buckets, line(`${name}_sum`, own, value.sumUs / 1_000_000), line(`${name}_count`, own, value.count)].join(
    "",
  );
}

function pairs({ labels: names }: MetricDefinition, values: readonly string[]): string[] {
  return names.map((name, index) => `${name.replaceAll(".", "_")}="${escapedLabel(values[index] ?? "")}"`);
}

function line(name: string, labels: readonly string[], value: number): string {
  return `${name}${labels.length === 0 ? "" : `{${labels.join(",")}}`} ${value}\n`;
}

/** INVARIANT: no value can end its label or its line. */
function escapedLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function escapedHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
