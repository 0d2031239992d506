import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { LineTurns } from "../../src/endpoints/line-turns.ts";

const MEGABYTE = 1_048_576;
const TURN_BYTES = 131_072;
const CONNECTIONS = 250;

/** A connection with lines of one length, which it sends as often as it may. */
function connection(turns: LineTurns, bytes: number, lines: number, onTaken: () => void): () => void {
  let left = lines;
  const goOn = (): void => {
    if (left === 0 || !turns.take(bytes, goOn)) return;
    left -= 1;
    onTaken();
    goOn();
  };
  return goOn;
}

test("a short line does not wait for the long ones of all other connections", () => {
  const turns = new LineTurns();
  let long = 0;
  let short = 0;
  for (let index = 0; index < CONNECTIONS; index += 1) connection(turns, MEGABYTE, 1, () => (long += 1))();
  connection(turns, 200, 1, () => (short += 1))();
  expect({ long, short }).toEqual({ long: 1, short: 1 });
});

test("a flood of short lines keeps no long one waiting", async () => {
  const turns = new LineTurns();
  let long = 0;
  let short = 0;
  for (let index = 0; index < CONNECTIONS; index += 1) connection(turns, 16_384, 1_000, () => (short += 1))();
  connection(turns, MEGABYTE, 2, () => (long += 1))();
  expect({ long, short }).toEqual({ long: 1, short: 8 });
  await nextTurn();
  await expect.poll(() => long).toBe(2);
  expect(short).toBeLessThan(CONNECTIONS * 1_000);
});

test.each([MEGABYTE, 16_384])("who has had a line goes behind all that wait, lines of %i bytes", async (bytes) => {
  const turns = new LineTurns();
  const taken: number[] = [];
  const all = Array.from({ length: 20 }, (_, index) => index);
  // What a socket has read in this turn; each line of these has to wait for the next one.
  connection(turns, TURN_BYTES, 1, () => undefined)();
  connection(turns, 16_384, 8, () => undefined)();
  for (const index of all) connection(turns, bytes, 3, () => taken.push(index))();
  expect(taken).toEqual([]);
  await expect.poll(() => taken.length).toBe(60);
  expect(taken).toEqual([...all, ...all, ...all]);
});
