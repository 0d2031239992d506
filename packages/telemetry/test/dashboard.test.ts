/** The dashboard and the alert rules ask for metrics and labels that there are, and Prometheus' own tool takes the rules. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { FOLDED, LIVE, type MetricDefinition } from "../src/metrics/catalogue.ts";
import { prometheusName } from "../src/metrics/prometheus-text.ts";

const FOLDER = fileURLToPath(new URL("../../../docs/guides/observability/", import.meta.url));
const read = (name: string): string => readFileSync(`${FOLDER}${name}`, "utf8");
const hasPromtool = existsSync("/usr/bin/promtool") || process.env["CI"] !== undefined;

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const DEFINITIONS: readonly MetricDefinition[] = [...Object.values(FOLDED), ...Object.values(LIVE)];
const dashboard = JSON.parse(read("grafana-dashboard.json")) as { readonly panels: readonly Panel[] };

/** By the name of a series, the labels that it has. */
const SERIES = new Map<string, readonly string[]>(
  DEFINITIONS.flatMap((definition): [string, readonly string[]][] => {
    const name = prometheusName(definition);
    const labels = definition.labels.map((label) => label.replaceAll(".", "_"));
    if (definition.kind !== "histogram") return [[name, labels]];
    return [
      [`${name}_bucket`, [...labels, "le"]],
      [`${name}_sum`, labels],
      [`${name}_count`, labels],
    ];
  }),
);
/** What Prometheus itself puts on every series. */
const SCRAPED = ["instance", "job"];

interface Query {
  readonly series: readonly string[];
  /** Labels that it selects or groups by. */
  readonly labels: readonly string[];
  /** Labels that its result has. */
  readonly left: readonly string[];
}

/** One expression, which is about one series. */
function queryOf(expr: string): Query {
  const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, names = ""]) => names.split(", "));
  const selected = [...expr.matchAll(/([a-z_]+)(?:=~|!~|!=|=)"/g)].flatMap(([, name]) => name ?? []);
  const bare = expr.replaceAll(/\bby \([^)]*\)|\{[^}]*\}|"[^"]*"/g, "");
  const series = bare.match(/\b(?:femtoclaw|gen_ai|up)[a-z_]*\b/g) ?? [];
  const isAggregated = /\b(?:sum|min|max|avg|count)\b/.test(bare);
  const own = series.flatMap((name) => SERIES.get(name) ?? []);
  return { series, labels: [...grouped, ...selected], left: isAggregated ? grouped : [...own, ...SCRAPED] };
}

/** What is wrong with an expression and with the labels that a text takes from its result. */
function faultsIn(expr: string, told: string): string[] {
  const { series, labels, left } = queryOf(expr);
  const [name = ""] = series;
  const has = [...(SERIES.get(name) ?? []), ...SCRAPED];
  const named = [...told.matchAll(/\{\{ *(?:\$labels\.)?([a-z_]+) *\}\}/g)].flatMap(([, label]) => label ?? []);
  return [
    ...(series.length === 1 && (SERIES.has(name) || name === "up") ? [] : [`series ${series.join(" ")}`]),
    ...labels.filter((label) => !has.includes(label)).map((label) => `${name} has no label ${label}`),
    ...named.filter((label) => !left.includes(label)).map((label) => `the result has no label ${label}`),
  ].map((fault) => `${fault}: ${expr}`);
}

/** Every series and label that a text of PromQL names. */
function unknownIn(text: string): string[] {
  const series = new Set(
    DEFINITIONS.flatMap((definition) => {
      const name = prometheusName(definition);
      return definition.kind === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
    }),
  );
  const labels = new Set(DEFINITIONS.flatMap(({ labels: names }) => names.map((name) => name.replaceAll(".", "_"))));
  const named = text.match(/\b(?:femtoclaw|gen_ai|error)_[a-z_]+/g) ?? [];
  return named.filter((name) => !series.has(name) && !labels.has(name));
}

test("every metric has a name and labels of its own", () => {
  const names = DEFINITIONS.map(prometheusName);
  expect(new Set(names).size).toBe(names.length);
  for (const { labels, values } of DEFINITIONS) {
    expect(new Set(labels).size).toBe(labels.length);
    if (values !== undefined) expect(labels).toHaveLength(1);
  }
});

describe("the dashboard", () => {
  test("asks for what there is", () => {
    expect(dashboard.panels.length).toBeGreaterThan(15);
    expect(unknownIn(JSON.stringify(dashboard))).toEqual([]);
    expect(unknownIn("rate(femtoclaw_nothing_total[5m])")).toEqual(["femtoclaw_nothing_total"]);
  });

  test("asks each series for labels that it has, and names what its result is grouped by", () => {
    const targets = dashboard.panels.flatMap((panel) => panel.targets);
    expect(targets.flatMap(({ expr, legendFormat }) => faultsIn(expr, legendFormat))).toEqual([]);
    // A label of another metric, one that was summed away, and a series that is none.
    expect(faultsIn("sum by (error_type) (femtoclaw_ready)", "{{error_type}}")).toHaveLength(1);
    expect(faultsIn('sum(femtoclaw_ready{le="1"})', "{{instance}}")).toHaveLength(2);
    expect(faultsIn("rate(femtoclaw_denials[1m])", "")).toHaveLength(1);
  });

  test("has panels that do not lie on each other or beside the page", () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)}/${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
  });
});

describe("the alert rules", () => {
  test("ask for what there is", () => {
    expect(unknownIn(read("alerts.yml"))).toEqual([]);
    const rules = read("alerts.yml")
      .split(/^ {6}- alert: /m)
      .slice(1);
    expect(rules.length).toBeGreaterThan(10);
    const faults = rules.flatMap((rule) => faultsIn(/^ {8}expr: (.+)$/m.exec(rule)?.[1] ?? "", rule));
    expect(faults).toEqual([]);
  });

  test.runIf(hasPromtool)("are rules, hold their tests, and so are the queries of the dashboard", () => {
    const promtool = (...args: string[]): string =>
      execFileSync("/usr/bin/promtool", args, { cwd: FOLDER, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
    expect(promtool("check", "rules", "alerts.yml")).toMatch(/SUCCESS: \d+ rules found/);
    expect(promtool("test", "rules", "alerts.test.yml")).toContain("SUCCESS");
    expect(promtool("check", "config", "prometheus.yml")).toContain("SUCCESS");
    const queries = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const rules = queries.map((expr, index) => ({
      record: `query:${index}`,
      expr: expr.replaceAll("$__rate_interval", "1m").replaceAll("$instance", ".*"),
    }));
    const folder = mkdtempSync("/tmp/ft-");
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "dashboard.yml"), JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
    const checked = promtool("check", "rules", join(folder, "dashboard.yml"));
    expect(checked).toContain(`SUCCESS: ${queries.length} rules found`);
  });
});
