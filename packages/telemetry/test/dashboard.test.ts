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
  readonly targets: readonly { readonly expr: string }[];
}

const DEFINITIONS: readonly MetricDefinition[] = [...Object.values(FOLDED), ...Object.values(LIVE)];
const dashboard = JSON.parse(read("grafana-dashboard.json")) as { readonly panels: readonly Panel[] };

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
