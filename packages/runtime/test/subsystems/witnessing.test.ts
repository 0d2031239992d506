/** Witnesses may fail at any time and in any way: records are kept, and calls are refused where witnesses are required. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@femtoclaw/journal";
import { LIMITS, type WitnessTable } from "@femtoclaw/protocol";
import type { CheckpointOffer, LogEntry, Runtime, Witness, WitnessAnswer } from "@femtoclaw/runtime";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { WitnessAttendant } from "../../src/subsystems/witness-attendant.ts";
import { Barrier, call, capability, type Home, ofType, recordsOf, temporaryHome } from "../runtime-fixture.ts";

/** Answers by the function, and remembers what it was offered. */
class Scripted implements Witness {
  readonly kind = "command";
  readonly name = "scripted";
  readonly offers: CheckpointOffer[] = [];
  answer: (offer: CheckpointOffer) => Promise<WitnessAnswer> | WitnessAnswer;

  constructor(answer: Scripted["answer"] = takes) {
    this.answer = answer;
  }

  async take(offer: CheckpointOffer): Promise<WitnessAnswer> {
    this.offers.push(offer);
    return await this.answer(offer);
  }

  get sizes(): number[] {
    return this.offers.map(({ checkpoint }) => checkpoint.size);
  }
}

const takes: Scripted["answer"] = ({ note }) => ({ taken: true, note });
const fails: Scripted["answer"] = () => ({ taken: false, contradicts: false, reason: "out of ink" });
const never: Scripted["answer"] = () => new Promise(() => undefined);

function attend(witness: Scripted) {
  let nowUs = 0;
  const entries: LogEntry[] = [];
  const kept: string[] = [];
  const attendant = new WitnessAttendant({
    witness,
    required: true,
    clock: { ...systemClock(), nowUs: () => nowUs, monotonicUs: () => nowUs },
    knownSize: 0,
    contradiction: null,
    offer: async ({ note, checkpoint }, knownSize, signal) => ({
      note,
      checkpoint,
      knownSize,
      signal,
      open: () => "not asked here",
      prove: async () => [],
    }),
    keep: async (note) => void kept.push(note),
    log: (entry) => entries.push(entry),
  });
  onTestFinished(() => attendant.stop());
  return {
    attendant,
    entries,
    kept,
    notice: (size: number) => {
      const checkpoint = { origin: "o", size, root: Buffer.alloc(32), signers: [] };
      attendant.notice({ note: `note ${size}`, checkpoint });
    },
    pass: async (ms: number) => {
      // Step by step, so that the clock and the timers tell the same time.
      for (let left = ms; left > 0; left -= 100) {
        nowUs += 100_000;
        await vi.advanceTimersByTimeAsync(100);
      }
    },
  };
}

describe("an attendant", () => {
  afterEach(() => void vi.useRealTimers());

  it("offers the newest checkpoint, one at a time, with a pause between two", async () => {
    vi.useFakeTimers();
    const witness = new Scripted();
    const { notice, pass, kept, attendant } = attend(witness);
    expect(attendant.complaint).toContain("has not taken this log since the start");
    notice(10);
    await pass(100);
    for (const size of [20, 30, 25, 40]) notice(size);
    await pass(LIMITS.witnessPauseMs - 200);
    expect(witness.sizes).toEqual([10]);
    await pass(300);
    expect([witness.sizes, witness.offers[1]?.knownSize]).toEqual([[10, 40], 10]);
    expect(kept).toEqual(["note 10", "note 40"]);
    await pass(100_000);
    expect(witness.sizes).toHaveLength(2);
    expect(attendant.status).toMatchObject({ witnessed_size: 40, error: null });
    expect(attendant.complaint).toBeNull();
  });

  it("asks again after a failure, ever less often, and tells of it once", async () => {
    vi.useFakeTimers();
    const witness = new Scripted(fails);
    const { notice, pass, entries, attendant } = attend(witness);
    notice(10);
    await pass(8_000);
    // At once, and after 1, 3 and 7 seconds.
    expect(witness.sizes).toHaveLength(4);
    await pass(100_000);
    expect(witness.sizes.length).toBeLessThan(16);
    expect(attendant.status).toMatchObject({ witnessed_size: 0, error: "out of ink" });
    witness.answer = takes;
    await pass(LIMITS.witnessPauseMs);
    expect(entries.map(({ level, event }) => [level, event])).toEqual([
      ["warn", "witness.failed"],
      ["info", "witness.recovered"],
    ]);
    expect(attendant.complaint).toBeNull();
  });

  it("complains once a checkpoint has waited longer than the limit, and no more once it is taken", async () => {
    vi.useFakeTimers();
    const witness = new Scripted();
    const { notice, pass, attendant } = attend(witness);
    notice(10);
    await pass(100);
    // What never waits is never late, however long nothing is signed.
    await pass(2 * LIMITS.unwitnessedMs);
    expect(attendant.complaint).toBeNull();
    witness.answer = fails;
    notice(20);
    await pass(LIMITS.unwitnessedMs);
    expect(attendant.complaint).toBeNull();
    notice(30);
    await pass(200);
    expect(attendant.complaint).toContain(`behind for more than ${LIMITS.unwitnessedMs} ms: out of ink`);
    witness.answer = takes;
    await pass(LIMITS.witnessPauseMs);
    expect(attendant.complaint).toBeNull();
  });

  it("gives up a witness that never answers, throws, or answers what cannot be kept", async () => {
    vi.useFakeTimers();
    const witness = new Scripted(never);
    const { notice, pass, attendant } = attend(witness);
    notice(10);
    await pass(LIMITS.witnessTimeoutMs + 200);
    expect(attendant.status.error).toContain("did not answer within");
    expect(witness.offers[0]?.signal.aborted).toBe(true);
    witness.answer = () => {
      throw new Error("paper \u001b[31mjam");
    };
    await pass(3_000);
    expect(attendant.status.error).toContain("jam");
    expect(attendant.status.error).not.toContain("\u001b");
  });
});

function required(home: Home, witness: Scripted | null, log: LogEntry[] = []): Promise<Runtime> {
  const own: WitnessTable = { kind: "command", name: "scripted", command: ["/bin/true"] };
  return home.start({
    configuration: { audit: { require: true, witness: [own] } },
    capabilities: [capability("quick"), capability("slow", async () => await slow())],
    witnesses: witness === null ? [] : [witness],
    log: (entry) => log.push(entry),
  });
}

let slow: () => Promise<Record<string, never>> = async () => ({});

const codeOf = async (runtime: Runtime): Promise<string> => {
  const reply = await runtime.openSession({ channel: "library" }).propose(call("quick"));
  return reply.error?.code ?? reply.status;
};

describe("a runtime whose witnesses are required", () => {
  it("takes no call before the first checkpoint of this start was taken", async () => {
    const home = temporaryHome();
    const witness = new Scripted(fails);
    const runtime = await required(home, witness);
    expect(await codeOf(runtime)).toBe("FEMTO_UNWITNESSED");
    witness.answer = takes;
    await expect.poll(() => codeOf(runtime)).toBe("completed");
    await runtime.close();
    const again = await required(home, new Scripted(fails));
    expect(await codeOf(again)).toBe("FEMTO_UNWITNESSED");
    await again.close();
    // None of these calls has a record of its own.
    const third = await required(home, new Scripted());
    const [first, second] = ofType(await recordsOf(third.reader), "overload.refused");
    await third.close();
    expect([first?.body.code, first?.body.count]).toEqual(["FEMTO_UNWITNESSED", expect.any(Number)]);
    expect(second?.body).toEqual({ code: "FEMTO_UNWITNESSED", count: 1 });
  });

  it("and that was given none takes no call at all", async () => {
    const runtime = await required(temporaryHome(), null);
    expect(await codeOf(runtime)).toBe("FEMTO_UNWITNESSED");
    await runtime.close();
  });

  it("takes none while one is late, still records what ran, and goes on when it answers", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const witness = new Scripted();
    const barrier = new Barrier();
    slow = async () => {
      await barrier.arrive();
      return {};
    };
    const runtime = await required(temporaryHome(), witness);
    const running = runtime.openSession({ channel: "library" }).propose(call("slow"));
    await barrier.reached;
    witness.answer = fails;
    await runtime.checkpoint();
    const later = async (): Promise<string> => {
      vi.advanceTimersByTime(LIMITS.unwitnessedMs + 1);
      return await codeOf(runtime);
    };
    await expect.poll(later).toBe("FEMTO_UNWITNESSED");
    barrier.open();
    const reply = await running;
    expect(reply.status).toBe("completed");
    const outcomes = ofType(await recordsOf(runtime.reader), "execution.outcome");
    expect(outcomes.map(({ seq }) => seq)).toContain(reply.record?.seq);
    witness.answer = takes;
    await expect.poll(() => codeOf(runtime), { interval: 200 }).toBe("completed");
    await runtime.close();
  });

  it("gives its last checkpoint to the witness before it ends", async () => {
    const home = temporaryHome();
    const witness = new Scripted();
    const runtime = await required(home, witness);
    await codeOf(runtime);
    await runtime.close();
    expect(witness.sizes.at(-1)).toBe(runtime.status().records);
    const kept = readFileSync(join(home.state, "witnessed/scripted.checkpoint"), "utf8");
    expect(kept).toBe(witness.offers.at(-1)?.note);
  });

  it("ends in time with a witness that never answers", async () => {
    const witness = new Scripted();
    const runtime = await required(temporaryHome(), witness);
    witness.answer = never;
    await codeOf(runtime);
    await runtime.close();
    expect(runtime.status().phase).toBe("terminated");
  });

  it("offers nothing to a witness that took another log before, and says what to do", async () => {
    const home = temporaryHome();
    const other = temporaryHome();
    for (const each of [home, other]) await (await required(each, new Scripted())).close();
    const note = readFileSync(join(other.state, "witnessed/scripted.checkpoint"));
    writeFileSync(join(home.state, "witnessed/scripted.checkpoint"), note);
    const witness = new Scripted();
    const log: LogEntry[] = [];
    const runtime = await required(home, witness, log);
    expect(await codeOf(runtime)).toBe("FEMTO_UNWITNESSED");
    expect(witness.offers).toEqual([]);
    expect(runtime.status().witnesses[0]?.error).toContain("is not of this log");
    expect(log.filter(({ event }) => event === "witness.failed")).toMatchObject([
      { level: "error", contradicts: true },
    ]);
    await runtime.close();
  });
});

describe("a runtime whose witnesses are not required", () => {
  it("goes on whatever they do", async () => {
    const runtime = await temporaryHome().start({
      capabilities: [capability("quick")],
      witnesses: [new Scripted(() => Promise.reject(new Error("burnt")))],
    });
    expect(await codeOf(runtime)).toBe("completed");
    await expect.poll(() => runtime.status().witnesses[0]?.error).toBe("burnt");
    await runtime.close();
    expect(runtime.status().phase).toBe("terminated");
  });
});
