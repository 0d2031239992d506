/** The clock of this machine, wherever somebody has set it to. */
import { afterEach, expect, test, vi } from "vitest";
import { systemClock } from "../src/index.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Sets the wall clock of this process alone; its counter goes on. */
const set = (nowMs: number): void => void vi.spyOn(Date, "now").mockReturnValue(nowMs);

test.each([
  ["before 1970", "1966-12-12T17:44:43Z", "1970-01-01T00:00:00.000Z"],
  ["behind all that can be counted", "+010000-01-01T00:00:00Z", "2255-06-05T23:47:34.740Z"],
])("that was set to a time %s tells the nearest one that a record can hold", (_, text, told) => {
  set(Date.parse(text));
  const nowUs = systemClock().nowUs();
  expect(Number.isSafeInteger(nowUs) && nowUs >= 0).toBe(true);
  expect(new Date(nowUs / 1_000).toISOString()).toBe(told);
});

test.each([
  ["forward, or the machine slept", 8 * 3_600_000],
  ["back", -3_600_000],
])("that is set %s while a host runs is followed, and changes nothing of what has passed", (_, byMs) => {
  const clock = systemClock();
  const [wasMs, passedUs] = [Date.now(), clock.monotonicUs()];
  expect(Math.abs(clock.nowUs() / 1_000 - wasMs)).toBeLessThan(1_000);
  set(wasMs + byMs);
  expect(Math.abs(clock.nowUs() / 1_000 - (wasMs + byMs))).toBeLessThanOrEqual(51);
  expect(clock.monotonicUs() - passedUs).toBeLessThan(3_000_000);
});

test("is finer than the wall clock", () => {
  const clock = systemClock();
  const times = Array.from({ length: 1_000 }, () => clock.nowUs());
  expect(times.some((us) => us % 1_000 !== 0)).toBe(true);
});
