/** Hosts are killed under load, again and again; nothing that was answered is lost, nothing is done twice. */
import { expect, test } from "vitest";
import { crashRounds } from "./crash/crash-rounds.ts";

// A little of what `npm run crash` does for as long as it is told.
test("kill -9 under load, seven lives on one journal", { timeout: 600_000 }, async () => {
  const report = await crashRounds({ rounds: 7 });
  // Fewer would mean that nothing was at stake.
  expect(report.acknowledged).toBeGreaterThan(140);
  expect(report.effects).toBeGreaterThan(140);
  expect(report.interrupted).toBeGreaterThan(28);
});
