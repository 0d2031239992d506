/** Listeners see every actor and can hurt none; the live actors are where the records say that they are. */
import { Projection } from "@femtoclaw/runtime";
import { describe, expect, it, onTestFinished } from "vitest";
import type { InspectionEvent } from "xstate";
import { call, capability, misbehaving, recordsOf, startRuntime, temporaryHome } from "./runtime-fixture.ts";

const capabilities = [
  capability("quick"),
  misbehaving("throws", () => {
    throw new Error("boom");
  }),
];

/** The warnings of this process while the test runs. */
function collectWarnings(): string[] {
  const warnings: string[] = [];
  const listen = ({ message }: Error): void => void warnings.push(message);
  process.on("warning", listen);
  onTestFinished(() => void process.off("warning", listen));
  return warnings;
}

const LISTENERS: Readonly<Record<string, () => unknown>> = {
  throws: () => {
    throw new Error("no entry");
  },
  "throws what has no text": () => {
    throw Object.create(null);
  },
  "fails later": async () => {
    await null;
    throw new Error("no entry");
  },
};

describe.each(Object.entries(LISTENERS))("a listener that %s", (_what, listener) => {
  it("to inspection or to the log changes nothing but adds a warning", async () => {
    const warnings = collectWarnings();
    const runtime = await startRuntime({ capabilities, inspect: listener, log: listener });
    const session = runtime.openSession({ channel: "library" });
    const replies = [
      await session.propose({ message: { content: "x" } }),
      await session.propose(call("quick")),
      await session.propose(call("throws")),
      await session.propose(call("nobody")),
    ];
    expect(replies.map(({ status }) => status)).toEqual(["completed", "completed", "error", "denied"]);
    await runtime.switchCapability({ name: "quick", enabled: false, by: "operator" });
    expect(runtime.status()).toMatchObject({ phase: "idle", running: 0 });
    await runtime.close();
    expect(runtime.status().phase).toBe("terminated");
    await expect.poll(() => warnings.some((text) => text.includes("an inspection listener threw"))).toBe(true);
    expect(warnings.some((text) => text.includes("the listener to the log threw"))).toBe(true);
  });
});

describe("inspection", () => {
  it("shows every actor, with what it takes and where it goes", async () => {
    const seen = new Map<string, Set<string>>();
    const runtime = await startRuntime({
      capabilities,
      inspect: ({ type, actorRef }) => {
        const { id } = actorRef as { readonly id?: string };
        seen.set(id ?? "", (seen.get(id ?? "") ?? new Set()).add(type));
      },
    });
    const { execution_id } = await runtime.openSession({ channel: "library" }).propose(call("quick"));
    for (const id of ["memory", "registry", "policy", "observability", "executions", execution_id]) {
      expect(seen.get(id), id).toContain("@xstate.actor");
      expect(seen.get(id), id).toContain("@xstate.event");
      expect(seen.get(id), id).toContain("@xstate.snapshot");
    }
    // The root has no name of its own.
    expect([...seen.keys()].some((id) => /^x:\d+$/.test(id))).toBe(true);
  });
});

describe("the live actors at rest", () => {
  /** The newest snapshot of every actor that was inspected, by name. */
  class Watch {
    readonly #latest = new Map<string, { value: unknown; context: unknown }>();
    readonly inspect = (event: InspectionEvent): void => {
      if (event.type !== "@xstate.snapshot") return;
      const { id } = event.actorRef as { readonly id?: string };
      const snapshot = event.snapshot as unknown as { value: unknown; context: unknown };
      const isRoot = typeof snapshot.value === "object";
      this.#latest.set(isRoot ? "lifecycle" : (id ?? ""), snapshot);
    };

    expectAsRecorded(projection: Pick<Projection, "machine">): void {
      for (const name of ["lifecycle", "memory", "registry", "policy", "observability"] as const) {
        const live = this.#latest.get(name);
        const { value, context } = projection.machine(name);
        expect({ value: live?.value, context: live?.context }, name).toEqual({ value, context });
      }
    }
  }

  it("are where the projection and the fold of the stored records say", async () => {
    const home = temporaryHome();
    for (const round of [1, 2, 3]) {
      const watch = new Watch();
      const runtime = await home.start({ capabilities, inspect: watch.inspect });
      watch.expectAsRecorded(runtime.projection);
      const session = runtime.openSession({ channel: "library" });
      const tools = ["quick", "throws", "nobody", "quick"];
      await Promise.all(Array.from({ length: 60 }, (_, index) => session.propose(call(tools[index % 4] ?? ""))));
      await runtime.switchCapability({ name: "quick", enabled: round % 2 === 0, by: "operator" });
      await runtime.switchCapability({ name: "throws", enabled: true, by: "operator" });
      watch.expectAsRecorded(runtime.projection);
      const folded = new Projection();
      for (const record of await recordsOf(runtime.reader)) folded.apply(record);
      watch.expectAsRecorded(folded);
      expect(folded.snapshot()).toEqual(runtime.projection.snapshot());
      await runtime.close();
    }
  });

  it("are there too while calls run and after telemetry degraded", async () => {
    const watch = new Watch();
    let change: ((state: "exporting" | "degraded", cursor: number, reason?: string) => void) | undefined;
    const running = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const waits = capability("waits", async () => {
      running.resolve();
      await finish.promise;
      return {};
    });
    const runtime = await startRuntime({
      capabilities: [waits],
      inspect: watch.inspect,
      telemetry: {
        kind: "otlp",
        start: async ({ onChange }) => {
          change = onChange;
          return 0;
        },
        wake: () => undefined,
        stop: async () => 0,
      },
    });
    const reply = runtime.openSession({ channel: "library" }).propose(call("waits"));
    await running.promise;
    change?.("degraded", 4, "no route");
    await runtime.switchCapability({ name: "waits", enabled: true, by: "operator" });
    expect(runtime.status()).toMatchObject({ phase: "executing", observability: "degraded" });
    watch.expectAsRecorded(runtime.projection);
    finish.resolve();
    await reply;
    change?.("exporting", 5);
    await runtime.switchCapability({ name: "waits", enabled: true, by: "operator" });
    expect(runtime.status()).toMatchObject({ phase: "idle", observability: "exporting" });
    watch.expectAsRecorded(runtime.projection);
  });
});
