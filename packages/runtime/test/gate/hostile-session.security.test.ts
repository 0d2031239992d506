/** A session that sends nothing but calls that are refused: it fills neither the journal nor anybody's time. */
import { LIMITS, type ProtocolMessage } from "@femtoclaw/protocol";
import { type Runtime, type Session, systemSurroundings } from "@femtoclaw/runtime";
import { describe, expect, it } from "vitest";
import { Barrier, call, capability, ofType, recordsOf, startRuntime, temporaryHome } from "../runtime-fixture.ts";

/** A refused call whose record is large: what was sent is quoted in it. */
const REFUSED = Buffer.from(`{"tool_call":{"tool":"nobody","args":{"text":"${"x".repeat(600)}"}}}`);

async function refuse(session: Session, calls: number): Promise<Map<string, number>> {
  const codes = new Map<string, number>();
  for (let left = calls; left > 0; left -= 50) {
    const replies = await Promise.all(Array.from({ length: 50 }, () => session.propose(REFUSED)));
    for (const { error } of replies) codes.set(error?.code ?? "", (codes.get(error?.code ?? "") ?? 0) + 1);
  }
  return codes;
}

async function storedBytes(runtime: Runtime): Promise<number> {
  let bytes = 0;
  for await (const stored of runtime.reader.readStored(0, runtime.reader.size)) bytes += stored.bytes.byteLength;
  return bytes;
}

it("gives the effects of one session, however many work at once, no more turns than there are, and another one its own", async () => {
  const asked = new Map<string, (Promise<void> | null)[]>();
  const busy = capability("busy", async (effect) => {
    // More than a session that is alone has in one turn of the loop.
    const turns = Array.from({ length: 65 }, () => effect.turn());
    asked.set(String(effect.args["text"]), turns);
    await Promise.all(turns);
    return {};
  });
  const runtime = await startRuntime({ capabilities: [busy] });
  const [one, other] = [runtime.openSession({ channel: "agent" }), runtime.openSession({ channel: "agent" })];
  const calls = [one, one, other].map((session, at) => session.propose(call("busy", { text: String(at) })));
  for (const reply of await Promise.all(calls)) expect(reply).toMatchObject({ status: "completed" });
  expect(asked.size).toBe(3);
  for (const turns of asked.values()) expect(turns.filter((turn) => turn !== null).length).toBeGreaterThan(0);
  await runtime.close();
});

describe("a session that is always refused", () => {
  it("is halted, with one record for what has none, and its further calls are only counted", async () => {
    const home = temporaryHome();
    const log: string[] = [];
    const runtime = await home.start({ capabilities: [capability("quick")], log: ({ event }) => log.push(event) });
    const [hostile, honest] = [runtime.openSession({ channel: "agent" }), runtime.openSession({ channel: "agent" })];
    const before = await storedBytes(runtime);
    const codes = await refuse(hostile, 600);
    expect(await hostile.propose(call("quick"))).toMatchObject({
      status: "error",
      decision: null,
      record: null,
      error: { error_type: "SystemError", code: "FEMTO_SESSION_HALTED" },
    });
    expect((await storedBytes(runtime)) - before).toBeLessThan(LIMITS.sessionRefusalBytes + 10_000);
    expect(await honest.propose(call("quick"))).toMatchObject({ status: "completed" });
    expect((await honest.propose(call("nobody"))).record).not.toBeNull();
    await runtime.close();

    const again = await home.start({ capabilities: [capability("quick")] });
    const records = await recordsOf(again.reader);
    const refusals = ofType(records, "execution.refused").filter(({ session }) => session === hostile.id);
    const halts = ofType(records, "session.halted");
    expect(halts.map(({ session, body }) => [session, body])).toEqual([
      [hostile.id, { recorded: refusals.length, event: "unknown", code: "FEMTO_CAPABILITY_NOT_FOUND" }],
    ]);
    expect(log.filter((event) => event === "session.halted")).toHaveLength(1);
    const counted = (code: string): number =>
      ofType(records, "overload.refused").reduce((sum, { body }) => sum + (body.code === code ? body.count : 0), 0);
    // Every call is accounted for: by a record of its own, or in a count.
    expect(counted("FEMTO_SESSION_HALTED")).toBe((codes.get("FEMTO_SESSION_HALTED") ?? 0) + 1);
    expect(refusals.length + counted("FEMTO_CAPABILITY_NOT_FOUND")).toBe(codes.get("FEMTO_CAPABILITY_NOT_FOUND"));
    await again.close();
  });

  it("gains nothing by connecting anew, again and again, and stops nobody else", async () => {
    const runtime = await startRuntime({ capabilities: [capability("quick")] });
    const honest = runtime.openSession({ channel: "agent" });
    expect(await honest.propose(call("quick"))).toMatchObject({ status: "completed" });
    const before = await storedBytes(runtime);
    for (let connections = 0; connections < 12; connections += 1) {
      await using hostile = runtime.openSession({ channel: "agent", label: `connection ${connections}` });
      await refuse(hostile, 50);
      if (connections % 4 === 0) expect(await honest.propose(call("quick"))).toMatchObject({ status: "completed" });
    }
    const grown = (await storedBytes(runtime)) - before;
    expect(grown).toBeGreaterThan(LIMITS.newcomerRefusalBytes / 2);
    // What flows in meanwhile is far less than the margin.
    expect(grown).toBeLessThan(LIMITS.newcomerRefusalBytes * 1.25);
    // Who has earned it still gets records of its refusals, and answers at once.
    expect((await honest.propose(call("nobody"))).record).not.toBeNull();
    // A newcomer is not halted for what others did, and its first call that ends well sets it apart from them.
    const newcomer = runtime.openSession({ channel: "agent" });
    for (let n = 0; n < 3; n += 1) {
      expect(await newcomer.propose(call("nobody"))).toMatchObject({ status: "denied" });
    }
    expect(await newcomer.propose(call("quick"))).toMatchObject({ status: "completed" });
    expect((await newcomer.propose(call("nobody"))).record).not.toBeNull();
    // The operator's door is another one.
    const operator = runtime.openSession({ channel: "operator" });
    expect((await operator.propose(call("nobody"))).record).not.toBeNull();
  });

  it("lets newcomers take turns, session by session, once what they share is used up", async () => {
    const decided: string[] = [];
    const spy = capability("spied", ({ args }) => ({ n: decided.push(String(args["text"])) }));
    const barrier = new Barrier(1);
    const slow = capability("slow", async () => {
      await barrier.arrive();
      return {};
    });
    const runtime = await startRuntime({ capabilities: [spy, slow] });
    for (let connections = 0; connections < 12; connections += 1) {
      await using hostile = runtime.openSession({ channel: "agent" });
      await refuse(hostile, 50);
    }
    // What runs long holds no turn: it is none of those that are refused.
    const running = runtime.openSession({ channel: "agent" }).propose(call("slow"));
    await barrier.reached;
    const flood = Array.from({ length: 8 }, () => runtime.openSession({ channel: "agent" }));
    let answered = 0;
    const flooding = flood.flatMap((session) =>
      Array.from({ length: 40 }, () =>
        session.propose(REFUSED).then(() => {
          answered += 1;
        }),
      ),
    );
    const honest = runtime.openSession({ channel: "agent" });
    expect(await honest.propose(call("spied", { text: "honest" }))).toMatchObject({ status: "completed" });
    // Two rounds of the eight at the most came before it.
    expect(answered).toBeLessThanOrEqual(2 * flood.length + 1);
    expect(decided).toEqual(["honest"]);
    barrier.open();
    expect(await running).toMatchObject({ status: "completed" });
    for (const session of flood) session.close();
    await runtime.close({ drainMs: 0 });
    await Promise.all(flooding);
  });

  it("keeps nothing waiting for answers once it has left", async () => {
    const runtime = await startRuntime({ capabilities: [capability("quick")] });
    const hostile = runtime.openSession({ channel: "agent" });
    await runtime.haltSession({ session: hostile.id, by: "operator" });
    // At a hundred a second these would take a minute and a half.
    const answers = Array.from({ length: 9_000 }, () => hostile.propose(REFUSED));
    hostile.close();
    for (const { error } of await Promise.all(answers)) expect(error?.code).toBe("FEMTO_SESSION_HALTED");
    await expect(hostile.propose(REFUSED)).rejects.toThrow("closed");
  });

  it("leaves no trace at all where it only connects", async () => {
    const runtime = await startRuntime();
    await runtime.reader.locate("nobody");
    const before = runtime.reader.size;
    for (let count = 0; count < 1_000; count += 1) runtime.openSession({ channel: "agent" }).close();
    await runtime.openSession({ channel: "agent" }).propose({ message: { content: "heard" } });
    const types = (await recordsOf(runtime.reader)).slice(before).map(({ type }) => type);
    expect(types).toEqual(["session.opened", "message.recorded"]);
  });
});

describe("sessions that hold all that they can", () => {
  it("keep nobody from being served, whether effects do not end or facts never come", async () => {
    const stuck = Promise.withResolvers<void>();
    const endless = capability("endless", async () => {
      await stuck.promise;
      return {};
    });
    const system = systemSurroundings();
    const surroundings = { ...system, lookUp: () => stuck.promise.then(() => []) };
    const runtime = await startRuntime({
      capabilities: [endless, capability("quick")],
      configuration: { capabilities: { net_fetch: true }, allow: { fetch: ["*"] } },
      surroundings,
    });
    const hostile = Array.from({ length: 3 }, () => runtime.openSession({ channel: "agent" }));
    const pending: Promise<unknown>[] = [];
    const flood = (session: Session, message: ProtocolMessage): void => {
      for (let n = 0; n < 200; n += 1) pending.push(session.propose(message));
    };
    const honest = runtime.openSession({ channel: "agent" });
    for (const session of hostile) flood(session, call("endless"));
    expect(await honest.propose(call("quick"))).toMatchObject({ status: "completed" });
    for (const session of hostile) flood(session, call("net_fetch", { url: "https://slow.example/" }));
    expect(await honest.propose(call("quick"))).toMatchObject({ status: "completed" });
    // Also once all that they sent has come as far as it can.
    await expect.poll(() => runtime.status().running).toBeGreaterThan(LIMITS.concurrency);
    expect(await honest.propose(call("quick"))).toMatchObject({ status: "completed" });
    for (const session of hostile) session.close();
    stuck.resolve();
    await runtime.close({ drainMs: 0 });
    await Promise.all(pending);
  });
});

describe("a session whose permitted calls are refused for overload", () => {
  it("is not halted for it", async () => {
    const barrier = new Barrier(2);
    const waits = capability("waits", async () => {
      await barrier.arrive();
      return {};
    });
    const configuration = { limits: { concurrency: 2, queue: 2 } };
    const runtime = await startRuntime({ capabilities: [waits, capability("quick")], configuration });
    const session = runtime.openSession({ channel: "agent" });
    const running = [session.propose(call("waits")), session.propose(call("waits"))];
    await barrier.reached;
    // Two wait for a place among the effects; all others are refused after the decision.
    const codes: (string | undefined)[] = [];
    const text = "x".repeat(1_000);
    const waiting = Array.from({ length: 2 }, () => session.propose(call("quick")));
    for (let n = 0; n < 400; n += 1) codes.push((await session.propose(call("quick", { text }))).error?.code);
    expect(new Set(codes)).toEqual(new Set(["FEMTO_OVERLOADED"]));
    barrier.open();
    for (const reply of await Promise.all([...running, ...waiting])) expect(reply.status).toBe("completed");
    expect(await session.propose(call("quick"))).toMatchObject({ status: "completed" });
    expect(ofType(await recordsOf(runtime.reader), "execution.refused").length).toBe(codes.length);
  });
});

it("gets no more large results recorded at once than a few, so that another session does not wait for all of them", async () => {
  const text = "x".repeat(2 * LIMITS.largeResultBytes);
  const barrier = new Barrier(48);
  const large = capability("large", async () => {
    await barrier.arrive();
    return { text };
  });
  const runtime = await startRuntime({ capabilities: [large, capability("quick")] });
  const [hostile, honest] = [runtime.openSession({ channel: "agent" }), runtime.openSession({ channel: "agent" })];
  const calls = Array.from({ length: 48 }, () => hostile.propose(call("large")));
  await barrier.reached;
  barrier.open();
  const reply = await honest.propose(call("quick"));
  expect(reply).toMatchObject({ status: "completed" });
  const seqs = (await Promise.all(calls)).map(({ status, record }) => (status === "completed" ? record?.seq : null));
  expect(seqs.filter((seq) => typeof seq === "number" && seq < Number(reply.record?.seq)).length).toBeLessThan(24);
  expect(seqs).not.toContain(null);
  await runtime.close();
});
