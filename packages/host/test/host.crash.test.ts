/** Hosts are killed under load, again and again; nothing that was answered is lost, nothing is done twice. */
import { expect, test } from "vitest";
import { crashRounds } from "./crash/crash-rounds.ts";

test("kill -9 under load, eight lives on one journal", async () => {
  const report = await crashRounds({ rounds: 8 });
  // Fewer would mean that nothing was at stake.
  expect(report.acknowledged).toBeGreaterThan(100);
  expect(report.effects).toBeGreaterThan(100);
  expect(report.interrupted).toBeGreaterThan(20);
});
