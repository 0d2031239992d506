/** Two outages of the collector and one kill of the host lose no span, no line and no count. */
import { expect, test } from "vitest";
import { outages } from "./outages.ts";

test("everything arrives, and what arrives twice is the same", async () => {
  const report = await outages({ executions: 400 });
  expect(report.executions).toBeGreaterThanOrEqual(300);
  expect(report.denied).toBeGreaterThan(20);
  expect(report.counted).toBe(report.executions);
});
