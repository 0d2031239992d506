import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { signalledReloads } from "../src/commands/host/up.ts";

test("a storm of signals costs two reloads, the second after the last signal, and later signals are heard again", async () => {
  const reloads: (() => void)[] = [];
  const onSignal = signalledReloads(() => {
    const { promise, resolve } = Promise.withResolvers<void>();
    reloads.push(resolve);
    return promise;
  });
  for (let signal = 0; signal < 10_000; signal += 1) onSignal();
  expect(reloads).toHaveLength(1);
  reloads.at(-1)?.();
  await setImmediate();
  expect(reloads).toHaveLength(2);
  reloads.at(-1)?.();
  await setImmediate();
  expect(reloads).toHaveLength(2);
  onSignal();
  expect(reloads).toHaveLength(3);
});
