/** A question whose time is over while its answer waits for the disk. */
import { expect, it } from "vitest";
import { Deadlines } from "../../src/gate/questions/deadlines.ts";
import type { WaitingCall } from "../../src/gate/questions/waiting-call.ts";

it("is looked at from time to time, and not all the time", () => {
  let nowUs = 0;
  let due: { readonly atUs: number; readonly look: () => void } | null = null;
  const clock = {
    nowUs: () => nowUs,
    monotonicUs: () => nowUs,
    after: (delayMs: number, look: () => void) => {
      due = { atUs: nowUs + delayMs * 1_000, look };
      return () => undefined;
    },
  };
  const call = (deadlineUs: number) => ({ deadlineUs, expiresUs: deadlineUs }) as WaitingCall;
  const [answering, next] = [call(1_000_000), call(25_000_000)];
  const over: WaitingCall[] = [];
  const open = { all: [answering, next], size: 2 };
  const deadlines = new Deadlines(clock, open, (one) => over.push(one));
  const looksUntil = (untilUs: number): number => {
    let looks = 0;
    for (; due !== null && due.atUs <= untilUs; looks += 1) {
      const { atUs, look } = due;
      [nowUs, due] = [atUs, null];
      look();
      if (looks > 100) break;
    }
    return looks;
  };
  deadlines.watch();
  expect(looksUntil(1_000_000)).toBe(1);
  expect(over).toEqual([answering]);
  expect(looksUntil(24_999_999)).toBeLessThan(5);
  expect(over).not.toContain(next);
  looksUntil(25_000_000);
  expect(over).toContain(next);
});
