/** A journal that real runtimes wrote over three lives, the first of which ended without warning. */
import type { JournalReader, StoredRecord } from "@femtoclaw/journal";
import type { Snapshot, TypedRecord } from "@femtoclaw/protocol";
import type { Runtime, TelemetrySource } from "@femtoclaw/runtime";
import { Barrier, call, capability, Home, misbehaving, recordsOf } from "../runtime-fixture.ts";

export interface RecordedHistory {
  readonly records: readonly TypedRecord[];
  readonly snapshots: readonly Snapshot[];
}

const SNAPSHOT_EVERY = 25;

/** Calls of every kind, from several sessions at once. */
async function mixedCalls(runtime: Runtime, rounds: number): Promise<void> {
  const sessions = ["library", "agent", "operator"].map((channel) =>
    runtime.openSession({ channel: channel as "agent", label: channel }),
  );
  for (let round = 0; round < rounds; round += 1) {
    await Promise.all(
      sessions.flatMap((session) => [
        session.propose({ message: { content: `round ${round}` } }),
        session.propose(call("quick", { n: round })),
        session.propose(call("fails")),
        session.propose(call("throws")),
        session.propose(call("nobody")),
        session.propose(call("quick", { n: "no number" })),
        session.propose(call("unpermitted")),
        session.propose(Buffer.from("{")),
      ]),
    );
  }
  sessions[0]?.close();
}

export async function recordHistory(): Promise<RecordedHistory> {
  const home = new Home();
  const waiting = new Barrier(3);
  let source: TelemetrySource | undefined;
  const failure = { code: "FEMTO_FILE_EXISTS", reason: "r", fix: "F.", sandbox: null };
  const options = {
    snapshotEveryRecords: SNAPSHOT_EVERY,
    capabilities: [
      capability("quick", ({ args }) => ({ got: args["n"] ?? null })),
      capability("unpermitted"),
      capability("locked"),
      misbehaving("fails", async () => ({ event: "failed", ...failure })),
      misbehaving("throws", () => {
        throw new Error("boom");
      }),
      capability("waits", async () => {
        await waiting.arrive();
        return {};
      }),
    ],
    permit: ["quick", "fails", "throws", "waits"],
    configuration: { capabilities: { locked: false }, limits: { queue: 30, concurrency: 30 } },
    telemetry: {
      kind: "otlp" as const,
      start: async (given: TelemetrySource) => {
        source = given;
        return 0;
      },
      wake: () => undefined,
      stop: async () => 0,
    },
  };
  const first = await home.start(options);
  await mixedCalls(first, 4);
  await first.switchCapability({ name: "unpermitted", enabled: false, by: "operator" });
  await first.switchCapability({ name: "unpermitted", enabled: true, by: "operator" });
  source?.onChange("degraded", 3, "no route");
  source?.onChange("exporting", 9);
  const session = first.openSession({ channel: "agent" });
  const waiters = [1, 2, 3].map((n) => session.propose(call("waits", { n })));
  await waiting.reached;
  const crash = home.losePower();
  waiting.open();
  await Promise.all(waiters);
  await first.close();

  crash();
  const second = await home.start(options);
  await mixedCalls(second, 2);
  // More than fit in the queue, so that some are only counted.
  const flood = second.openSession({ channel: "agent" });
  await Promise.all(Array.from({ length: 100 }, () => flood.propose(call("quick"))));
  await second.close();
  const third = await home.start({ ...options, configuration: { limits: { timeout_ms: 5_000 } } });
  await mixedCalls(third, 1);
  const history = await historyOf(third.reader);
  await third.close();
  home.remove();
  return history;
}

async function historyOf(reader: JournalReader): Promise<RecordedHistory> {
  const snapshots: Snapshot[] = [];
  for (const seq of await reader.snapshots()) {
    const snapshot = await reader.snapshotAt(seq);
    if (snapshot !== null) snapshots.push(snapshot);
  }
  return { records: await recordsOf(reader), snapshots };
}

/** The history as a reader of it, for what reads journals. */
export function readerOf({ records, snapshots }: RecordedHistory): JournalReader {
  const range = async function* (from: number, to: number) {
    yield* records.slice(from, to);
  };
  return {
    size: records.length,
    read: range,
    readFrom: (from) => range(from, records.length),
    readBackwards: async function* (from, to) {
      yield* records.slice(from, to).toReversed();
    },
    readStored: async function* (from, to): AsyncGenerator<StoredRecord> {
      for (const record of records.slice(from, to)) {
        yield { seq: record.seq, bytes: Buffer.from(JSON.stringify(record)) };
      }
    },
    prunedBefore: async () => 0,
    oldestSnapshot: async () => null,
    withValues: async (record) => ({ record, erased: [] }),
    blob: async () => null,
    locate: async (execution) => records.filter((record) => record.execution === execution).map(({ seq }) => seq),
    latestSnapshot: async () => snapshots.at(-1) ?? null,
    snapshotAt: async (seq) => snapshots.find((snapshot) => snapshot.seq === seq) ?? null,
    snapshots: async () => snapshots.map(({ seq }) => seq),
  } as JournalReader;
}
