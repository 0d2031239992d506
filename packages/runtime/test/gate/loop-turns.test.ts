/** Who is served in which turn of the event loop: a light session beside one that has everything under way that it can. */
import { setImmediate as turn } from "node:timers/promises";
import type { CommitGroup, JournalStore } from "@femtoclaw/journal";
import { describe, expect, it, onTestFinished } from "vitest";
import { LoopTurns } from "../../src/gate/admission/loop-turns.ts";
import { type Surroundings, systemSurroundings } from "../../src/surroundings.ts";
import { call, capability, ofType, recordsOf, startRuntime } from "../runtime-fixture.ts";

/** Steps that wait for their turns, and the turn in which each was served. */
class Steps {
  nowUs = 0;
  readonly #pauses: (() => void)[] = [];
  readonly #turns = new LoopTurns({
    monotonicUs: () => this.nowUs,
    after: (_ms, goOn) => {
      this.#pauses.push(goOn);
      return () => undefined;
    },
  });
  /** For each turn of the loop who was served in it. */
  readonly served: string[][] = [[]];

  ask(session: string, count = 1): void {
    for (let step = 0; step < count; step += 1) {
      const later = this.#turns.next(session);
      if (later === null) this.served.at(-1)?.push(session);
      else void later.then(() => this.served.at(-1)?.push(session));
    }
  }

  onDisk(session: string, count = 1): void {
    for (let record = 0; record < count; record += 1) this.#turns.onDisk(session);
  }

  offDisk(session: string): void {
    this.#turns.offDisk(session);
  }

  /** Lets the pauses that were begun be over. */
  pass(): void {
    for (const goOn of this.#pauses.splice(0)) goOn();
  }

  async turn(count = 1): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      this.served.push([]);
      await turn();
    }
  }

  /** How many steps of the session were served in each turn. */
  of(session: string): number[] {
    return this.served.map((names) => names.filter((name) => name === session).length);
  }
}

describe("the turns of the loop", () => {
  it("are a lone session's, up to what somebody who comes can wait for", async () => {
    const steps = new Steps();
    steps.ask("flood", 150);
    await steps.turn(3);
    expect(steps.of("flood")).toEqual([64, 64, 22, 0]);
  });

  it("give each session one step beside one that has nothing waiting", async () => {
    const steps = new Steps();
    steps.ask("light");
    steps.ask("flood", 5);
    await steps.turn(2);
    steps.ask("light");
    await steps.turn(2);
    expect(steps.of("flood")).toEqual([1, 1, 1, 1, 1]);
    expect(steps.of("light")).toEqual([1, 0, 1, 0, 0]);
  });

  it("give more at once where each session has more to do", async () => {
    const steps = new Steps();
    for (const session of ["a", "b"]) steps.ask(session, 20);
    // The first who came was alone then.
    await steps.turn(3);
    expect(steps.of("a")).toEqual([20, 0, 0, 0]);
    expect(steps.of("b")).toEqual([1, 1, 1, 1]);
    steps.ask("a", 20);
    await steps.turn(3);
    expect(steps.of("a").slice(3)).toEqual([1, 8, 8, 1]);
    // Eight at once as long as both have some waiting; then what the one asks next is to find an empty loop.
    expect(steps.of("b").slice(3)).toEqual([1, 8, 8, 0]);
  });

  it("are all a lone session's again once the other has been silent for a second", async () => {
    const steps = new Steps();
    steps.ask("light");
    steps.ask("flood", 3);
    await steps.turn(3);
    steps.nowUs = 999_999;
    steps.ask("flood", 2);
    await steps.turn(2);
    steps.nowUs = 1_000_000;
    steps.ask("flood", 3);
    expect(steps.of("flood").filter((count) => count > 0)).toEqual([1, 1, 1, 1, 1, 3]);
  });
});

describe("while somebody's record is on its way to the disk", () => {
  it("others have four turns, however long that takes, and one more after each pause", async () => {
    const steps = new Steps();
    steps.ask("light");
    steps.onDisk("light");
    steps.ask("flood", 30);
    await steps.turn(20);
    expect(steps.of("flood")).toEqual([1, ...Array(4).fill(1), ...Array(16).fill(0)]);
    steps.pass();
    await steps.turn(5);
    expect(steps.of("flood").slice(21)).toEqual([1, 0, 0, 0, 0]);
    // Once it is durable, its session goes on as if nobody else were there.
    steps.offDisk("light");
    steps.ask("light");
    await steps.turn(30);
    expect(steps.of("light").slice(25)).toEqual([1, ...Array(30).fill(0)]);
    expect(steps.of("flood").slice(26)).toEqual([...Array(24).fill(1), ...Array(6).fill(0)]);
  });

  it("a session that does little waits for another one no longer than for a turn", async () => {
    const steps = new Steps();
    for (const session of ["light", "other"]) steps.ask(session);
    steps.onDisk("light");
    steps.ask("flood", 30);
    await steps.turn(12);
    steps.ask("other");
    expect(steps.of("other")).toEqual([1, ...Array(11).fill(0), 1]);
  });

  it("nobody is kept waiting for one that has much under way itself", async () => {
    const steps = new Steps();
    steps.ask("busy");
    steps.onDisk("busy", 9);
    steps.ask("flood", 30);
    await steps.turn(30);
    expect(steps.of("flood")).toEqual([...Array(30).fill(1), 0]);
    // With eight it would be one that has little.
    steps.offDisk("busy");
    steps.ask("flood", 30);
    await steps.turn(30);
    expect(steps.of("flood").slice(30).filter(Boolean)).toHaveLength(5);
  });
});

/** A journal's store that holds each group until it is let go. */
function heldStorage(): { readonly surroundings: Surroundings; hold: boolean; readonly held: (() => void)[] } {
  const system = systemSurroundings();
  const control = { hold: false, held: [] as (() => void)[] };
  const holding = (store: JournalStore): JournalStore => {
    const append = store.append.bind(store);
    store.append = async (group: CommitGroup) => {
      if (control.hold) await new Promise<void>((resolve) => control.held.push(resolve));
      await append(group);
    };
    return store;
  };
  const openStorage: Surroundings["openStorage"] = async (directory, announce) => {
    const storage = await system.openStorage(directory, announce);
    return { ...storage, createStore: () => holding(storage.createStore()) };
  };
  return Object.assign(control, { surroundings: { ...system, openStorage } });
}

describe("a light session beside a flood", () => {
  it("waits for one step of it at each place, however much of it was there before", async () => {
    const disk = heldStorage();
    const effects: string[] = [];
    const replies: string[] = [];
    const acts = capability("acts", ({ args }) => ({ n: effects.push(String(args["text"])) }));
    const runtime = await startRuntime({ capabilities: [acts], surroundings: disk.surroundings });
    onTestFinished(() => {
      disk.hold = false;
      for (const release of disk.held) release();
    });
    const [flood, light] = [runtime.openSession({ channel: "agent" }), runtime.openSession({ channel: "agent" })];
    const propose = (text: "flood" | "light") =>
      (text === "flood" ? flood : light)
        .propose(call("acts", { text }))
        .then(({ status }) => replies.push(status === "completed" ? text : status));
    const release = async (): Promise<void> => {
      await expect.poll(() => disk.held.length).toBe(1);
      disk.held.pop()?.();
    };
    await Promise.all([propose("flood"), propose("light")]);
    for (const list of [effects, replies]) list.length = 0;
    disk.hold = true;
    const calls = Array.from({ length: 40 }, () => propose("flood"));
    // One step in each turn: now all of them have numbers, and all but the first wait for one sync.
    for (let turns = 0; turns < 60; turns += 1) await turn();
    calls.push(propose("light"));
    await release();
    await expect.poll(() => disk.held.length).toBe(1);
    effects.length = 0;
    await release();
    // Its intent was the last of the group; its effect begins in the same turn as the first of the flood's.
    await expect.poll(() => effects.length).toBeGreaterThan(30);
    expect(effects.indexOf("light")).toBeLessThanOrEqual(1);
    // Its outcome is of the group that follows, which has not begun without it, and is told before the flood's. What
    // was told before are those of the first group, of which a busy disk makes more than one; where nothing was yet, the
    // call whose intent was alone in it comes first.
    const told = Math.max(replies.length, 1);
    await release();
    await expect.poll(() => replies).toContain("light");
    expect(replies.indexOf("light") - told).toBeLessThanOrEqual(1);
    disk.hold = false;
    await release();
    await Promise.all(calls);
    const intents = ofType(await recordsOf(runtime.reader), "execution.intent").slice(2);
    expect(intents.map(({ session }) => session).indexOf(light.id)).toBe(40);
  });

  it("waits for the disk while a few steps of it are done, and not for all that it has", async () => {
    const disk = heldStorage();
    const effects: string[] = [];
    const acts = capability("acts", ({ args }) => ({ n: effects.push(String(args["text"])) }));
    const { clock } = disk.surroundings;
    // A clock on which no pause ends, so that the disk alone says when others go on.
    const after: Surroundings["clock"]["after"] = (ms, goOn) => (ms === 1 ? () => undefined : clock.after(ms, goOn));
    const surroundings = { ...disk.surroundings, clock: { ...clock, after } };
    const runtime = await startRuntime({ capabilities: [acts], surroundings });
    onTestFinished(() => {
      disk.hold = false;
      for (const release of disk.held) release();
    });
    const [flood, light] = [runtime.openSession({ channel: "agent" }), runtime.openSession({ channel: "agent" })];
    const propose = (text: "flood" | "light") =>
      (text === "flood" ? flood : light).propose(call("acts", { text })).then(({ status }) => status);
    const release = async (): Promise<void> => {
      await expect.poll(() => disk.held.length).toBe(1);
      disk.held.pop()?.();
    };
    await Promise.all([propose("flood"), propose("light")]);
    disk.hold = true;
    const calls = Array.from({ length: 60 }, () => propose("flood"));
    for (let turns = 0; turns < 80; turns += 1) await turn();
    await release();
    // The intents of all others are one group now. The light one's comes while their effects begin, one in each turn.
    await expect.poll(() => disk.held.length).toBe(1);
    effects.length = 0;
    await release();
    while (effects.length === 0) await turn();
    calls.push(propose("light"));
    const before = effects.length;
    for (let turns = 0; turns < 80; turns += 1) await turn();
    expect(effects.length - before).toBeLessThanOrEqual(6);
    while (!effects.includes("light")) {
      await release();
      await turn();
    }
    // Of the group that its intent came too late for, and of its own.
    expect(effects.indexOf("light") - before).toBeLessThanOrEqual(12);
    disk.hold = false;
    for (const letGo of disk.held.splice(0)) letGo();
    expect(new Set(await Promise.all(calls))).toEqual(new Set(["completed"]));
  });
});
