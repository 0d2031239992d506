/** Histories that cannot have happened, one by one, and what crashes and restarts of subsystems fold to. */
import { FemtoError, type TypedRecord } from "@femtoclaw/protocol";
import { Projection } from "@femtoclaw/runtime";
import { describe, expect, it } from "vitest";
import {
  AGAIN,
  boot,
  changed,
  child,
  crashed,
  created,
  type Entry,
  epoch,
  exporting,
  FIRST,
  FROM_MEMORY,
  fold,
  HASH,
  hop,
  INTERRUPTED,
  inherited,
  intent,
  interrupted,
  lifecycle,
  loaded,
  message,
  outcome,
  PARENT,
  refused,
  resolved,
  restarted,
  START,
  said,
  switched,
  terminal,
  UNTIL_MEMORY,
} from "./possible-records.ts";

const LEGAL: Readonly<Record<string, readonly Entry[]>> = {
  "a start": START,
  "a start that failed": [...FIRST, ...UNTIL_MEMORY, lifecycle("fault", "openingMemory", "error")],
  "a switch by an operator": [...START, switched("open", true), switched("open", false), switched("shut", false)],
  "an execution": [...START, intent(), outcome(11)],
  "an execution that went on somewhere": [...START, intent(), hop(11), outcome(11)],
  "an execution that was halted before its effect": [...START, intent(), outcome(11, "halted", false)],
  "an execution that was cancelled in the last moment": [...START, intent(), outcome(11, "cancelled", false)],
  "an execution that another followed under the same name": [...START, intent(), outcome(11), intent(), outcome(13)],
  "a drain that was recorded before the writer knew of the intent": [
    ...[...START, intent(), lifecycle("drain", "idle", "draining"), outcome(11)],
    lifecycle("drained", "draining", "shuttingDown"),
  ],
  "a crash and the interruption it left": [
    ...START,
    intent(),
    boot("b2", AGAIN),
    ...UNTIL_MEMORY,
    interrupted(11),
    ...FROM_MEMORY,
  ],
  "a log that goes on from another": [
    child,
    epoch("shut"),
    inherited(),
    inherited("e2"),
    boot("b2"),
    ...START.slice(2),
  ],
  "a resolution of what was inherited": [child, epoch(), inherited(), boot("b2"), ...START.slice(2), resolved(2)],
  "a resolution of what was interrupted": [...INTERRUPTED, ...FROM_MEMORY, resolved(15)],
  "a resolution in a later boot": [
    ...[...INTERRUPTED, boot("b3", { previous_boot: "b2", previous_end: "crash" }), ...UNTIL_MEMORY],
    ...[...FROM_MEMORY, resolved(15)],
  ],
  "a crash while interruptions were recorded": [
    ...[...START, intent(), boot("b2", AGAIN), ...UNTIL_MEMORY],
    ...[boot("b3", { previous_boot: "b2", previous_end: "crash" }), ...UNTIL_MEMORY, interrupted(11), ...FROM_MEMORY],
  ],
  "a subsystem that came back": [...START, crashed("policy", 1), restarted("policy"), intent(), outcome(13)],
  "a subsystem that was lost": [
    ...[1, 2, 3].flatMap((at) => [crashed("policy", at), restarted("policy")]).toSpliced(0, 0, ...START),
    crashed("policy", 4, "give-up"),
  ],
  "telemetry that went and came": [...START, changed("degraded"), changed("exporting"), changed("degraded")],
};

const ILLEGAL: Readonly<Record<string, readonly Entry[]>> = {
  "that begins without a name": [boot("b1")],
  "that names itself twice": [...FIRST, created],
  "that names itself in a later boot": [...START, { ...created, boot: "b2" }],
  "that goes on without a boot": [created, ...UNTIL_MEMORY.slice(0, 1)],
  "of two boots with one name": [...START, boot("b1", AGAIN)],
  "with a record of another boot": [...START, { ...message, boot: "b0" }],
  "whose second boot follows nobody": [...START, boot("b2")],
  "whose second boot follows another": [...START, boot("b2", { ...AGAIN, previous_boot: "b0" })],
  "whose crash is called an end": [...START, boot("b2", { ...AGAIN, previous_end: "clean" })],
  "whose end is called a crash": [
    ...[...START, lifecycle("drain", "idle", "draining"), lifecycle("drained", "draining", "shuttingDown")],
    boot("b2", AGAIN),
  ],
  "whose configuration changed in secret": [
    ...START,
    boot("b2", { ...AGAIN, configuration: { path: null, sha256: "1".repeat(64), changed: false } }),
  ],
  "whose configuration is said to have changed": [
    ...START,
    boot("b2", { ...AGAIN, configuration: { path: null, sha256: HASH, changed: true } }),
  ],
  "that leaves out a phase": [...FIRST, UNTIL_MEMORY[1] as Entry],
  "that goes back to an earlier phase": [...START, lifecycle("policy.ready", "loadingPolicy", "startingObservability")],
  "with a phase that the event does not lead to": [
    ...FIRST,
    lifecycle("integrity.verified", "verifyingIntegrity", "idle"),
  ],
  "with a phase that it was not in": [...FIRST, lifecycle("integrity.verified", "idle", "loadingConfiguration")],
  "with an event that no machine has": [...FIRST, lifecycle("made.up", "verifyingIntegrity", "verifyingIntegrity")],
  "with an event of an inherited name": [
    ...FIRST,
    lifecycle("constructor", "verifyingIntegrity", "verifyingIntegrity"),
  ],
  "that drains twice": [...START, lifecycle("drain", "idle", "draining"), lifecycle("drain", "draining", "draining")],
  "whose registry is ready unloaded": [
    ...[...FIRST, ...UNTIL_MEMORY, ...FROM_MEMORY.slice(0, 1)],
    lifecycle("registry.ready", "loadingRegistry", "loadingPolicy"),
  ],
  "whose policy is ready inactive": [
    ...[...FIRST, ...UNTIL_MEMORY, ...FROM_MEMORY.slice(0, 3)],
    lifecycle("policy.ready", "loadingPolicy", "startingObservability"),
  ],
  "whose observability is ready unstarted": [
    ...[...FIRST, ...UNTIL_MEMORY, ...FROM_MEMORY.slice(0, 5)],
    lifecycle("observability.ready", "startingObservability", "idle"),
  ],
  "whose registry is loaded twice": [...START, loaded],
  "that enables what is locked": [...START, switched("shut", true)],
  "that enables what is unknown": [...START, switched("nobody", true)],
  "that disables an inherited name": [...START, switched("constructor", false)],
  "that enables before anything is registered": [...FIRST, switched("open", true)],
  "whose telemetry starts twice": [...START, exporting],
  "whose telemetry recovers from nothing": [...START, changed("exporting")],
  "whose telemetry degrades twice": [...START, changed("degraded"), changed("degraded")],
  "in which a subsystem crashes while it is down": [...START, crashed("policy", 1), crashed("policy", 2)],
  "in which a subsystem is restarted while it is up": [...START, restarted("policy")],
  "in which another subsystem is restarted": [...START, crashed("policy", 1), restarted("observability")],
  "in which an unknown subsystem crashes": [...START, crashed("executions" as "policy", 1)],
  "that gives up too early": [...START, crashed("policy", 1, "give-up")],
  "that does not give up": [
    ...[1, 2, 3].flatMap((at) => [crashed("policy", at), restarted("policy")]).toSpliced(0, 0, ...START),
    crashed("policy", 4),
  ],
  "that restarts what is lost": [
    ...[1, 2, 3].flatMap((at) => [crashed("policy", at), restarted("policy")]).toSpliced(0, 0, ...START),
    ...[crashed("policy", 4, "give-up"), restarted("policy")],
  ],
  "that takes a call before it can": [...FIRST, message],
  "with an intent before any decision can be made": [...FIRST, ...UNTIL_MEMORY, intent()],
  "with an intent of no execution": [...START, intent(null)],
  "with two intents of one execution": [...START, intent(), intent()],
  "with a message of an execution that runs": [...START, intent(), { ...message, execution: "e1" }],
  "with an outcome without an intent": [...START, outcome(11)],
  "with an outcome of an inherited name": [...START, outcome(11, "succeeded", true, "constructor")],
  "with two outcomes of one intent": [...START, intent(), outcome(11), outcome(11)],
  "with an outcome of another intent": [...START, intent(), outcome(10)],
  "with an outcome in another session": [...START, intent(), { ...outcome(11), session: "s2" }],
  "with an outcome in a later boot": [
    ...[...START, intent(), boot("b2", AGAIN), ...UNTIL_MEMORY, lifecycle("fault", "openingMemory", "error")],
    outcome(11),
  ],
  "with a success of what never began": [...START, intent(), outcome(11, "succeeded", false)],
  "with a halt of what had begun": [...START, intent(), outcome(11, "halted", true)],
  "with a hop of what has no intent": [...START, hop(11)],
  "with a hop of what has ended": [...START, intent(), outcome(11), hop(11)],
  "with a hop of another intent": [...START, intent(), hop(10)],
  "with a hop in another session": [...START, intent(), { ...hop(11), session: "s2" }],
  "with an answer where nothing was asked": [...START, said],
  "with a refusal of a question where nothing was asked": [...START, refused],
  "with a terminal before any call is taken": [...FIRST, terminal],
  "with an outcome that no machine has": [...START, intent(), outcome(11, "constructor")],
  "with an interruption in its own boot": [...START, intent(), interrupted(11)],
  "with an interruption of nothing": [...START, boot("b2", AGAIN), ...UNTIL_MEMORY, interrupted(11)],
  "with two interruptions": [...START, intent(), boot("b2", AGAIN), ...UNTIL_MEMORY, interrupted(11), interrupted(11)],
  "with an interruption of another tool": [
    ...[...START, intent(), boot("b2", AGAIN), ...UNTIL_MEMORY],
    interrupted(11, { tool: "shut" }),
  ],
  "with an interruption of another boot": [
    ...[...START, intent(), boot("b2", AGAIN), ...UNTIL_MEMORY],
    interrupted(11, { boot: "b0" }),
  ],
  "that goes on from another log and does not say how": [child, boot("b2")],
  "that goes on from no log and says how": [created, epoch()],
  "that takes over from no log": [created, inherited()],
  "that takes over twice": [child, epoch(), epoch()],
  "that takes over before it says how": [child, inherited()],
  "that takes over in a boot": [child, epoch(), boot("b2"), inherited()],
  "that takes over an execution twice": [child, epoch(), inherited(), inherited()],
  "that takes over no execution": [child, epoch(), inherited(null)],
  "that runs what it took over": [child, epoch(), inherited(), boot("b2"), ...START.slice(2), outcome(2)],
  "with a resolution of what had an outcome": [...START, intent(), outcome(11), resolved(12)],
  "with a resolution of what still runs": [...START, intent(), resolved(11)],
  "with two resolutions": [...INTERRUPTED, ...FROM_MEMORY, resolved(15), resolved(15, { resolution: "not-done" })],
  "with a resolution of another interruption": [...INTERRUPTED, ...FROM_MEMORY, resolved(11)],
  "with a resolution of another tool": [...INTERRUPTED, ...FROM_MEMORY, resolved(15, { tool: "shut" })],
  "with a resolution by another session": [...INTERRUPTED, ...FROM_MEMORY, { ...resolved(15), session: "s2" }],
  "with a resolution of no execution": [...INTERRUPTED, ...FROM_MEMORY, { ...resolved(15), execution: null }],
  "that goes on while a terminal of an earlier boot is open": [
    ...[...START, terminal, boot("b2", AGAIN), ...UNTIL_MEMORY],
    ...FROM_MEMORY.slice(0, 1),
  ],
  "that goes on while an execution of an earlier boot is open": [
    ...START,
    intent(),
    boot("b2", AGAIN),
    ...UNTIL_MEMORY,
    ...FROM_MEMORY.slice(0, 1),
  ],
};

describe("a history", () => {
  it.each(Object.entries(LEGAL))("of %s is possible", (_what, entries) => {
    expect(() => fold(entries)).not.toThrow();
  });

  it.each(Object.entries(ILLEGAL))("%s is refused", (_what, entries) => {
    // Everything but the last record can have happened.
    expect(() => fold(entries.slice(0, -1))).not.toThrow();
    expect(() => fold(entries)).toThrow(FemtoError);
    expect(() => fold(entries)).toThrow(expect.objectContaining({ code: "FEMTO_JOURNAL_CORRUPT" }));
  });
});

describe("the state", () => {
  it("knows the executions that are open, and in which state they are", () => {
    const { open, phase } = fold([...START, intent()]);
    expect([...open]).toEqual([
      [
        "e1",
        { intent: 11, tool: "open", session: "s1", boot: "b1", at: { state: "intentCommitting", category: null } },
      ],
    ]);
    expect(phase).toBe("executing");
    expect(fold([...START, intent(), outcome(11)]).phase).toBe("idle");
  });

  it("keeps what operators switched over a boot, and nothing else of it", () => {
    const projection = fold([...START, switched("open", true), changed("degraded"), boot("b2", AGAIN)]);
    expect(projection.overrides).toEqual({ open: true });
    expect(projection.capabilities).toEqual([]);
    expect(projection.phase).toBe("verifyingIntegrity");
    expect(projection.machine("observability").value).toBe("starting");
    expect(projection.machine("memory").value).toBe("ready");
  });

  it("of crashes and restarts goes on over a snapshot, with the times that were recorded", () => {
    const before = fold([
      ...START,
      crashed("policy", 1),
      restarted("policy"),
      crashed("policy", 2),
      restarted("policy"),
    ]);
    const restored = Projection.restore(before.size - 1, JSON.parse(JSON.stringify(before.snapshot())));
    const next = (seq: number, entry: Entry): void => {
      const frame = { v: 1, seq, at: "", mono_us: 0, boot: "b1", session: null, execution: null };
      restored.apply({ ...frame, ...entry } as unknown as TypedRecord);
    };
    next(15, crashed("policy", 3));
    next(16, restarted("policy"));
    expect(() => next(17, crashed("policy", 4, "restart"))).toThrow("its decision is not restart");
    expect(restored.phase).toBe("error");
  });

  it("that was taken is not changed by what follows", () => {
    const projection = fold([...START, intent()]);
    const taken = JSON.stringify(projection.snapshot());
    const [open, snapshot] = [projection.open, projection.snapshot()];
    const frame = { v: 1, seq: 12, at: "", mono_us: 0, boot: "b1", session: "s1" };
    projection.apply({ ...frame, ...outcome(11) } as unknown as TypedRecord);
    expect(JSON.stringify(snapshot)).toBe(taken);
    expect(open.size).toBe(1);
  });

  it("of another machine version is not taken", () => {
    const actors = fold(START).snapshot();
    const { policy, ...others } = actors;
    const older = { ...actors, policy: { machine: "policy", version: "0", definition: HASH, state: {} } };
    const edited = { ...actors, policy: { ...policy, definition: HASH } } as typeof actors;
    for (const wrong of [others, older, edited, {}]) {
      expect(() => Projection.restore(10, wrong)).toThrow(expect.objectContaining({ code: "FEMTO_JOURNAL_FORMAT" }));
    }
  });
});

describe("a log that goes on from another", () => {
  it("takes over what operators had disabled and what waits for a word", () => {
    const projection = fold([child, epoch("open", "gone"), inherited(), boot("b2"), ...START.slice(2)]);
    expect(projection.overrides).toEqual({ open: false, gone: false });
    expect(projection.host).toMatchObject({ parent: PARENT, boots: 1, ended: "crash" });
    expect([...projection.unresolved]).toEqual([["e1", { seq: 2, tool: "open", session: "s1" }]]);
    expect(projection.counters.interrupted).toBe(0);
    const restored = Projection.restore(projection.size - 1, JSON.parse(JSON.stringify(projection.snapshot())));
    expect(restored.snapshot()).toEqual(projection.snapshot());
    expect(restored.host.parent).toEqual(PARENT);
  });
});
