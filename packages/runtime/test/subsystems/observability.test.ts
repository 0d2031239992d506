/** Telemetry may fail at any time and in any way, and nothing else does. */
import { LIMITS } from "@femtoclaw/protocol";
import type { TelemetryExporter, TelemetrySource } from "@femtoclaw/runtime";
import { describe, expect, it } from "vitest";
import { call, capability, ofType, recordsOf, type StartOptions, temporaryHome } from "../runtime-fixture.ts";

const never = new Promise<never>(() => undefined);

function exporter(changes: Partial<TelemetryExporter>): TelemetryExporter {
  return { kind: "otlp", start: async () => 7, wake: () => undefined, stop: async () => 7, ...changes };
}

/** Runs one call with the exporter, and gives the records of telemetry and how the boot ended. */
async function runWith(changes: Partial<TelemetryExporter>, during?: () => void) {
  const home = temporaryHome();
  const options: StartOptions = { capabilities: [capability("quick")] };
  const runtime = await home.start({ ...options, telemetry: exporter(changes) });
  const reply = await runtime.openSession({ channel: "library" }).propose(call("quick"));
  expect(reply).toMatchObject({ status: "completed" });
  during?.();
  expect(runtime.status().phase).toBe("idle");
  const live = runtime.status().observability;
  await runtime.close();
  expect(runtime.status().phase).toBe("terminated");
  const again = await home.start(options);
  const records = await recordsOf(again.reader);
  await again.close();
  expect(ofType(records, "boot.started").at(-1)?.body.previous_end).toBe("clean");
  const [started] = ofType(records, "observability.started");
  return { live, started: started?.body, changes: ofType(records, "observability.changed").map(({ body }) => body) };
}

describe("an exporter", () => {
  it("that works is told of commits, and flushed at the end", async () => {
    const story: string[] = [];
    let source: TelemetrySource | undefined;
    const { live, started, changes } = await runWith({
      start: async (given) => {
        source = given;
        story.push("start");
        return 7;
      },
      wake: () => void story.push("wake"),
      stop: async () => story.push("stop"),
    });
    expect([live, started, changes]).toEqual(["exporting", { exporter: "otlp", cursor: 7, state: "exporting" }, []]);
    expect(story[0]).toBe("start");
    expect(story).toContain("wake");
    expect(story.filter((step) => step === "stop")).toHaveLength(1);
    expect(source?.size()).toBeGreaterThan(10);
  });

  it("that cannot start leaves telemetry degraded, which is recorded", async () => {
    const start = async (): Promise<number> => {
      throw new Error("no cursor");
    };
    const { live, started } = await runWith({ start });
    expect(live).toBe("degraded");
    expect(started).toEqual({ exporter: "otlp", cursor: 0, state: "degraded", reason: "no cursor" });
  });

  it("that says more than a record holds, and what is no text, is quoted in part", async () => {
    const book = `\ud800${"x".repeat(LIMITS.recordBytes)}`;
    const { changes } = await runWith({
      start: async ({ onChange }) => {
        onChange("degraded", 1, book);
        return 1;
      },
    });
    expect(changes).toMatchObject([{ state: "degraded", reason: expect.stringMatching(/^\ufffdx{999}…$/) }]);
    const start = async (): Promise<number> => {
      throw new Error(book);
    };
    expect((await runWith({ start })).started).toMatchObject({ state: "degraded" });
  });

  it("that reports before it has started is heard afterwards, in its order", async () => {
    const { live, started, changes } = await runWith({
      start: async ({ onChange }) => {
        onChange("degraded", 1, "no route");
        onChange("exporting", 2);
        onChange("degraded", 3, "no route again");
        return 1;
      },
    });
    expect(live).toBe("degraded");
    expect(started).toMatchObject({ state: "exporting" });
    expect(changes.map(({ state, cursor }) => [state, cursor])).toEqual([
      ["degraded", 1],
      ["exporting", 2],
      ["degraded", 3],
    ]);
  });

  it("that reports the same again and again is recorded once", async () => {
    let source: TelemetrySource | undefined;
    const start = async (given: TelemetrySource): Promise<number> => {
      source = given;
      return 0;
    };
    const { live, changes } = await runWith({ start }, () => {
      for (let count = 0; count < 100; count += 1) source?.onChange("degraded", count, "no route");
      source?.onChange("exporting", 100);
      source?.onChange("exporting", 101);
    });
    expect(live).toBe("exporting");
    expect(changes.map(({ state }) => state)).toEqual(["degraded", "exporting"]);
  });

  it("that throws when it is woken harms no commit", async () => {
    const { live } = await runWith({
      wake: () => {
        throw new Error("asleep");
      },
    });
    expect(live).toBe("exporting");
  });

  it("that fails to stop keeps nothing else from ending", async () => {
    await runWith({ stop: () => Promise.reject(new Error("it does not stop")) });
  });

  it("that never stops keeps nothing else from ending", async () => {
    await runWith({ stop: () => never });
  });

  it("that reports after the end changes nothing", async () => {
    let source: TelemetrySource | undefined;
    const { changes } = await runWith({
      start: async (given) => {
        source = given;
        return 0;
      },
    });
    source?.onChange("degraded", 9, "too late");
    expect(changes).toEqual([]);
  });
});
