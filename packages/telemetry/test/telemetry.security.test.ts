/** Collectors that misbehave and names that want to be something else: nothing is lost, nothing is forged. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Journal, type JournalEntry, systemClock } from "@femtoclaw/journal";
import { MACHINE_IDENTITIES } from "@femtoclaw/machines";
import { MemoryKeyring, MemoryStore } from "@femtoclaw/testing/in-memory";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Telemetry } from "../src/index.ts";
import type { TelemetrySource } from "../src/telemetry.ts";
import { type Behaviour, Receiver } from "./receiver.ts";

/** Everything that wants to be a line, a label, a colour or a clipboard of its own. */
const HOSTILE = 'x"} 1\nfemtoclaw_ready 0\r\n\u001b[31m\u001b]52;c;aGk=\u0007\u009b2J\u202e\u2066\\';

/** Stands where arguments and what quotes them stand. */
const CANARY = "canary-of-arguments";

let folder: string;
let journal: Journal;
let changes: [state: string, reason?: string][];
let jumpUs: number;
beforeEach(async () => {
  folder = mkdtempSync("/tmp/ft-");
  changes = [];
  jumpUs = 0;
  let ticks = 0;
  journal = await Journal.open({
    store: new MemoryStore(),
    keyring: new MemoryKeyring(),
    boot: "22222222-2222-4222-8222-222222222222",
    clock: { nowUs: () => 1_700_000_000_000_000 + jumpUs, monotonicUs: () => ++ticks, after: systemClock().after },
    machines: MACHINE_IDENTITIES,
  });
});
afterEach(async () => {
  await journal.close();
  rmSync(folder, { recursive: true });
});

function source(changed: Partial<TelemetrySource> = {}): TelemetrySource {
  const gauges = { ready: true, running: 0, queued: 0, unresolved: 0, waiting: 0, sessions: 0, terminals: 0 };
  return {
    reader: journal,
    stateDirectory: folder,
    log: journal.origin,
    size: () => journal.size,
    nowUs: () => 1_700_000_000_000_000 + jumpUs,
    monotonicUs: () => 1_000_000,
    gauges: () => ({ ...gauges, freeBytes: 1_024, journalBytes: 2_048 }),
    onChange: (state, _cursor, reason) => changes.push(reason === undefined ? [state] : [state, reason]),
    ...changed,
  };
}

function refusal(tool: string, code = "FEMTO_CAPABILITY_NOT_FOUND"): JournalEntry {
  const error = { error_type: "AuthorizationError", code, reason: CANARY, fix: CANARY, timestamp: "t" } as const;
  return {
    type: "execution.refused",
    session: "11111111-1111-4111-8111-111111111111",
    execution: `execution-${journal.size}`,
    body: {
      tool,
      request: { bytes: 1, head: CANARY, payload: null },
      label: CANARY,
      event: "unknown",
      decision: "DENIED_CAPABILITY_NOT_FOUND",
      facts: null,
      input_sha256: null,
      revision: null,
      rules: [],
      error,
    },
  };
}

const refuse = async (count: number): Promise<void> => {
  for (let index = 0; index < count; index += 1) await journal.append(refusal("nobody"));
};

async function registered(name: string): Promise<void> {
  const capability = {
    version: "1.0.0",
    sha256: "0".repeat(64),
    enabled: true,
    source: "default",
    locked: false,
  } as const;
  const body = { capabilities: [{ name, ...capability, isolation: "in-process" as const }] };
  await journal.append({ type: "registry.loaded", session: null, execution: null, body });
}

describe("a collector", () => {
  test("that did not plainly accept has taken nothing: all of it comes again", async () => {
    await refuse(3);
    const bad: [Behaviour, RegExp][] = [
      ["unavailable", /traces: \/v1\/traces answered 503/],
      ["page", /traces: the answer is none of this protocol/],
      ["flood", /traces: the answer is longer/],
      ["redirect", /traces: \/v1\/traces answered 307/],
      ["forget", /traces: /],
      ["hang", /traces: it did not answer within 10 seconds/],
    ];
    await Promise.all(
      bad.map(async ([behaviour, reason]) => {
        await using receiver = await Receiver.open();
        receiver.behaviour = behaviour;
        const heard: (string | undefined)[] = [];
        const stateDirectory = join(folder, behaviour);
        mkdirSync(stateDirectory);
        const telemetry = new Telemetry({ endpoint: receiver.endpoint, signals: ["traces"] });
        await telemetry.start(source({ stateDirectory, onChange: (state, _, why) => heard.push(why ?? state) }));
        await expect.poll(() => heard).toEqual([expect.stringMatching(reason)]);
        expect(telemetry.status).toMatchObject([{ signal: "traces", lag: journal.size, rejected: 0 }]);
        receiver.behaviour = "accept";
        await expect.poll(() => heard.at(-1)).toBe("exporting");
        expect(await telemetry.stop(5_000)).toBe(journal.size);
        // Again means the same: what came twice has the same identifiers.
        const ids = new Set(receiver.spans.map(({ traceId, spanId }) => `${traceId}/${spanId}`));
        expect(ids.size).toBe(3);
        expect(receiver.spans.length > 3).toBe(behaviour === "forget");
        expect(receiver.faults).toEqual([]);
      }),
    );
  });

  test("whose address holds a token is told of without it", async () => {
    await using receiver = await Receiver.open();
    receiver.behaviour = "unavailable";
    await refuse(1);
    const token = "of-mine-7731";
    const telemetry = new Telemetry({ endpoint: `${receiver.endpoint}/${token}/` });
    await telemetry.start(source());
    await expect
      .poll(() => changes)
      .toEqual([["degraded", expect.stringMatching(/traces: \/v1\/traces answered 503/)]]);
    expect(JSON.stringify([changes, telemetry.status])).not.toContain(token);
    await telemetry.stop(100);
  });

  test("that rejects a part is told of, counted, and not sent the same again", async () => {
    await using receiver = await Receiver.open();
    receiver.behaviour = "reject";
    await refuse(5);
    const telemetry = new Telemetry({ endpoint: receiver.endpoint, signals: ["traces", "logs"] });
    await telemetry.start(source());
    await expect
      .poll(() => telemetry.status.map(({ lag, rejected }) => [lag, rejected]))
      .toEqual([
        [0, 2],
        [0, 2],
      ]);
    expect(changes).toHaveLength(1);
    const [[state, reason] = []] = changes;
    expect([state, reason]).toEqual(["degraded", expect.stringMatching(/the collector rejected 2 items: two of them/)]);
    expect(reason).not.toMatch(/[\u0000-\u001f]/);
    expect(receiver.requests).toBe(1);
    // One request that is taken whole is no recovery yet; some are, and nothing is said in between.
    receiver.behaviour = "accept";
    for (let index = 0; index < 8; index += 1) {
      await refuse(1);
      telemetry.wake([]);
      await expect.poll(() => telemetry.status.map(({ lag }) => lag)).toEqual([0, 0]);
      expect(changes).toHaveLength(index < 7 ? 1 : 2);
    }
    expect(changes.at(-1)).toEqual(["exporting"]);
    await telemetry.stop(5_000);
    expect(receiver.seqs).toHaveLength(13);
  });

  test("that does not know one signal keeps no other from going on", async () => {
    await using receiver = await Receiver.open();
    receiver.unknown = "/v1/logs";
    await refuse(4);
    const telemetry = new Telemetry({ endpoint: receiver.endpoint, metricsIntervalMs: 20 });
    await telemetry.start(source());
    await expect.poll(() => receiver.spans).toHaveLength(4);
    await expect.poll(() => receiver.metric("femtoclaw.executions")).toBe(4);
    expect(telemetry.status).toMatchObject([
      { signal: "traces", problem: null },
      { signal: "logs", lag: journal.size, problem: "/v1/logs answered 404" },
      { signal: "metrics", problem: null },
    ]);
    // The next process knows where each of them stood.
    await telemetry.stop(1_000);
    receiver.unknown = null;
    const next = new Telemetry({ endpoint: receiver.endpoint });
    await next.start(source());
    await next.stop(5_000);
    expect([receiver.spans.length, receiver.logs.length]).toEqual([4, 4]);
    expect(receiver.faults).toEqual([]);
  });
});

describe("names", () => {
  test("that want to be lines and labels are neither", async () => {
    await using receiver = await Receiver.open();
    await registered(HOSTILE);
    await journal.append(refusal(HOSTILE));
    await journal.append(refusal(`stranger ${HOSTILE}`));
    await journal.append(refusal("x".repeat(5_000)));
    const telemetry = new Telemetry({ endpoint: receiver.endpoint, metricsIntervalMs: 20 });
    await telemetry.start(source());
    await expect.poll(() => telemetry.prometheus()).not.toBeNull();
    const text = telemetry.prometheus() ?? "";
    await expect.poll(() => receiver.metrics.length).toBeGreaterThan(0);
    await telemetry.stop(5_000);
    expect(receiver.faults).toEqual([]);
    // A registered name is a label in its harmless spelling, any other is none.
    const lines = text.split("\n").filter((line) => line.startsWith("femtoclaw_executions_total"));
    expect(lines).toHaveLength(2);
    expect(lines.map((line) => line.replace(/^.* /, ""))).toEqual(["2", "1"]);
    expect(text.split("\n").filter((line) => line.startsWith("femtoclaw_ready"))).toEqual(["femtoclaw_ready 1"]);
    for (const line of text.trimEnd().split("\n")) {
      expect(line).toMatch(/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z_]+="([^"\\\n]|\\[\\"n])*",?)+\})? [0-9.e+-]+)$/);
    }
    const sent = receiver.text;
    for (const hidden of ["\u001b", "\u009b", "\u202e", "\\u001b", "\\u009b"]) {
      expect([sent.includes(hidden), text.includes(hidden)]).toEqual([false, false]);
    }
    expect(Math.max(...receiver.spans.map(({ name }) => name.length))).toBeLessThan(600);
    // Nothing of what was refused, and no reason, which may quote it.
    expect([sent, text].filter((told) => told.includes(CANARY))).toEqual([]);
    expect(receiver.logs.map(({ event }) => event)).toEqual(Array(3).fill("femtoclaw.execution.refused"));
  });

  test("of errors that nobody defined are counted together", async () => {
    for (const code of ["FEMTO_MY_OWN", "FEMTO___PROTO__", "FEMTO_0", "FEMTO_2"])
      await journal.append(refusal("nobody", code));
    const telemetry = new Telemetry({ endpoint: null });
    await telemetry.start(source());
    await expect
      .poll(() => telemetry.prometheus())
      .toContain('femtoclaw_denials_total{femtoclaw_rule_kind="none",error_type="other"} 4\n');
    await telemetry.stop(1_000);
  });
});

describe("a clock", () => {
  test("that jumps moves no counter, and no point ends before it begins", async () => {
    await using receiver = await Receiver.open();
    const telemetry = new Telemetry({ endpoint: receiver.endpoint, metricsIntervalMs: 20 });
    await telemetry.start(source());
    for (const jump of [0, 3_600_000_000, -1_000_000_000_000, 86_400_000_000]) {
      jumpUs = jump;
      await refuse(1);
      telemetry.wake([]);
    }
    jumpUs = -1_600_000_000_000_000;
    await expect.poll(() => receiver.metric("femtoclaw.executions")).toBe(4);
    await telemetry.stop(5_000);
    expect(receiver.spans).toHaveLength(4);
    // The decoder objects to points that end before they began.
    expect(receiver.faults).toEqual([]);
  });
});

describe("what was folded before", () => {
  const written = (): string => readFileSync(join(folder, "telemetry-metrics"), "utf8");
  const counted = async (changed: Partial<TelemetrySource> = {}): Promise<string> => {
    const telemetry = new Telemetry({ endpoint: null });
    await telemetry.start(source(changed));
    await expect.poll(() => telemetry.prometheus()).not.toBeNull();
    const line = /femtoclaw_executions_total\{.*\} (\d+)/.exec(telemetry.prometheus() ?? "")?.[1] ?? "none";
    await telemetry.stop(1_000);
    return line;
  };

  test("goes on, is a cache, and belongs to one log", async () => {
    await refuse(3);
    expect(await counted()).toBe("3");
    await refuse(2);
    expect(await counted()).toBe("5");
    // One that somebody changed within its shape is believed: whoever writes there writes the state itself.
    const state = JSON.parse(written()) as { state: { next: number } };
    for (const damaged of ["", "{", "null", '{"format":1}', JSON.stringify({ ...state, format: 99 })]) {
      writeFileSync(join(folder, "telemetry-metrics"), damaged);
      expect(await counted()).toBe("5");
    }
    // More records than there are, and those of another log.
    state.state.next = journal.size + 1;
    writeFileSync(join(folder, "telemetry-metrics"), JSON.stringify(state));
    expect(await counted()).toBe("5");
    expect(await counted({ log: "femtoclaw.local/another" })).toBe("5");
    expect(await counted()).toBe("5");
  });

  test("is not needed: a folder that cannot be written stops no counting", async () => {
    await refuse(2);
    expect(await counted({ stateDirectory: "/proc/nowhere" })).toBe("2");
    expect(existsSync(join(folder, "telemetry-metrics"))).toBe(false);
  });

  test("counts what was committed since in the order of its numbers, however it is told", async () => {
    const telemetry = new Telemetry({ endpoint: null });
    await telemetry.start(source());
    const committed: Parameters<Telemetry["wake"]>[0][] = [];
    journal.onCommitted((records) => committed.push(records));
    await refuse(6);
    // Twice, late, and with a gap.
    for (const records of [...committed.slice(3), ...committed, ...committed]) telemetry.wake(records);
    await expect.poll(() => telemetry.prometheus()).toMatch(/femtoclaw_executions_total\{.*\} 6/);
    await telemetry.stop(1_000);
  });
});
