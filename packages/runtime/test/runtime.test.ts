/** A runtime's life: what a start refuses, how it ends, and what goes on when it starts again. */
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { builtinCapabilities } from "@femtoclaw/capabilities";
import { type CompiledPolicy, createPolicyEngine } from "@femtoclaw/policy";
import type { Configuration, Reply } from "@femtoclaw/protocol";
import {
  createRuntime,
  type LogEntry,
  listExecutions,
  type Surroundings,
  showExecution,
  systemSurroundings,
} from "@femtoclaw/runtime";
import { describe, expect, it } from "vitest";
import {
  Barrier,
  call,
  capability,
  misbehaving,
  ofType,
  recordsOf,
  type StartOptions,
  startRuntime,
  temporaryHome,
} from "./runtime-fixture.ts";

const quick = capability("quick", ({ args }) => ({ got: args["n"] ?? null }));

describe("a start", () => {
  it("passes every phase in order, and records them first thing", async () => {
    const log: LogEntry[] = [];
    const runtime = await startRuntime({ capabilities: [quick], log: (entry) => log.push(entry) });
    const records = await recordsOf(runtime.reader);
    expect(records.map(({ type }) => type)).toEqual([
      ...["log.created", "boot.started", "lifecycle.changed", "lifecycle.changed", "lifecycle.changed"],
      ...["registry.loaded", "lifecycle.changed", "policy.activated", "lifecycle.changed"],
      ...["observability.started", "lifecycle.changed"],
    ]);
    expect(log.map(({ to }) => to)).toEqual(ofType(records, "lifecycle.changed").map(({ body }) => body.to));
    expect(runtime.status()).toMatchObject({
      phase: "idle",
      boots: 1,
      records: records.length,
      running: 0,
      queued: 0,
      observability: "exporting",
      sandbox: null,
      fault: null,
      integrity: "unverified",
      capabilities: { enabled: 1, registered: builtinCapabilities.length + 1 },
    });
  });

  it("fails for a bad capability, leaves nothing open, and says why in the journal", async () => {
    const home = temporaryHome();
    const bad = [
      { ...quick, manifest: { ...quick.manifest, name: "Not A Name" } },
      { ...quick, manifest: { ...quick.manifest, name: "fs_read" } },
      { ...quick, manifest: { ...quick.manifest, input: { type: "object" } } },
      { ...quick, manifest: { ...quick.manifest, output: { type: "no such type" } } },
    ];
    for (const one of bad) {
      await expect(createRuntime({ configuration: home.configuration(), capabilities: [one] })).rejects.toMatchObject({
        code: "FEMTO_CONFIG_INVALID",
      });
    }
    await expect(home.start({ configuration: { capabilities: { quikc: true } } })).rejects.toMatchObject({
      code: "FEMTO_CONFIG_INVALID",
    });
    const runtime = await home.start({ capabilities: [quick] });
    const faults = ofType(await recordsOf(runtime.reader), "lifecycle.changed").filter(({ body }) => body.fault);
    expect(faults).toHaveLength(5);
    for (const { body } of faults) {
      expect(body).toMatchObject({ event: "fault", to: "error", fault: { code: "FEMTO_CONFIG_INVALID" } });
    }
    expect(runtime.projection.host).toMatchObject({ boots: 6 });
    await runtime.close();
  });

  it("of a second runtime over the same state is refused while the first lives", async () => {
    const home = temporaryHome();
    const first = await home.start({ capabilities: [quick] });
    await expect(home.start()).rejects.toMatchObject({ code: "FEMTO_JOURNAL_LOCKED" });
    const session = first.openSession({ channel: "library" });
    expect(await session.propose(call("quick"))).toMatchObject({ status: "completed" });
    await first.close();
    await (await home.start()).close();
  });

  it("over a state that others may write is refused", async () => {
    const home = temporaryHome();
    await (await home.start()).close();
    chmodSync(home.state, 0o777);
    await expect(home.start()).rejects.toMatchObject({ code: "FEMTO_STATE_MODE" });
  });

  it("with a permit for a capability that does not exist is refused", async () => {
    const home = temporaryHome();
    await expect(home.start({ capabilities: [quick], permit: ["nobody"] })).rejects.toMatchObject({
      code: expect.stringMatching(/^FEMTO_(POLICY|CONFIG)_INVALID$/),
    });
  });
});

describe("a restart", () => {
  const capabilities = [
    quick,
    capability("switched"),
    misbehaving("fails", async () => {
      throw new Error("boom");
    }),
  ];

  it("goes on with history, counters, switches and numbers", async () => {
    const home = temporaryHome();
    const first = await home.start({ capabilities, configuration: { capabilities: { switched: true } } });
    const session = first.openSession({ channel: "library" });
    const replies: Reply[] = [];
    for (const message of [call("quick", { n: 1 }), call("fails"), call("nobody"), { message: { content: "x" } }]) {
      replies.push(await session.propose(message));
    }
    await first.switchCapability({ name: "switched", enabled: false, by: "operator" });
    const { counters } = first.projection;
    const size = first.reader.size;
    await first.close();

    const second = await home.start({ capabilities, configuration: { capabilities: { switched: true } } });
    expect(second.projection.counters).toEqual(counters);
    expect(second.projection.host.boots).toBe(2);
    expect(second.boot).not.toBe(first.boot);
    expect(second.capabilities().find(({ name }) => name === "switched")).toMatchObject({
      enabled: false,
      source: "operator",
      locked: false,
    });
    const records = await recordsOf(second.reader);
    expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index));
    expect(records.length).toBeGreaterThan(size);
    for (const reply of replies) {
      const shown = await showExecution(second.reader, reply.execution_id);
      expect(shown?.view).toMatchObject(reply);
    }
    const reply = await second.openSession({ channel: "library" }).propose(call("quick"));
    expect(reply.record?.seq).toBeGreaterThan(records.length);
    await second.close();
  });

  it("never gives up a lock of the configuration for an earlier switch", async () => {
    const home = temporaryHome();
    const first = await home.start({ capabilities });
    await first.switchCapability({ name: "switched", enabled: true, by: "operator" });
    await first.close();
    const locked = await home.start({ capabilities, configuration: { capabilities: { switched: false } } });
    expect(locked.capabilities().find(({ name }) => name === "switched")).toMatchObject({
      enabled: false,
      locked: true,
      source: "configuration",
    });
    await expect(locked.switchCapability({ name: "switched", enabled: true, by: "operator" })).rejects.toMatchObject({
      code: "FEMTO_CAPABILITY_DISABLED",
    });
    for (const name of ["nobody", "constructor", "__proto__", ""]) {
      for (const enabled of [true, false]) {
        await expect(locked.switchCapability({ name, enabled, by: "operator" }), name).rejects.toMatchObject({
          code: "FEMTO_CAPABILITY_NOT_FOUND",
        });
      }
    }
    await locked.close();
    const unlocked = await home.start({ capabilities });
    expect(unlocked.capabilities().find(({ name }) => name === "switched")).toMatchObject({ enabled: true });
    await unlocked.close();
  });

  it("validates a policy anew unless the boot before it activated the same revision", async () => {
    const home = temporaryHome();
    const asked: (boolean | undefined)[] = [];
    const surroundings: Surroundings = {
      ...systemSurroundings(),
      openPolicyEngine: async (options) => {
        const engine = await createPolicyEngine(options);
        const activate = engine.activate.bind(engine);
        return Object.assign(engine, {
          activate: (policy: CompiledPolicy, before?: boolean) => {
            asked.push(before);
            activate(policy, before);
          },
        });
      },
    };
    const live = async (options: StartOptions = {}) => {
      await (await home.start({ capabilities: [quick], surroundings, ...options })).close();
    };
    await live();
    await live();
    const other: Configuration = { deny: { read: ["workspace/secret"] } };
    await live({ configuration: other });
    await live();
    await live();
    expect(asked).toEqual([false, true, false, false, true]);

    // A boot that ended before its policy was in force says nothing of it.
    const broken: Surroundings = { ...surroundings, openPolicyEngine: () => Promise.reject(new Error("no engine")) };
    await expect(live({ surroundings: broken })).rejects.toThrow("no engine");
    await live();
    // One that was killed says as much as one that ended in order.
    const killed = await home.start({ capabilities: [quick], surroundings });
    const restore = home.losePower();
    await killed.close();
    restore();
    await live();
    expect(asked.slice(5)).toEqual([false, true, true]);
  });

  it("says how the last boot ended, and whether the configuration changed", async () => {
    const home = temporaryHome();
    const bootsOf = async (configuration: Configuration = {}) => {
      const runtime = await home.start({ capabilities, configuration });
      return { runtime, boot: ofType(await recordsOf(runtime.reader), "boot.started").at(-1)?.body };
    };
    const first = await bootsOf();
    expect(first.boot).toMatchObject({ previous_boot: null, previous_end: "none", configuration: { changed: false } });
    await first.runtime.close();
    const second = await bootsOf();
    expect(second.boot).toMatchObject({
      previous_boot: first.runtime.boot,
      previous_end: "clean",
      configuration: { changed: false },
    });
    const crash = home.losePower();
    await second.runtime.close();
    crash();
    const third = await bootsOf();
    expect(third.boot).toMatchObject({ previous_boot: second.runtime.boot, previous_end: "crash" });
    await third.runtime.close();
    const fourth = await bootsOf({ limits: { timeout_ms: 1_234 } });
    expect(fourth.boot).toMatchObject({ previous_end: "clean", configuration: { changed: true } });
    await fourth.runtime.close();
  });

  it("calls interrupted what a crash left open, once, and never runs it again", async () => {
    const home = temporaryHome();
    const barrier = new Barrier(3);
    const began: unknown[] = [];
    const waits = capability("waits", async ({ args }) => {
      began.push(args["n"]);
      await barrier.arrive();
      return {};
    });
    const first = await home.start({ capabilities: [waits] });
    const session = first.openSession({ channel: "agent" });
    const running = [1, 2, 3].map((n) => session.propose(call("waits", { n })));
    await barrier.reached;
    const open = first.projection.open;
    expect(first.status().phase).toBe("executing");
    const crash = home.losePower();
    barrier.open();
    await Promise.all(running);
    await first.close();

    crash();
    const log: LogEntry[] = [];
    for (const boots of [2, 3]) {
      const again = await home.start({
        capabilities: [waits],
        log: (entry) => log.push(entry),
      });
      const interrupted = ofType(await recordsOf(again.reader), "execution.interrupted");
      expect(new Map(interrupted.map(({ execution, body }) => [execution, body.intent]))).toEqual(
        new Map([...open].map(([execution, { intent }]) => [execution, intent])),
      );
      expect(interrupted).toHaveLength(3);
      expect(again.status()).toMatchObject({ phase: "idle", boots });
      expect(again.projection.open.size).toBe(0);
      const views = await listExecutions(again.reader, { limit: 10, status: "interrupted" });
      expect(views.map(({ execution_id }) => execution_id).sort()).toEqual([...open.keys()].sort());
      for (const view of views) {
        expect(view).toMatchObject({ decision: "AUTHORIZED", tool: "waits", session: session.id });
        expect(view.error).toMatchObject({ error_type: "RuntimeError", code: "FEMTO_EXECUTION_INTERRUPTED" });
      }
      await again.close();
    }
    expect(began.sort()).toEqual([1, 2, 3]);
    expect(log.filter(({ event }) => event === "execution.interrupted").map((entry) => entry["count"])).toEqual([3]);
  });

  it("takes snapshots as often as it is told, and needs none of them", async () => {
    const home = temporaryHome();
    const first = await home.start({ capabilities, snapshotEveryRecords: 10 });
    const session = first.openSession({ channel: "library" });
    for (let n = 0; n < 20; n += 1) await session.propose(call("quick", { n }));
    expect((await first.reader.snapshots()).length).toBeGreaterThan(4);
    const { counters } = first.projection;
    await first.close();
    const second = await home.start({ capabilities, snapshotEveryRecords: 1_000_000 });
    expect(second.projection.counters).toEqual(counters);
    await second.close();
  });
});

describe("an end", () => {
  const DRAINED = ["draining", "shuttingDown"];

  it("waits for what runs, and takes nothing more", async () => {
    const home = temporaryHome();
    const barrier = new Barrier(50);
    const waits = capability("waits", async () => {
      await barrier.arrive();
      return {};
    });
    const runtime = await home.start({ capabilities: [waits, quick] });
    const session = runtime.openSession({ channel: "library" });
    const running = Array.from({ length: 50 }, () => session.propose(call("waits")));
    await barrier.reached;
    const closing = runtime.close();
    expect(runtime.close()).toBe(closing);
    const late = await session.propose(call("quick"));
    expect(late).toMatchObject({ status: "error", decision: null, record: null });
    expect(late.error).toMatchObject({ error_type: "SystemError", code: "FEMTO_DRAINING" });
    barrier.open();
    for (const reply of await Promise.all(running)) expect(reply).toMatchObject({ status: "completed" });
    await closing;
    await expect(session.propose(call("quick"))).rejects.toThrow("the session is closed");
    expect(runtime.status().phase).toBe("terminated");

    const again = await home.start();
    const records = await recordsOf(again.reader);
    expect(ofType(records, "boot.started")[1]?.body.previous_end).toBe("clean");
    expect(ofType(records, "session.closed").map(({ body }) => body.executions)).toEqual([51]);
    const phases = ofType(records, "lifecycle.changed").filter(({ boot }) => boot === runtime.boot);
    expect(phases.slice(-2).map(({ body }) => body.to)).toEqual(DRAINED);
    await again.close();
  });

  it("stops what does not end in time, each with an outcome", async () => {
    const home = temporaryHome();
    const barrier = new Barrier(50);
    const obeys = capability("obeys", async ({ signal }) => {
      await Promise.race([
        barrier.arrive(),
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
      ]);
      return {};
    });
    const runtime = await home.start({ capabilities: [obeys] });
    const session = runtime.openSession({ channel: "library" });
    // Some wait for a place, too; they are halted and have no effect.
    const all = Array.from({ length: 80 }, () => session.propose(call("obeys")));
    await barrier.reached;
    await runtime.close({ drainMs: 20 });
    const codes = (await Promise.all(all)).map(({ error }) => error?.code);
    expect(codes.filter((code) => code === "FEMTO_CAPABILITY_CANCELLED").length).toBeGreaterThanOrEqual(50);
    expect(new Set(codes)).toEqual(new Set(["FEMTO_CAPABILITY_CANCELLED", "FEMTO_EXECUTION_HALTED"]));
    const again = await home.start();
    const records = await recordsOf(again.reader);
    expect(ofType(records, "execution.outcome")).toHaveLength(ofType(records, "execution.intent").length);
    expect(ofType(records, "execution.interrupted")).toEqual([]);
    await again.close();
  });

  it("can be hurried", async () => {
    const started = Promise.withResolvers<void>();
    const obeys = capability("obeys", async ({ signal }) => {
      started.resolve();
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
      return {};
    });
    const runtime = await startRuntime({ capabilities: [obeys] });
    const reply = runtime.openSession({ channel: "library" }).propose(call("obeys"));
    await started.promise;
    const closing = runtime.close({ drainMs: 60_000 });
    runtime.hurry();
    expect((await reply).error).toMatchObject({ code: "FEMTO_CAPABILITY_CANCELLED" });
    await closing;
  });

  it("does not wait for ever for a capability that never ends, and calls its execution what it is", async () => {
    const home = temporaryHome();
    const started = Promise.withResolvers<void>();
    const never = misbehaving("never", () => {
      started.resolve();
      return new Promise(() => undefined);
    });
    const runtime = await home.start({ capabilities: [never] });
    const reply = runtime.openSession({ channel: "library" }).propose(call("never"));
    await started.promise;
    await runtime.close({ drainMs: 0 });
    expect((await reply).error).toMatchObject({ code: "FEMTO_CAPABILITY_CANCELLED" });
    const again = await home.start();
    expect(ofType(await recordsOf(again.reader), "execution.interrupted")).toEqual([]);
    await again.close();
  });

  it("leaves no door open", async () => {
    const runtime = await startRuntime({ capabilities: [quick] });
    await runtime.close();
    const draining = expect.objectContaining({ code: "FEMTO_DRAINING" });
    expect(() => runtime.openSession({ channel: "library" })).toThrow(draining);
    await expect(runtime.switchCapability({ name: "quick", enabled: false, by: "operator" })).rejects.toMatchObject({
      code: expect.stringMatching(/^FEMTO_(JOURNAL_CLOSED|CAPABILITY_NOT_FOUND)$/),
    });
  });
});

describe("a journal that was meddled with", () => {
  it("keeps the runtime from starting, and is left as it was", async () => {
    const home = temporaryHome();
    await (await home.start({ capabilities: [quick] })).close();
    const current = join(home.state, "journal", "CURRENT");
    expect(existsSync(current)).toBe(true);
    writeFileSync(current, "MANIFEST-999999\n");
    await expect(home.start()).rejects.toMatchObject({ code: "FEMTO_JOURNAL_CORRUPT" });
  });
});
