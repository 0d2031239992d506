/** Slots are served in turn, never more of them than there are, and a full queue hurts those who fill it. */
import { FemtoError } from "@femtoclaw/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FairSlots, type Release } from "../../src/gate/admission/fair-slots.ts";

/** Calls that were served, in order, and those that were refused. */
class Callers {
  readonly slots: FairSlots;
  readonly served: { readonly name: string; readonly release: Release }[] = [];
  readonly refused: string[] = [];

  constructor(slots: number, slotsPerSession: number, queue: number) {
    this.slots = new FairSlots({ slots, slotsPerSession, queue });
  }

  call(session: string, name = session): void {
    const onServed = (release: Release): void => {
      this.served.push({ name, release });
    };
    const onRefused = (error: unknown): void => {
      if (!(error instanceof FemtoError) || error.code !== "FEMTO_OVERLOADED") throw error;
      this.refused.push(name);
    };
    try {
      const slot = this.slots.acquire(session);
      if (slot instanceof Promise) slot.then(onServed, onRefused);
      else onServed(slot);
    } catch (error) {
      onRefused(error);
    }
  }

  /** Gives back the slots in the order in which they were served, until nobody waits. */
  async drain(): Promise<string[]> {
    for (let next = 0; next < this.served.length; next += 1) {
      this.served[next]?.release();
      await settle();
    }
    return this.served.map(({ name }) => name);
  }
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe("slots", () => {
  it("are had at once while there are any", () => {
    const callers = new Callers(2, 2, 10);
    callers.call("a");
    callers.call("a");
    expect(callers.served).toHaveLength(2);
    callers.call("a");
    expect(callers.served).toHaveLength(2);
    expect(callers.slots.queued).toBe(1);
  });

  it("go round the sessions, so that a flood of one delays another by one slot", async () => {
    const callers = new Callers(1, 1, 100);
    for (let count = 0; count < 5; count += 1) callers.call("flood", `flood${count}`);
    callers.call("calm", "calm0");
    callers.call("calm", "calm1");
    callers.call("third");
    expect(await callers.drain()).toEqual([
      "flood0",
      "flood1",
      "calm0",
      "third",
      "flood2",
      "calm1",
      "flood3",
      "flood4",
    ]);
  });

  it("are not all held by one session", async () => {
    const callers = new Callers(3, 2, 100);
    for (let count = 0; count < 5; count += 1) callers.call("greedy");
    expect(callers.served).toHaveLength(2);
    callers.call("other");
    expect(callers.served.map(({ name }) => name)).toEqual(["greedy", "greedy", "other"]);
    expect(await callers.drain()).toHaveLength(6);
  });

  it("are left for whoever comes next, also where several hold all that they can", () => {
    const callers = new Callers(64, 64, 10_000);
    const heldBy = (name: string): number => callers.served.filter((one) => one.name === name).length;
    const greedy = ["first", "second", "third", "fourth", "fifth"];
    for (const session of greedy) for (let count = 0; count < 64; count += 1) callers.call(session);
    expect(greedy.map(heldBy)).toEqual([56, 1, 1, 1, 1]);
    callers.call("next");
    expect(heldBy("next")).toBe(1);
  });

  it("that are given back twice are given back once", async () => {
    const callers = new Callers(1, 1, 100);
    for (const name of ["first", "second", "third"]) callers.call("a", name);
    const release = callers.served[0]?.release;
    release?.();
    release?.();
    release?.();
    await settle();
    expect(callers.served.map(({ name }) => name)).toEqual(["first", "second"]);
  });
});

describe("a full queue", () => {
  it("refuses the session that filled it, and takes another by its turn", async () => {
    const callers = new Callers(1, 1, 3);
    for (let count = 0; count < 5; count += 1) callers.call("flood", `flood${count}`);
    expect(callers.refused).toEqual(["flood4"]);
    callers.call("calm");
    await settle();
    // The newest of those who fill the queue gives way.
    expect(callers.refused).toEqual(["flood4", "flood3"]);
    expect(callers.slots.queued).toBe(3);
    expect(await callers.drain()).toEqual(["flood0", "flood1", "calm", "flood2"]);
  });

  it("is shared evenly at last, and then refuses everybody", async () => {
    const callers = new Callers(1, 1, 4);
    callers.call("holder");
    for (let count = 0; count < 4; count += 1) callers.call("a", `a${count}`);
    for (let count = 0; count < 4; count += 1) callers.call("b", `b${count}`);
    await settle();
    expect(callers.refused).toEqual(["b2", "b3", "a3", "a2"]);
    callers.call("a", "a4");
    expect(callers.refused).toContain("a4");
  });

  it("of those who may have no more slots does not keep others from free ones", () => {
    const callers = new Callers(4, 1, 2);
    for (let count = 0; count < 4; count += 1) callers.call("greedy");
    expect(callers.refused).toEqual(["greedy"]);
    callers.call("other");
    expect(callers.served.map(({ name }) => name)).toEqual(["greedy", "other"]);
  });
});

describe("any order of calls and returns", () => {
  it("keeps every limit, loses nobody, and leaves no slot idle that somebody could use", async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ session: fc.constantFrom("a", "b", "c") }) },
      { weight: 2, arbitrary: fc.record({ release: fc.nat(30) }) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 6 }),
        fc.array(step, { maxLength: 60 }),
        async (slots, perSession, queue, steps) => {
          const callers = new Callers(slots, perSession, queue);
          const held: { name: string; release: Release }[] = [];
          let calls = 0;
          let taken = 0;
          for (const one of steps) {
            if ("session" in one) {
              callers.call(one.session);
              calls += 1;
            } else if (held.length > 0) {
              const [returned] = held.splice(one.release % held.length, 1);
              returned?.release();
            }
            await settle();
            held.push(...callers.served.slice(taken));
            taken = callers.served.length;
            const perName = (name: string): number => held.filter((holder) => holder.name === name).length;
            expect(held.length).toBeLessThanOrEqual(slots);
            for (const name of ["a", "b", "c"]) expect(perName(name)).toBeLessThanOrEqual(perSession);
            expect(callers.slots.queued).toBeLessThanOrEqual(queue);
            expect(taken + callers.refused.length + callers.slots.queued).toBe(calls);
          }
          while (held.length > 0) {
            held.shift()?.release();
            await settle();
            held.push(...callers.served.slice(taken));
            taken = callers.served.length;
          }
          expect(callers.slots.queued).toBe(0);
          expect(taken + callers.refused.length).toBe(calls);
        },
      ),
      { numRuns: 300 },
    );
  });
});
