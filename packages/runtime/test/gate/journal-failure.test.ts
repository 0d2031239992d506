/** When the journal cannot commit: nothing is claimed, nothing runs without a durable intent, and admission closes. */
import type { Capability } from "@femtoclaw/capabilities";
import type { JournalEntry } from "@femtoclaw/journal";
import { FemtoError, validateReply } from "@femtoclaw/protocol";
import { DEFAULT_CHILD_LIMITS } from "@femtoclaw/sandbox";
import type { StoreFault } from "@femtoclaw/testing/in-memory";
import { describe, expect, it } from "vitest";
import { FairSlots } from "../../src/gate/admission/fair-slots.ts";
import type { GateParts, Registered } from "../../src/gate/gate-parts.ts";
import { compileSchemas } from "../../src/gate/schemas/argument-validators.ts";
import { Barrier, capability, recordsOf } from "../runtime-fixture.ts";
import { GateBench } from "./gate-bench.ts";

const counted = (effects: string[]) => capability("counted", () => ({ n: effects.push("counted") }));

const FAULTS: readonly StoreFault[] = [
  { kind: "EIO" },
  { kind: "ENOSPC" },
  { kind: "unanswered" },
  { kind: "torn", recordsKept: 0 },
];

describe.each(FAULTS)("a disk with the fault $kind", (fault) => {
  it("while the intent is written keeps the effect from happening", async () => {
    const effects: string[] = [];
    const bench = await GateBench.open([counted(effects)]);
    bench.store.inject(fault);
    const reply = await bench.propose("counted");
    expect(validateReply(reply)).toBe(true);
    expect(reply).toMatchObject({ status: "error", decision: null, record: null });
    expect(reply.error).toMatchObject({ error_type: "MemoryError", code: "FEMTO_JOURNAL_WRITE_FAILED" });
    expect(effects).toEqual([]);
    expect(bench.system.phase).toBe("error");
  });

  it("while the outcome is written claims nothing but the permission", async () => {
    const effects: string[] = [];
    const bench = await GateBench.open([
      capability("counted", () => {
        bench.store.inject(fault);
        return { n: effects.push("counted") };
      }),
    ]);
    const reply = await bench.propose("counted");
    expect(reply).toMatchObject({ status: "error", decision: "AUTHORIZED", record: null });
    expect(reply.error).toMatchObject({ error_type: "MemoryError", code: "FEMTO_JOURNAL_WRITE_FAILED" });
    expect("result" in reply).toBe(false);
    expect(effects).toEqual(["counted"]);
  });

  it("while a refusal is written claims no refusal", async () => {
    const bench = await GateBench.open([]);
    bench.store.inject(fault);
    expect(await bench.propose("nobody")).toMatchObject({
      status: "error",
      decision: null,
      record: null,
      error: { error_type: "MemoryError" },
    });
  });

  it("among many calls executes none whose intent is not durable, and takes none afterwards", async () => {
    const ran: string[] = [];
    const barrier = new Barrier();
    const bench = await GateBench.open([
      capability("first", async () => {
        ran.push("first");
        await barrier.arrive();
        return {};
      }),
      capability("later", () => ({ n: ran.push("later") })),
    ]);
    const first = bench.propose("first");
    await barrier.reached;
    bench.store.inject(fault);
    const later = Array.from({ length: 40 }, (_, index) => bench.propose("later", `s${index % 3}`));
    const types = (await Promise.all(later)).map(({ status, record, error }) => [status, record, error?.error_type]);
    expect(types).toContainEqual(["error", null, "MemoryError"]);
    // Those that had no turn before the disk failed were not taken any more.
    for (const type of types)
      expect(["MemoryError", "SystemError"].map((name) => ["error", null, name])).toContainEqual(type);
    expect(ran).toEqual(["first"]);
    expect(await bench.propose("later")).toMatchObject({ record: null, error: { code: "FEMTO_DRAINING" } });
    barrier.open();
    // Its effect happened, but the journal is closed for good, so the answer promises nothing.
    expect(await first).toMatchObject({
      decision: "AUTHORIZED",
      record: null,
      error: { code: "FEMTO_JOURNAL_CLOSED" },
    });
    expect(bench.gate.running).toBe(0);
  });
});

describe("what is made ready while the intent is written", () => {
  /** Says in order what happened to it, and to the intent. */
  async function preparing(told: string[], parts: Partial<GateParts> = {}, ready = true): Promise<GateBench> {
    const late = capability("late", () => ({ n: told.push("executed unprepared") }));
    const prepare: Capability["prepare"] = () => {
      if (!ready) throw new Error("not today");
      told.push("prepared");
      return {
        execute: async () => ({ event: "succeeded", result: { n: told.push("executed") }, sandbox: null }),
        [Symbol.dispose]: () => told.push("disposed"),
      };
    };
    const able = { ...late, prepare };
    const known = { ...compileSchemas([able]).get("late"), capability: able, enabled: true };
    const limits = { timeoutMs: 10_000, outputBytes: 1_000, child: DEFAULT_CHILD_LIMITS };
    const bench: GateBench = await GateBench.open([able], { registered: () => bench.said, ...parts });
    bench.said = { ...known, ...limits } as Registered;
    return bench;
  }

  it("is executed once that is durable, and then disposed of", async () => {
    const told: string[] = [];
    const bench = await preparing(told, {
      append: async (entry) => {
        const committed = await bench.journal.append(entry);
        told.push(entry.type);
        return committed;
      },
    });
    expect(await bench.propose("late")).toMatchObject({ status: "completed" });
    expect(told).toEqual(["prepared", "execution.intent", "executed", "execution.outcome", "disposed"]);
  });

  it.each(FAULTS)("is disposed of where the disk has the fault $kind", async (fault) => {
    const told: string[] = [];
    const bench = await preparing(told);
    bench.store.inject(fault);
    expect(await bench.propose("late")).toMatchObject({ status: "error", record: null });
    expect(told).toEqual(["prepared", "disposed"]);
  });

  it("is disposed of where the call was stopped meanwhile", async () => {
    const told: string[] = [];
    const bench = await preparing(told, {
      append: (entry) => {
        if (entry.type === "execution.intent") bench.gate.stopAll("an operator halted it");
        return bench.journal.append(entry);
      },
    });
    expect(await bench.propose("late")).toMatchObject({ error: { code: "FEMTO_EXECUTION_HALTED" } });
    expect(told).toEqual(["prepared", "disposed"]);
  });

  it("is not used where the registry says something else by then", async () => {
    const told: string[] = [];
    const bench = await preparing(told, {
      append: (entry) => {
        bench.said = bench.said && { ...bench.said };
        return bench.journal.append(entry);
      },
    });
    expect(await bench.propose("late")).toMatchObject({ status: "completed" });
    expect(told).toEqual(["prepared", "executed unprepared", "disposed"]);
  });

  it("may fail: then the call goes on without", async () => {
    const told: string[] = [];
    const bench = await preparing(told, {}, false);
    expect(await bench.propose("late")).toMatchObject({ status: "completed" });
    expect(told).toEqual(["executed unprepared"]);
  });
});

describe("a journal that has no room", () => {
  const full = () => Promise.reject(new FemtoError("FEMTO_JOURNAL_OVERLOADED", "16384 records wait"));

  it("refuses an intent, without an effect and without harm", async () => {
    const effects: string[] = [];
    let room = false;
    const bench = await GateBench.open([counted(effects)], {
      append: (entry: JournalEntry) => (room ? bench.journal.append(entry) : full()),
    });
    const reply = await bench.propose("counted");
    expect(reply).toMatchObject({ status: "error", decision: null, record: null });
    expect(reply.error).toMatchObject({ error_type: "SystemError", code: "FEMTO_JOURNAL_OVERLOADED" });
    expect(effects).toEqual([]);
    room = true;
    expect(await bench.propose("counted")).toMatchObject({ status: "completed", result: { n: 1 } });
  });

  it("for an outcome begins no effect: the room is taken before the intent and given back after the outcome", async () => {
    const ran: string[] = [];
    const barrier = new Barrier();
    const waits = capability("waits", async () => {
      ran.push("waits");
      await barrier.arrive();
      return {};
    });
    const bench = await GateBench.open([waits, counted(ran)], {
      outcomes: new FairSlots({ slots: 1, slotsPerSession: 1, queue: 10 }),
    });
    const first = bench.propose("waits");
    await barrier.reached;
    const second = bench.propose("counted", "other");
    // Whatever the second call could do without room has happened by now.
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect([ran, bench.journal.size]).toEqual([["waits"], 2]);
    barrier.open();
    expect(await first).toMatchObject({ status: "completed", record: { seq: 2 } });
    expect(await second).toMatchObject({ status: "completed", record: { seq: 4 } });
  });
});

describe("a part that breaks", () => {
  it("in the decision denies", async () => {
    const effects: string[] = [];
    const bench = await GateBench.open([counted(effects)], {
      decide: () => {
        throw new Error("the engine is gone");
      },
    });
    const reply = await bench.propose("counted");
    expect(reply).toMatchObject({ status: "denied", decision: "DENIED_POLICY_VIOLATION", record: { seq: 1 } });
    expect(reply.error).toMatchObject({ code: "FEMTO_POLICY_ERROR" });
    expect(effects).toEqual([]);
  });

  it("in the facts denies", async () => {
    const bench = await GateBench.open([capability("quick")], {
      takeFacts: () => Promise.reject(new Error("no descriptor left")),
    });
    expect(await bench.propose("quick")).toMatchObject({
      status: "denied",
      decision: "DENIED_ARGUMENT_INVALID",
      error: { code: "FEMTO_FACTS_FAILED", reason: "the facts could not be taken: no descriptor left" },
    });
  });

  it("in the actors holds no place and executes nothing", async () => {
    const effects: string[] = [];
    const bench = await GateBench.open([counted(effects)], {
      spawn: () => {
        throw new Error("no actor");
      },
      stages: new FairSlots({ slots: 1, slotsPerSession: 1, queue: 1 }),
    });
    for (let count = 0; count < 3; count += 1) await expect(bench.propose("counted")).rejects.toThrow("no actor");
    expect(bench.gate.running).toBe(0);
    await bench.gate.idle();
    expect(effects).toEqual([]);
  });
});

describe("a stop", () => {
  it("between the durable intent and the effect keeps the effect from happening, and is an outcome", async () => {
    const effects: string[] = [];
    const bench = await GateBench.open([counted(effects)], {
      append: async (entry: JournalEntry) => {
        const appended = await bench.journal.append(entry);
        if (entry.type === "execution.intent") bench.gate.stopAll("somebody stopped everything");
        return appended;
      },
    });
    const reply = await bench.propose("counted");
    expect(reply).toMatchObject({ status: "error", decision: "AUTHORIZED", record: { seq: 2 } });
    expect(reply.error).toMatchObject({ code: "FEMTO_EXECUTION_HALTED" });
    expect(effects).toEqual([]);
    expect((await recordsOf(bench.journal))[2]?.body).toMatchObject({ event: "halted", began: false, intent: 1 });
  });

  it("in the last moment before the effect does the same, and nobody waits for ever", async () => {
    const effects: string[] = [];
    const never = capability("never", () => {
      effects.push("never");
      return new Promise(() => undefined);
    });
    const bench = await GateBench.open([never], {
      registered: (tool) => {
        const open = bench.journal.size > 1;
        if (open) bench.gate.stopAll("in the last moment");
        const schemas = compileSchemas([never]).get(tool);
        if (schemas === undefined) return undefined;
        return {
          capability: never,
          ...schemas,
          enabled: true,
          timeoutMs: 20,
          outputBytes: 1_000,
          child: DEFAULT_CHILD_LIMITS,
        };
      },
    });
    expect(await bench.propose("never")).toMatchObject({ decision: "AUTHORIZED" });
    expect(effects).toEqual([]);
  });
});
