import { systemClock } from "@femtoclaw/journal";
import { expect, test } from "vitest";
import { LogGrowth } from "../src/log-growth.ts";

const HOUR_MS = 3_600_000;
const LOG = { size: 10 };

/** How many of the waits are over. */
function counted(waits: readonly Promise<void>[]): () => number {
  let over = 0;
  for (const wait of waits) void wait.then(() => (over += 1));
  return () => over;
}

test("what is recorded already, and a wait of no time, are waited for by nobody", async () => {
  const growth = new LogGrowth(systemClock());
  const left = new AbortController().signal;
  await growth.until(LOG, 9, { waitMs: HOUR_MS, left });
  await growth.until(LOG, 10, { waitMs: 0, left });
  await growth.until(LOG, 10, { waitMs: 1, left });
});

test("all who wait are told of the next record, and those who have left of their wait's end", async () => {
  const growth = new LogGrowth(systemClock());
  const [staying, leaving] = [new AbortController(), new AbortController()];
  const stay = [1, 2, 3].map(() => growth.until(LOG, 10, { waitMs: HOUR_MS, left: staying.signal }));
  const leave = growth.until(LOG, 10, { waitMs: HOUR_MS, left: leaving.signal });
  const over = counted(stay);
  leaving.abort();
  await leave;
  await growth.until(LOG, 10, { waitMs: HOUR_MS, left: leaving.signal });
  expect(over()).toBe(0);
  growth.grown();
  await Promise.all(stay);
  expect(over()).toBe(3);
});

test("a flood of waits is refused before it takes a place of those that wait, and one that leaves gives its own back", async () => {
  const growth = new LogGrowth(systemClock());
  const leaving = new AbortController();
  const wait = { waitMs: HOUR_MS, left: leaving.signal };
  const waits = Array.from({ length: 256 }, () => growth.until(LOG, 10, wait));
  const over = counted(waits);
  await expect(growth.until(LOG, 10, wait)).rejects.toMatchObject({ code: "FEMTO_OVERLOADED" });
  expect(over()).toBe(0);
  leaving.abort();
  await Promise.all(waits);
  await growth.until(LOG, 10, { waitMs: 1, left: new AbortController().signal });
});
