/** A wait that is over, however it ended, no longer keeps its command from ending. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { within } from "../src/commands/propose/within.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("that succeeds or fails leaves no timer", async () => {
  expect(await within(Promise.resolve("done"), 60_000)).toBe("done");
  expect(vi.getTimerCount()).toBe(0);
  await expect(within(Promise.reject(new Error("the host is gone")), 60_000)).rejects.toThrow("the host is gone");
  expect(vi.getTimerCount()).toBe(0);
});

test("that takes too long is given up", async () => {
  const waited = within(new Promise(() => undefined), 60_000);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await waited).toBeNull();
});
