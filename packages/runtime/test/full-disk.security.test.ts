/** A runtime on a real disk that others fill: it takes no calls, keeps what it said, and goes on when there is room. */
import { chownSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkJournal, MARGIN_BYTES, RESERVE_BYTES, verifyDirectory } from "@femtoclaw/journal";
import { type Reply, validateReply } from "@femtoclaw/protocol";
import { type LogEntry, type Runtime, replay, type Session } from "@femtoclaw/runtime";
import { HAS_SMALL_DISK, SmallDisk } from "@femtoclaw/testing";
import { describe, expect, it, vi } from "vitest";
import { Barrier, call, capability, ofType, recordsOf, type StartOptions, temporaryHome } from "./runtime-fixture.ts";

const DISK_BYTES = RESERVE_BYTES + 3 * MARGIN_BYTES;
/** Time in which a runtime notices that there is room again. */
const NOTICE_MS = 120_000;

interface Scene extends Disposable {
  readonly disk: SmallDisk;
  readonly state: string;
  readonly log: LogEntry[];
  start(options?: StartOptions): Promise<Runtime>;
}

function scene(bytes = DISK_BYTES): Scene {
  const home = temporaryHome();
  const disk = new SmallDisk(bytes);
  const state = join(disk.path, "state");
  const log: LogEntry[] = [];
  return {
    disk,
    state,
    log,
    start: (options = {}) =>
      home.start({
        ...options,
        configuration: { memory: { path: state } },
        capabilities: [capability("quick"), ...(options.capabilities ?? [])],
        log: (entry) => log.push(entry),
      }),
    [Symbol.dispose]: () => disk[Symbol.dispose](),
  };
}

/** Proposes until the disk is found out to be full; returns what was answered before. */
async function callUntilFull(session: Session): Promise<Reply[]> {
  const replies: Reply[] = [];
  for (;;) {
    const reply = await session.propose(call("quick", { text: "x".repeat(4_000) }));
    if (reply.error?.code === "FEMTO_DISK_FULL") return replies;
    replies.push(reply);
  }
}

function expectRefused(reply: Reply): void {
  expect(validateReply(reply)).toBe(true);
  expect(reply).toMatchObject({ status: "error", decision: null, record: null });
  expect(reply.error).toMatchObject({ error_type: "MemoryError", code: "FEMTO_DISK_FULL" });
}

const untilReady = (runtime: Runtime): Promise<void> =>
  vi.waitFor(() => expect(runtime.status().memory.state).toMatch(/^(?:ready|committing)$/), { timeout: NOTICE_MS });

async function expectSound(runtime: Runtime, state: string): Promise<void> {
  await runtime.close();
  expect(await verifyDirectory(join(state, "journal"))).toMatchObject({ fault: null });
}

/** The reserve is taken behind the start. */
const untilReserved = (runtime: Runtime): Promise<void> =>
  vi.waitFor(
    () => expect(runtime.status().memory).toMatchObject({ state: "ready", reserve_bytes: RESERVE_BYTES }),
    NOTICE_MS,
  );

describe.runIf(HAS_SMALL_DISK)("a runtime on a disk that is filled", () => {
  it("ends what runs, takes nothing new, says so, and goes on when there is room", async () => {
    using given = scene();
    const barrier = new Barrier(3);
    const waits = capability("waits", async () => {
      await barrier.arrive();
      return { text: "y".repeat(10_000) };
    });
    const runtime = await given.start({ capabilities: [waits] });
    const session = runtime.openSession({ channel: "agent" });
    await untilReserved(runtime);
    const running = [1, 2, 3].map((n) => session.propose(call("waits", { n })));
    await barrier.reached;
    expect(runtime.status().memory).toMatchObject({ full: null, reserve_bytes: RESERVE_BYTES });
    given.disk.fill();
    const answered = await callUntilFull(session);
    for (const { status } of answered) expect(status).toBe("completed");
    expect(runtime.status()).toMatchObject({
      phase: "executing",
      fault: null,
      memory: { state: "full", full: expect.stringContaining("No space left on device") as string, reserve_bytes: 0 },
    });
    expectRefused(await session.propose(call("quick")));
    expectRefused(await session.propose({ message: { content: "not recorded" } }));
    expectRefused(await session.propose(call("nobody")));
    barrier.open();
    for (const reply of await Promise.all(running)) expect(reply).toMatchObject({ status: "completed" });
    // What the operator and the sessions do is still recorded.
    await runtime.switchCapability({ name: "waits", enabled: false, by: "operator" });
    session.close();
    expect(runtime.status().phase).toBe("idle");

    given.disk.clear();
    await untilReady(runtime);
    const again = runtime.openSession({ channel: "agent" });
    expect(await again.propose(call("quick"))).toMatchObject({ status: "completed" });
    expect(runtime.status().memory).toMatchObject({ full: null, reserve_bytes: RESERVE_BYTES });
    const records = await recordsOf(runtime.reader);
    expect(ofType(records, "memory.changed").map(({ body }) => body.state)).toEqual(["full", "ready"]);
    expect(given.log.filter(({ event }) => event === "memory.changed")).toMatchObject([
      { state: "full" },
      { state: "ready" },
    ]);
    for (const { record, execution_id } of answered) expect(records[record?.seq ?? -1]?.execution).toBe(execution_id);
    expect((await checkJournal(runtime.reader)).fault).toBeNull();
    await replay(runtime.reader);
    await expectSound(runtime, given.state);
  });

  it("begins no effect of the calls that had no durable intent when it was filled", async () => {
    using given = scene();
    const effects: number[] = [];
    const counted = capability("counted", ({ args }) => {
      effects.push(Number(args["n"]));
      return {};
    });
    const runtime = await given.start({ capabilities: [counted] });
    given.disk.fill();
    const sessions = Array.from({ length: 8 }, () => runtime.openSession({ channel: "agent" }));
    const calls = Array.from({ length: 400 }, (_, n) => call("counted", { n, text: "x".repeat(2_000) }));
    const replies = await Promise.all(calls.map((each, n) => sessions[n % 8]?.propose(each)));
    const completed = replies.flatMap((reply, n) => (reply?.status === "completed" ? [n] : []));
    expect(effects.toSorted((a, b) => a - b)).toEqual(completed);
    const refused = replies.filter((reply) => reply?.status !== "completed");
    expect(refused.length).toBeGreaterThan(300);
    for (const reply of refused) expect(reply?.error?.code).toBe("FEMTO_DISK_FULL");
    expect(runtime.projection.open.size).toBe(0);
    given.disk.clear();
    await untilReady(runtime);
    expect(await sessions[0]?.propose(call("counted"))).toMatchObject({ status: "completed" });
    await expectSound(runtime, given.state);
  });

  it("stops in order, and starts on the disk that is still full", async () => {
    using given = scene();
    const first = await given.start();
    given.disk.fill();
    await callUntilFull(first.openSession({ channel: "agent" }));
    await first.close();
    expect(await verifyDirectory(join(given.state, "journal"))).toMatchObject({ fault: null });

    const second = await given.start();
    expect(second.projection.host).toMatchObject({ boots: 2 });
    expect(second.status()).toMatchObject({ phase: "idle", memory: { state: "full", reserve_bytes: 0 } });
    const ends = ofType(await recordsOf(second.reader), "boot.started").map(({ body }) => body.previous_end);
    expect(ends).toEqual(["none", "clean"]);
    expectRefused(await second.openSession({ channel: "agent" }).propose(call("quick")));
    given.disk.clear();
    await untilReady(second);
    expect(await second.openSession({ channel: "agent" }).propose(call("quick"))).toMatchObject({
      status: "completed",
    });
    await expectSound(second, given.state);
  });

  it("ends also when the reserve is used up, and what it could not record is interrupted", async () => {
    using given = scene();
    const barrier = new Barrier();
    const waits = capability("waits", async () => {
      await barrier.arrive();
      // As large as a record can be: nothing of it leaves the record, and the disk has less than that.
      return Object.fromEntries(Array.from({ length: 15 }, (_, at) => [`text${at}`, "y".repeat(4_000)]));
    });
    const first = await given.start({ capabilities: [waits] });
    await untilReserved(first);
    const session = first.openSession({ channel: "agent" });
    const running = session.propose(call("waits"));
    await barrier.reached;
    given.disk.fill();
    await callUntilFull(session);
    // Somebody takes the reserve as soon as it is given up.
    given.disk.fill();
    barrier.open();
    const closed = first.close({ drainMs: 50 });
    expect(await running).toMatchObject({ decision: "AUTHORIZED", record: null, error: { error_type: "MemoryError" } });
    await closed;
    given.disk.clear();
    const second = await given.start();
    expect(ofType(await recordsOf(second.reader), "execution.interrupted")).toHaveLength(1);
    await untilReady(second);
    await expectSound(second, given.state);
  });

  it("erases what it says is erased", async () => {
    using given = scene();
    const runtime = await given.start();
    await untilReserved(runtime);
    const session = runtime.openSession({ channel: "library" });
    const value = "canary in a coal mine, ";
    const { record } = await session.propose({ message: { content: value.repeat(500) } });
    // Enough that bringing it into files takes more room than a full disk has left over.
    const messages = Array.from({ length: 600 }, (_, index) => ({ message: { content: `${index}` } }));
    await Promise.all(messages.map((message) => session.propose(message)));
    given.disk.fill();
    await runtime.retention.erase({ seq: record?.seq ?? 0, reason: "the subject asked for it" }, "uid:0");
    const journal = join(given.state, "journal");
    const holding = readdirSync(journal).filter((name) => readFileSync(join(journal, name)).includes(value));
    expect(holding).toEqual([]);
    given.disk.clear();
    await untilReady(runtime);
    await expectSound(runtime, given.state);
  });

  it("comes up without room for the reserve, takes no calls, and begins when there is room", async () => {
    using given = scene(MARGIN_BYTES);
    const runtime = await given.start();
    expect(runtime.status()).toMatchObject({ phase: "idle", memory: { state: "full", reserve_bytes: 0 } });
    expectRefused(await runtime.openSession({ channel: "agent" }).propose(call("quick")));
    await expectSound(runtime, given.state);
  });
});

describe("a runtime whose reserve is not its own", () => {
  it.each<readonly [string, (path: string) => void]>([
    ["a link", (path) => symlinkSync("/etc/hostname", path)],
    ...(process.geteuid?.() === 0
      ? [
          [
            "another user's",
            (path: string): void => {
              writeFileSync(path, "theirs");
              chownSync(path, 65_534, 65_534);
            },
          ] as const,
        ]
      : []),
  ])("(%s) does not start, and starts when it is gone", async (_, put) => {
    const home = temporaryHome();
    const once = await home.start();
    await untilReserved(once);
    await once.close();
    const path = join(home.state, "reserve");
    rmSync(path);
    put(path);
    await expect(home.start()).rejects.toMatchObject({ code: "FEMTO_STATE_OWNER" });
    rmSync(path);
    const runtime = await home.start();
    await untilReserved(runtime);
    await runtime.close();
  });
});
