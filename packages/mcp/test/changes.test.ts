/** A client goes on hearing of changes after one look at them has failed. */
import { FemtoError, type ToolDescription } from "@femtoclaw/protocol";
import { expect, test } from "vitest";
import { HostSession, type Proposer } from "../src/host-session.ts";

const CHANGED = { next: 1, offered: true, updated: [], ended: [] };

test("a look at the tools that fails while the connection lasts does not end the changes", async () => {
  let offered = "one";
  let isBusy = false;
  let refused = 0;
  let change = Promise.withResolvers<typeof CHANGED>();
  const changed = (): void => {
    const announced = change;
    change = Promise.withResolvers();
    announced.resolve(CHANGED);
  };
  const proposer = {
    closed: Promise.withResolvers<void>().promise,
    close: async () => undefined,
    tools: async () => {
      if (isBusy) refused += 1;
      if (isBusy) throw new FemtoError("FEMTO_OVERLOADED", "too much at once");
      return [{ name: offered } as ToolDescription];
    },
    changes: async (from: number | null) => (from === null ? { ...CHANGED, offered: false } : await change.promise),
  } as unknown as Proposer;
  const session = new HostSession(async () => proposer);
  const told: string[] = [];
  session.onToolsChanged = () => void told.push(offered);
  await session.tools();

  isBusy = true;
  offered = "two";
  changed();
  await expect.poll(() => refused).toBe(1);
  isBusy = false;
  // The look is made once more, as after a host was away.
  await expect.poll(() => told, { timeout: 10_000 }).toEqual(["two"]);
  offered = "three";
  changed();
  await expect.poll(() => told).toEqual(["two", "three"]);
  await session.close();
});
