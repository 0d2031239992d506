/** Records on their way to a real receiver: every one of them at least once, whatever the receiver does. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Journal, type JournalEntry, systemClock } from "@femtoclaw/journal";
import { MACHINE_IDENTITIES } from "@femtoclaw/machines";
import { MemoryKeyring, MemoryStore } from "@femtoclaw/testing/in-memory";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Telemetry } from "../src/index.ts";
import type { TelemetryOptions, TelemetrySource } from "../src/telemetry.ts";
import { freePort, Receiver } from "./receiver.ts";

const DIGEST = "0".repeat(64);
const SESSION = "11111111-1111-4111-8111-111111111111";

let folder: string;
let journal: Journal;
let changes: string[];
beforeEach(async () => {
  folder = mkdtempSync("/tmp/ft-");
  changes = [];
  let ticks = 0;
  journal = await Journal.open({
    store: new MemoryStore(),
    keyring: new MemoryKeyring(),
    boot: "22222222-2222-4222-8222-222222222222",
    clock: { nowUs: () => 1_700_000_000_000_000 + ticks, monotonicUs: () => ++ticks, after: systemClock().after },
    machines: MACHINE_IDENTITIES,
  });
});
afterEach(async () => {
  await journal.close();
  rmSync(folder, { recursive: true });
});

const GAUGES = {
  ready: true,
  running: 1,
  queued: 2,
  unresolved: 3,
  waiting: 4,
  sessions: 5,
  terminals: 6,
  freeBytes: null,
  journalBytes: null,
};

/** Spans alone; what is said of other signals stands below. */
function exporterOf(endpoint: string, options: Partial<TelemetryOptions> = {}): Telemetry {
  return new Telemetry({ endpoint, signals: ["traces"], ...options });
}

function source(): TelemetrySource {
  return {
    reader: journal,
    stateDirectory: folder,
    log: journal.origin,
    size: () => journal.size,
    nowUs: () => 1_700_000_100_000_000,
    monotonicUs: () => 1_000_000,
    gauges: () => GAUGES,
    onChange: (state, cursor) => changes.push(`${state} at ${cursor}`),
  };
}

function intent(execution: string): JournalEntry {
  const question = { kind: "path", path: "/notes.txt", exists: true, type: "file", bytes: 7 } as const;
  return {
    type: "execution.intent",
    session: SESSION,
    execution,
    body: {
      tool: "fs_read",
      capability: "1.0.0",
      args: {},
      label: null,
      facts: { questions: [question] },
      input_sha256: DIGEST,
      revision: DIGEST,
      rules: [],
      received_us: 0,
    },
  };
}

function outcome(execution: string, intentSeq: number, failed = false): JournalEntry {
  const error = {
    error_type: "CapabilityError",
    code: "FEMTO_CAPABILITY_FAILED",
    reason: "it failed",
    fix: "Look.",
    timestamp: "2026-01-01T00:00:00.000Z",
  } as const;
  const ending = failed ? ({ event: "failed", error } as const) : ({ event: "succeeded", result: {} } as const);
  const body = { intent: intentSeq, began: true, duration_us: 5, sandbox: null, ...ending };
  return { type: "execution.outcome", session: SESSION, execution, body };
}

const overload: JournalEntry = {
  type: "overload.refused",
  session: null,
  execution: null,
  body: { count: 1, code: "FEMTO_OVERLOADED" },
};

/** Sequence numbers of the outcomes, which are what spans are made of. */
async function execute(count: number, failed = false): Promise<number[]> {
  const outcomes: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const id = `execution-${journal.size}`;
    const { seq } = await journal.append(intent(id));
    outcomes.push((await journal.append(outcome(id, seq, failed))).seq);
  }
  return outcomes;
}

const cursorOf = (): number => Number.parseInt(readFileSync(join(folder, "telemetry-cursor"), "utf8"), 10);

describe("what arrives", () => {
  test("is one span for each execution, from receipt to outcome, with names that others know", async () => {
    await using receiver = await Receiver.open();
    const [seq] = await execute(1);
    await execute(1, true);
    const exporter = exporterOf(`${receiver.endpoint}/`);
    expect(await exporter.start(source())).toBe(0);
    expect(await exporter.stop(5_000)).toBe(journal.size);
    expect(receiver.spans).toHaveLength(2);
    const [done, failed] = receiver.spans;
    expect(done).toMatchObject({
      name: "execute_tool fs_read",
      attributes: {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "fs_read",
        "gen_ai.tool.call.id": expect.stringMatching(/^execution-/),
        "gen_ai.conversation.id": SESSION,
        "femtoclaw.decision": "AUTHORIZED",
        "femtoclaw.record.seq": seq,
      },
    });
    expect(done?.endTimeUnixNano).toBeGreaterThan(done?.startTimeUnixNano ?? 0n);
    expect(failed).toMatchObject({ status: 2, attributes: { "error.type": "FEMTO_CAPABILITY_FAILED" } });
    expect(changes).toEqual([]);
  });

  test("is a child of the span that its proposer named, sampled or not, wherever its intent stands", async () => {
    await using receiver = await Receiver.open();
    const [traceId, parent] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
    const begun = intent("traced");
    const trace = { traceparent: `00-${traceId}-${parent}-00`, tracestate: "rojo=1,congo=2" };
    const { seq } = await journal.append({ ...begun, body: { ...begun.body, trace } } as JournalEntry);
    for (let other = 0; other < 600; other += 1) await journal.append(overload);
    await journal.append(outcome("traced", seq, true));
    await execute(1);
    const exporter = exporterOf(receiver.endpoint, { signals: ["traces", "logs"] });
    await exporter.start(source());
    await exporter.stop(5_000);
    const [traced, own] = receiver.spans;
    expect(traced).toMatchObject({ traceId, parentSpanId: parent, traceState: "rojo=1,congo=2" });
    expect(own).toMatchObject({ parentSpanId: "", traceState: "" });
    expect(own?.traceId).not.toBe(traceId);
    const line = receiver.logs.find(({ spanId }) => spanId === traced?.spanId);
    expect(line).toMatchObject({ traceId });
  });

  test("says in each signal of which log it is, because several hosts send to one collector", async () => {
    await using receiver = await Receiver.open();
    await execute(1, true);
    const exporter = exporterOf(receiver.endpoint, { signals: ["traces", "logs", "metrics"] });
    await exporter.start(source());
    await expect.poll(() => exporter.prometheus()).not.toBeNull();
    await exporter.stop(5_000);
    const log = JSON.stringify({ key: "service.instance.id", value: { stringValue: journal.origin } });
    expect(receiver.text.split(log)).toHaveLength(1 + 3);
  });

  test("has the same identifiers when it is sent again", async () => {
    await using receiver = await Receiver.open();
    await execute(3);
    for (let round = 0; round < 2; round += 1) {
      const exporter = exporterOf(receiver.endpoint);
      await exporter.start(source());
      await exporter.stop(5_000);
      rmSync(join(folder, "telemetry-cursor"));
    }
    const identities = receiver.spans.map(({ traceId, spanId }) => `${traceId}/${spanId}`);
    expect(identities).toHaveLength(6);
    expect(identities.slice(3)).toEqual(identities.slice(0, 3));
    expect(new Set(identities).size).toBe(3);
    expect(identities[0]).toMatch(/^[0-9a-f]{32}\/[0-9a-f]{16}$/);
  });

  test("is complete over many batches, and finds an intent that lies in an earlier one", async () => {
    await using receiver = await Receiver.open();
    const { seq } = await journal.append(intent("long-running"));
    const outcomes = await execute(700);
    outcomes.push((await journal.append(outcome("long-running", seq))).seq);
    const exporter = exporterOf(receiver.endpoint);
    await exporter.start(source());
    expect(await exporter.stop(10_000)).toBe(journal.size);
    expect(receiver.requests).toBeGreaterThan(2);
    expect(receiver.seqs).toEqual(outcomes);
    expect(receiver.spans.at(-1)?.attributes).toMatchObject({
      "gen_ai.tool.call.id": "long-running",
      "gen_ai.tool.name": "fs_read",
    });
  });

  test("is nothing for records that are no spans, and the cursor moves on all the same", async () => {
    await using receiver = await Receiver.open();
    for (let count = 0; count < 3; count += 1) await journal.append(overload);
    const exporter = exporterOf(receiver.endpoint);
    await exporter.start(source());
    expect(await exporter.stop(5_000)).toBe(journal.size);
    expect({ requests: receiver.requests, cursor: cursorOf() }).toEqual({ requests: 0, cursor: journal.size });
  });
});

describe("a receiver", () => {
  test("that comes late gets everything; degrading and recovery are told once each", async () => {
    const port = await freePort();
    const exporter = exporterOf(`http://127.0.0.1:${port}`);
    const outcomes = await execute(2);
    await exporter.start(source());
    await expect.poll(() => changes).toEqual(["degraded at 0"]);
    outcomes.push(...(await execute(2)));
    exporter.wake([]);
    await using receiver = await Receiver.open(port);
    await expect.poll(() => changes).toEqual(["degraded at 0", `exporting at ${journal.size}`]);
    expect(await exporter.stop(5_000)).toBe(journal.size);
    expect(receiver.seqs).toEqual(outcomes);
  });

  test("that refuses keeps the cursor where it is, and the next exporter goes on from there", async () => {
    await using receiver = await Receiver.open();
    const outcomes = await execute(1);
    const first = exporterOf(receiver.endpoint);
    await first.start(source());
    const sent = await first.stop(5_000);
    expect(cursorOf()).toBe(sent);
    receiver.behaviour = "refuse";
    outcomes.push(...(await execute(1)));
    const second = exporterOf(receiver.endpoint);
    expect(await second.start(source())).toBe(sent);
    await expect.poll(() => changes).toEqual([`degraded at ${sent}`]);
    expect(await second.stop(1_000)).toBe(sent);
    receiver.behaviour = "accept";
    const third = exporterOf(receiver.endpoint);
    expect(await third.start(source())).toBe(sent);
    expect(await third.stop(5_000)).toBe(journal.size);
    expect(receiver.seqs).toEqual(outcomes);
  });

  test("that hangs does not keep anybody from stopping, and nothing is said after that", async () => {
    await using receiver = await Receiver.open();
    receiver.behaviour = "hang";
    await execute(1);
    const exporter = exporterOf(receiver.endpoint);
    await exporter.start(source());
    await expect.poll(() => receiver.requests).toBe(1);
    expect(await exporter.stop(100)).toBe(0);
    await journal.close();
    await receiver[Symbol.asyncDispose]();
    exporter.wake([]);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(changes).toEqual([]);
    expect(() => cursorOf()).toThrow("ENOENT");
  });
});

describe("the cursor", () => {
  test.each(["", "nonsense", "-1", "1.5", "9".repeat(40)])("that is damaged (%j) means the beginning", async (text) => {
    await using receiver = await Receiver.open();
    await execute(1);
    writeFileSync(join(folder, "telemetry-cursor"), text);
    const exporter = exporterOf(receiver.endpoint);
    expect(await exporter.start(source())).toBe(0);
    expect(await exporter.stop(5_000)).toBe(journal.size);
  });

  test("of a longer journal goes no further than there is one", async () => {
    await using receiver = await Receiver.open();
    await execute(1);
    writeFileSync(join(folder, "telemetry-cursor"), "1000\n");
    const exporter = exporterOf(receiver.endpoint);
    expect(await exporter.start(source())).toBe(journal.size);
    await exporter.stop(5_000);
    expect(receiver.requests).toBe(0);
  });
});
