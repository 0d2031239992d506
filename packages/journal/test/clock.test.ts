/** The clock of this machine, wherever somebody has set it to. */
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../src/index.ts";

const real = Object.getOwnPropertyDescriptor(performance, "timeOrigin");
afterEach(() => {
  Reflect.deleteProperty(performance, "timeOrigin");
  if (real !== undefined) Object.defineProperty(performance, "timeOrigin", real);
});

test.each([
  ["before 1970", "1966-12-12T17:44:43Z", "1970-01-01T00:00:00.000Z"],
  ["behind all that can be counted", "+010000-01-01T00:00:00Z", "2255-06-05T23:47:34.740Z"],
])("that was set to a time %s tells the nearest one that a record can hold", (_, set, told) => {
  Object.defineProperty(performance, "timeOrigin", { configurable: true, value: Date.parse(set) });
  const nowUs = systemClock().nowUs();
  expect(Number.isSafeInteger(nowUs) && nowUs >= 0).toBe(true);
  expect(new Date(nowUs / 1_000).toISOString()).toBe(told);
});
