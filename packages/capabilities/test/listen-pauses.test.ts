/** When a server is listened to again after it ended the stream of its notifications. */
import { expect, test } from "vitest";
import { ListenPauses } from "../src/mcp/listen-pauses.ts";

test("a server that ends each stream at once is asked ever less often, down to once a minute", () => {
  const pauses = new ListenPauses();
  const waited = Array.from({ length: 8 }, () => pauses.after(5));
  expect(waited).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
});

test("a stream that lasted is followed by a short pause, however many failed before", () => {
  const pauses = new ListenPauses();
  for (let failed = 0; failed < 10; failed += 1) pauses.after(5);
  expect([pauses.after(30_000), pauses.after(30_000), pauses.after(5)]).toEqual([1_000, 1_000, 2_000]);
});
