/** A subsystem that crashes comes back after a pause where it was, until it has crashed too often. */
import { type JournalEntry, systemClock } from "@femtoclaw/journal";
import type { Crash, Subsystem } from "@femtoclaw/machines";
import { LIMITS } from "@femtoclaw/protocol";
import { describe, expect, it, onTestFinished } from "vitest";
import { Supervision } from "../src/actors/supervision.ts";
import { ActorSystem } from "../src/actors/system.ts";

const TO_IDLE = [
  ...["integrity.verified", "configuration.loaded", "memory.ready", "registry.ready", "policy.ready"],
  "observability.ready",
] as const;

/** A running system, a driver that can fail to come back, and everything that was recorded. */
class Stage {
  readonly records: JournalEntry[] = [];
  readonly lost: [Subsystem, Crash][] = [];
  readonly #states = new Map<string, { value: unknown; context: unknown }>();
  readonly system = new ActorSystem({ lastState: (subsystem) => this.#states.get(subsystem) });
  readonly supervision: Supervision;
  restarts = 0;
  failures = 0;
  nowMs = 1_000_000;

  constructor() {
    for (const type of TO_IDLE) this.system.advance({ type });
    this.system.send("policy", { type: "propose", revision: "r1" } as { type: string });
    this.system.send("policy", { type: "activate" });
    this.system.send("observability", { type: "started" });
    for (const name of ["policy", "observability"] as const) {
      const { value, context } = this.system.state(name) ?? { value: null, context: null };
      this.#states.set(name, { value, context });
    }
    const restart = async (): Promise<void> => {
      this.restarts += 1;
      if (this.failures === 0) return;
      this.failures -= 1;
      throw new Error("it does not come back");
    };
    this.supervision = new Supervision({
      system: this.system,
      restarters: { policy: restart, observability: restart },
      clock: { ...systemClock(), nowUs: () => this.nowMs * 1_000 },
      record: (entry) => this.records.push(entry),
      onLost: (subsystem, crash) => this.lost.push([subsystem, crash]),
    });
    onTestFinished(() => this.supervision.stop());
  }

  crash(subsystem: Subsystem = "policy"): void {
    this.supervision.crash(subsystem, "FEMTO_POLICY_ERROR", "it broke");
  }

  async back(subsystem: Subsystem = "policy"): Promise<void> {
    await expect.poll(() => this.system.isUp(subsystem), { interval: 5 }).toBe(true);
  }

  get story(): string[] {
    return this.records.map(({ type, body }) => ("decision" in body ? `${type} ${String(body.decision)}` : type));
  }
}

const CRASHED = "supervision.crashed restart";
const RESTARTED = "supervision.restarted";

describe("a subsystem that crashes", () => {
  it("is down at once, and comes back where it was", async () => {
    const stage = new Stage();
    const before = stage.system.state("policy");
    stage.crash();
    expect(stage.system.isUp("policy")).toBe(false);
    expect(stage.system.state("policy")).toBeUndefined();
    expect(stage.system.send("policy", { type: "activate" })).toBe(false);
    expect(stage.restarts).toBe(0);
    await stage.back();
    expect(stage.restarts).toBe(1);
    const after = stage.system.state("policy");
    expect([after?.value, after?.context]).toEqual([before?.value, before?.context]);
    expect(stage.story).toEqual([CRASHED, RESTARTED]);
    expect(stage.records[0]?.body).toEqual({
      subsystem: "policy",
      code: "FEMTO_POLICY_ERROR",
      reason: "it broke",
      at_ms: 1_000_000,
      decision: "restart",
    });
    expect(stage.system.phase).toBe("idle");
  });

  it("leaves the others as they are", async () => {
    const stage = new Stage();
    stage.crash("observability");
    for (const other of ["memory", "registry", "policy"] as const) expect(stage.system.isUp(other)).toBe(true);
    expect(stage.system.state("policy")?.value).toBe("active");
    await stage.back("observability");
    expect(stage.system.state("observability")?.value).toBe("exporting");
  });

  it("while it is down has not crashed again", async () => {
    const stage = new Stage();
    for (let count = 0; count < 10; count += 1) stage.crash();
    expect(stage.story).toEqual([CRASHED]);
    await stage.back();
    expect(stage.restarts).toBe(1);
  });

  it("too often within the window is given up, and the runtime with it", async () => {
    const stage = new Stage();
    for (let count = 0; count < LIMITS.restarts; count += 1) {
      stage.crash();
      await stage.back();
    }
    expect(stage.lost).toEqual([]);
    stage.crash();
    expect(stage.system.isLost("policy")).toBe(true);
    expect(stage.system.phase).toBe("error");
    expect(stage.lost).toEqual([["policy", { code: "FEMTO_POLICY_ERROR", reason: "it broke", atMs: 1_000_000 }]]);
    expect(stage.story).toEqual([
      ...Array(LIMITS.restarts).fill([CRASHED, RESTARTED]).flat(),
      "supervision.crashed give-up",
    ]);
    stage.crash();
    expect(stage.story).toHaveLength(2 * LIMITS.restarts + 1);
  });

  it("rarely is never given up, and its pause does not grow", async () => {
    const stage = new Stage();
    for (let count = 0; count < LIMITS.restarts + 2; count += 1) {
      stage.crash();
      expect(stage.system.crashesInWindow("policy")).toBe(1);
      await stage.back();
      stage.nowMs += LIMITS.restartWindowMs;
    }
    expect(stage.system.phase).toBe("idle");
  });

  it("and does not come back has crashed once more, so that the limit is reached", async () => {
    const stage = new Stage();
    stage.failures = Number.POSITIVE_INFINITY;
    stage.crash();
    await expect.poll(() => stage.system.isLost("policy")).toBe(true);
    expect(stage.system.phase).toBe("error");
    expect(stage.restarts).toBe(LIMITS.restarts);
    expect(stage.records.at(-1)?.body).toMatchObject({
      decision: "give-up",
      code: "FEMTO_SUBSYSTEM_LOST",
      reason: "it does not come back",
    });
  });

  it("as telemetry alone is lost without the runtime", async () => {
    const stage = new Stage();
    stage.failures = Number.POSITIVE_INFINITY;
    stage.crash("observability");
    await expect.poll(() => stage.system.isLost("observability")).toBe(true);
    expect(stage.system.phase).toBe("idle");
    expect(stage.lost.map(([subsystem]) => subsystem)).toEqual(["observability"]);
  });

  it("when everything ends is left as it is", async () => {
    const stage = new Stage();
    stage.crash();
    stage.supervision.stop();
    await new Promise((resolve) => setTimeout(resolve, 3 * LIMITS.restartBackoffMs));
    expect(stage.system.isUp("policy")).toBe(false);
    stage.crash("observability");
    expect(stage.story).toEqual([CRASHED]);
  });
});

describe("the root", () => {
  it("that fails itself is in no phase that takes calls", () => {
    const stage = new Stage();
    expect(stage.system.phase).toBe("idle");
    stage.system.advance({ type: "xstate.error.actor.executions", error: new Error("a bug") } as never);
    expect(stage.system.phase).toBe("error");
  });
});
