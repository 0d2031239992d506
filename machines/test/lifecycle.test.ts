/** The root passes its phases in the legal order and no other, and gives up on what it cannot do without. */
import { describe, expect, it } from "vitest";
import { type AnyMachineSnapshot, createActor, type EventObject } from "xstate";
import { LIFECYCLE_VERSION, lifecycleMachine, type Phase, phaseOf, type Subsystem } from "../src/lifecycle.ts";
import { definitions, explore, run } from "./machine-table.ts";

const SUBSYSTEMS: readonly Subsystem[] = ["memory", "registry", "policy", "observability"];
const INPUT = { restartsMax: 3, windowMs: 60_000 };

const crash = (subsystem: string, atMs: number): EventObject & { error: unknown } => ({
  type: `xstate.error.actor.${subsystem}`,
  error: { code: "FEMTO_POLICY_ERROR", reason: "it broke", atMs },
});
const restart = (subsystem: string) => ({ type: "subsystem.restart", subsystem });

const PLAIN = [
  ...["integrity.verified", "configuration.loaded", "memory.ready", "registry.ready", "policy.ready"],
  ...["observability.ready", "execution.began", "execution.ended", "drain", "drained", "shutdown", "stopped"],
];
const EVENTS: readonly EventObject[] = [
  ...PLAIN.map((type) => ({ type })),
  { type: "fault", fault: { code: "FEMTO_INTERNAL", reason: "a test" } } as EventObject,
  ...SUBSYSTEMS.flatMap((subsystem) => [crash(subsystem, 0), restart(subsystem)]),
];

const INITIALIZING = [
  ...["verifyingIntegrity", "loadingConfiguration", "openingMemory", "loadingRegistry", "loadingPolicy"],
  "startingObservability",
];
const STEPS = ["integrity.verified", "configuration.loaded", "memory.ready", "registry.ready", "policy.ready"];

/** The legal moves from phase to phase. */
const PHASES: readonly string[] = [
  ...STEPS.map((event, index) => `${INITIALIZING[index]} ${event} ${INITIALIZING[index + 1]}`),
  "startingObservability observability.ready idle",
  ...INITIALIZING.flatMap((phase) => [`${phase} fault error`, `${phase} shutdown shuttingDown`]),
  "idle execution.began executing",
  "idle drain draining",
  "idle fault error",
  "executing execution.ended idle",
  "executing drain draining",
  "executing fault error",
  "draining drained shuttingDown",
  "draining fault error",
  "error shutdown shuttingDown",
  "shuttingDown stopped terminated",
];

const regions = (snapshot: AnyMachineSnapshot): string =>
  SUBSYSTEMS.map((subsystem) => (snapshot.value as Record<string, string>)[subsystem]).join(",");

/** Phase, regions, and how many crashes count, so that every way through the limits is walked. */
const nameOf = (snapshot: AnyMachineSnapshot): string => {
  const crashes = SUBSYSTEMS.map((subsystem) => snapshot.context.crashesMs[subsystem].length);
  return `${phaseOf(snapshot.value)}/${regions(snapshot)}/${crashes.join(",")}`;
};

const at = (...events: readonly (string | EventObject)[]): AnyMachineSnapshot =>
  run(
    lifecycleMachine,
    events.map((event) => (typeof event === "string" ? { type: event } : event)),
    INPUT,
  );
const TO_IDLE = [...STEPS, "observability.ready"];

describe("the phases", () => {
  // One subsystem that may be lost and one that may not show every combination without 7^4 of them.
  const pair = EVENTS.filter(({ type }) => !type.endsWith("memory") && !type.endsWith("registry")).filter(
    (event) => !("subsystem" in event) || event["subsystem"] === "policy" || event["subsystem"] === "observability",
  );
  const { table, snapshots } = explore(lifecycleMachine, pair, nameOf, { ...INPUT, restartsMax: 1 });
  const moves = table.map((row) => {
    const [from = "", event = "", to = ""] = row.split(" ");
    return { from, event, to, fromPhase: from.split("/")[0], toPhase: to.split("/")[0] };
  });

  it("follow each other in the legal order alone, whatever the subsystems do", () => {
    const seen = new Set(
      moves
        .filter(({ event, fromPhase, toPhase }) => PLAIN.includes(event) || event === "fault" || fromPhase !== toPhase)
        .filter(({ event }) => !event.startsWith("xstate.error"))
        .map(({ fromPhase, event, toPhase }) => `${fromPhase} ${event} ${toPhase}`),
    );
    expect([...seen].sort()).toEqual([...PHASES].sort());
  });

  const policyOf = (name: string): string | undefined => name.split("/")[1]?.split(",")[2];

  it("are left for `error` by a crash only when policy is lost, and not once the end has begun", () => {
    const ofCrashes = moves.filter(({ event }) => event.startsWith("xstate.error"));
    expect(ofCrashes.some(({ fromPhase, toPhase }) => fromPhase !== "error" && toPhase === "error")).toBe(true);
    for (const { from, event, to, fromPhase, toPhase } of ofCrashes) {
      const lostNow = policyOf(from) !== "lost" && policyOf(to) === "lost";
      const ending = ["error", "shuttingDown", "terminated"].includes(fromPhase ?? "");
      expect(toPhase, `${from} ${event}`).toBe(lostNow && !ending ? "error" : fromPhase);
    }
  });

  it("are all reached, and nothing leaves `terminated`", () => {
    const reached = new Set([...snapshots.values()].map(({ value }) => phaseOf(value)));
    const all: Phase[] = [...(INITIALIZING as Phase[]), "idle", "executing", "draining", "error", "shuttingDown"];
    expect(reached).toEqual(new Set([...all, "terminated"]));
    for (const { from, to } of moves.filter(({ fromPhase }) => fromPhase === "terminated")) {
      expect(to.startsWith("terminated/"), from).toBe(true);
    }
  });

  it("need no timer", () => {
    const nodes = definitions(lifecycleMachine);
    // The root, the region of the phases with each of them, and a region of each subsystem with its states.
    const phases = new Set(PHASES.flatMap((move) => [move.split(" ")[0], move.split(" ")[2]]));
    expect(nodes.length).toBeGreaterThan(1 + 1 + phases.size + SUBSYSTEMS.length);
    for (const { after } of nodes) expect(after).toBe(0);
  });

  it("keep the first fault as evidence", () => {
    const fault = (reason: string) => ({ type: "fault", fault: { code: "FEMTO_INTERNAL", reason } });
    const { context } = at(...TO_IDLE, fault("first"), fault("second"));
    expect(context.fault).toEqual({ code: "FEMTO_INTERNAL", reason: "first" });
  });
});

describe.each(SUBSYSTEMS)("%s", (subsystem) => {
  const regionOf = (snapshot: AnyMachineSnapshot): unknown => (snapshot.value as Record<string, unknown>)[subsystem];
  const crashes = (...timesMs: number[]): EventObject[] =>
    timesMs.flatMap((atMs) => [crash(subsystem, atMs), restart(subsystem)]);

  it("is restarted when told so, up to its limit, then lost for good", () => {
    expect(regionOf(at(...TO_IDLE, crash(subsystem, 1)))).toBe("backoff");
    expect(regionOf(at(...TO_IDLE, ...crashes(1)))).toBe("up");
    expect(regionOf(at(...TO_IDLE, ...crashes(1, 2, 3)))).toBe("up");
    const lost = at(...TO_IDLE, ...crashes(1, 2, 3, 4));
    expect(regionOf(lost)).toBe("lost");
    expect(phaseOf(lost.value)).toBe(subsystem === "observability" ? "idle" : "error");
    expect(lost.context.fault).toEqual(
      subsystem === "observability" ? null : { code: "FEMTO_SUBSYSTEM_LOST", reason: `${subsystem}: it broke` },
    );
  });

  it("counts crashes of the window alone, with the times that the crashes themselves bring", () => {
    const { windowMs } = INPUT;
    const spread = at(...TO_IDLE, ...crashes(0, windowMs / 2, windowMs - 1, windowMs));
    expect(regionOf(spread)).toBe("up");
    expect(spread.context.crashesMs[subsystem]).toEqual([windowMs / 2, windowMs - 1, windowMs]);
    expect(regionOf(at(...TO_IDLE, ...crashes(0, 1, 2, windowMs - 1)))).toBe("lost");
    // A clock that goes back forgives nothing.
    expect(regionOf(at(...TO_IDLE, ...crashes(windowMs, windowMs, windowMs, 0)))).toBe("lost");
  });

  it("is not restarted by the word of another, nor while it runs", () => {
    const others = SUBSYSTEMS.filter((other) => other !== subsystem).map(restart);
    expect(regionOf(at(...TO_IDLE, crash(subsystem, 1), ...others))).toBe("backoff");
    const running = at(...TO_IDLE);
    expect(at(...TO_IDLE, restart(subsystem)).value).toEqual(running.value);
  });

  it("that crashes without a shape counts as crashed, at the beginning of time", () => {
    const { context, status } = at(...TO_IDLE, { type: `xstate.error.actor.${subsystem}` });
    expect(status).toBe("active");
    expect(context.crashesMs[subsystem]).toEqual([0]);
  });
});

it("invokes its subsystems and the executions by name, so that they can be found and persisted", () => {
  const actor = createActor(lifecycleMachine).start();
  for (const name of [...SUBSYSTEMS, "executions"]) expect(actor.system.get(name), name).toBeDefined();
  expect(actor.system.get("memory").getSnapshot().value).toBe("closed");
  actor.stop();
  expect(lifecycleMachine.version).toBe(LIFECYCLE_VERSION);
});
