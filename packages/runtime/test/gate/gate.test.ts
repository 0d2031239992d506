/** What a proposer is told, what is recorded of it, and in which order it is checked, through a real runtime. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CapabilityManifest, ErrorCode, ProtocolMessage, Reply, TypedRecord } from "@femtoclaw/protocol";
import { LIMITS, validateRecord, validateReply } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Barrier, call, capability, Home, misbehaving, ofType, recordsOf, startRuntime } from "../runtime-fixture.ts";

const PATH_INPUT: Partial<CapabilityManifest> = {
  input: { type: "object", additionalProperties: false, required: ["path"], properties: { path: { type: "string" } } },
  arguments: [{ pointer: "/path", kind: "path", access: "read" }],
  effect: "read",
};
const waiting = (barrier: Barrier) =>
  capability("wait", async () => {
    await barrier.arrive();
    return {};
  });
const text = (value: string): Buffer => Buffer.from(value);

interface Row {
  readonly what: string;
  readonly message: ProtocolMessage | Uint8Array;
  readonly status: Reply["status"];
  readonly decision: Reply["decision"];
  readonly type?: string;
  readonly code?: ErrorCode;
  /** The record that holds the answer. */
  readonly record: TypedRecord["type"];
}

const denied = (what: string, message: ProtocolMessage, decision: Reply["decision"], code: ErrorCode): Row => ({
  what,
  message,
  status: "denied",
  decision,
  type: "AuthorizationError",
  code,
  record: "execution.refused",
});
const malformed = (what: string, message: Uint8Array | ProtocolMessage, code: ErrorCode): Row => ({
  what,
  message,
  status: "error",
  decision: null,
  type: "ProtocolError",
  code,
  record: "execution.refused",
});
const failed = (what: string, tool: string, code: ErrorCode): Row => ({
  what,
  message: call(tool),
  status: "error",
  decision: "AUTHORIZED",
  type: "CapabilityError",
  code,
  record: "execution.outcome",
});
const done = (what: string, message: ProtocolMessage): Row => ({
  what,
  message,
  status: "completed",
  decision: "AUTHORIZED",
  record: "execution.outcome",
});

/** Sorted by the check that answers; each row would also fail every later check. */
const ROWS: readonly Row[] = [
  malformed(
    "half a message that names an unknown tool",
    text('{"tool_call":{"tool":"nobody"'),
    "FEMTO_PROTOCOL_SYNTAX",
  ),
  malformed(
    "a key twice",
    text('{"tool_call":{"tool":"nobody","tool":"peek","args":{}}}'),
    "FEMTO_PROTOCOL_DUPLICATE_KEY",
  ),
  malformed("both forms", { ...call("nobody"), message: { content: "" } } as never, "FEMTO_PROTOCOL_SHAPE"),
  malformed("bytes that are no text", Buffer.from([0x7b, 0xff, 0x7d]), "FEMTO_PROTOCOL_NOT_UTF8"),
  malformed("too many bytes", Buffer.alloc(LIMITS.messageBytes + 1, 0x20), "FEMTO_PROTOCOL_TOO_LARGE"),
  denied(
    "a name that nobody has",
    call("nobody", { path: 7 }),
    "DENIED_CAPABILITY_NOT_FOUND",
    "FEMTO_CAPABILITY_NOT_FOUND",
  ),
  denied(
    "a name in another case",
    call("PEEK", { path: 7 }),
    "DENIED_CAPABILITY_NOT_FOUND",
    "FEMTO_CAPABILITY_NOT_FOUND",
  ),
  denied("an inherited name", call("constructor"), "DENIED_CAPABILITY_NOT_FOUND", "FEMTO_CAPABILITY_NOT_FOUND"),
  denied("a name with a space", call("peek "), "DENIED_CAPABILITY_NOT_FOUND", "FEMTO_CAPABILITY_NOT_FOUND"),
  denied(
    "one that is switched off",
    call("off", { path: 7 }),
    "DENIED_CAPABILITY_DISABLED",
    "FEMTO_CAPABILITY_DISABLED",
  ),
  denied(
    "one that nobody named",
    call("fs_read", { path: 7 }),
    "DENIED_CAPABILITY_DISABLED",
    "FEMTO_CAPABILITY_DISABLED",
  ),
  denied("bad arguments", call("peek", { path: 7 }), "DENIED_ARGUMENT_INVALID", "FEMTO_ARGUMENTS_INVALID"),
  denied(
    "an argument too many",
    call("peek", { path: "/", more: 1 }),
    "DENIED_ARGUMENT_INVALID",
    "FEMTO_ARGUMENTS_INVALID",
  ),
  denied("an argument too few", call("peek"), "DENIED_ARGUMENT_INVALID", "FEMTO_ARGUMENTS_INVALID"),
  denied(
    "a file that is not there",
    call("peek", { path: "/nowhere" }),
    "DENIED_ARGUMENT_INVALID",
    "FEMTO_FACTS_FAILED",
  ),
  denied(
    "a file that nobody allows",
    call("peek", { path: "/etc/passwd" }),
    "DENIED_POLICY_VIOLATION",
    "FEMTO_POLICY_NO_PERMIT",
  ),
  denied(
    "a file that a rule forbids",
    call("peek", { path: "secret" }),
    "DENIED_POLICY_VIOLATION",
    "FEMTO_POLICY_FORBIDDEN",
  ),
  denied("a tool that nobody permits", call("unpermitted"), "DENIED_POLICY_VIOLATION", "FEMTO_POLICY_NO_PERMIT"),
  { ...done("a message", { message: { content: "hello" } }), decision: null, record: "message.recorded" },
  done("a file that is allowed", call("peek", { path: "open" })),
  done("a tool that is permitted", call("permitted", { n: 1 })),
  failed("an effect that fails", "fails", "FEMTO_FILE_EXISTS"),
  failed("an effect that throws", "throws", "FEMTO_CAPABILITY_CONTAINED"),
  failed("an effect that takes too long", "slow", "FEMTO_CAPABILITY_TIMED_OUT"),
];

describe("a proposal", () => {
  const home = new Home();
  const effects: string[] = [];
  const noted = (name: string) => capability(name, () => ({ count: effects.push(name) }), PATH_INPUT);
  let runtime: Runtime;

  beforeAll(async () => {
    for (const name of ["open", "secret"]) writeFileSync(join(home.root, "workspace", name), name);
    const failing = { code: "FEMTO_FILE_EXISTS", reason: "there is one", fix: "Take another name." };
    runtime = await home.start({
      capabilities: [
        noted("peek"),
        noted("off"),
        capability("unpermitted", () => ({ never: effects.push("unpermitted") })),
        capability("permitted", ({ args }) => ({ got: args["n"] ?? null })),
        misbehaving("fails", async () => ({ event: "failed", ...failing, sandbox: null })),
        misbehaving("throws", () => {
          throw new Error("boom");
        }),
        misbehaving("slow", async ({ signal }) => {
          await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        }),
      ],
      permit: ["permitted", "fails", "throws", "slow"],
      configuration: {
        capabilities: { off: false, slow: { timeout_ms: 40 } },
        allow: { read: ["."] },
        deny: { read: ["workspace/secret"] },
      },
    });
  });
  afterAll(async () => {
    await runtime.close();
    home.remove();
  });

  it.each(ROWS)("of $what is $status: $code", async ({ message, status, decision, type, code, record }) => {
    const session = runtime.openSession({ channel: "library" });
    const reply = await session.propose(message, { label: "a label" });
    expect(validateReply(reply), JSON.stringify(validateReply.errors)).toBe(true);
    expect(reply).toMatchObject({ status, decision });
    expect(reply.error?.error_type).toBe(type);
    expect(reply.error?.code).toBe(code);
    expect("result" in reply).toBe(status === "completed" && decision !== null);

    // The answer is in the journal, under the number that the reply names, and nothing runs that was refused.
    const records = await recordsOf(runtime.reader);
    const stored = records[reply.record?.seq ?? -1];
    expect(stored).toMatchObject({ type: record, execution: reply.execution_id, session: session.id });
    const own = records.filter(({ execution }) => execution === reply.execution_id).map((one) => one.type);
    expect(own).toEqual(record === "execution.outcome" ? ["execution.intent", record] : [record]);
    if (stored !== undefined && "error" in stored.body) {
      // An answer names the record that it stands in. A record cannot: it does not have its number yet.
      const fix = reply.error?.fix.replace(`policy why ${stored.seq}\``, "policy why RECORD`");
      expect(stored.body.error).toEqual({ ...reply.error, fix });
    }
    session.close();
  });

  it("that is refused has no effect", () => {
    expect(effects).toEqual(["peek"]);
  });

  it("leaves nothing in the gate, and records that match their schema", async () => {
    expect(runtime.status()).toMatchObject({ phase: "idle", running: 0, queued: 0 });
    for (const record of await recordsOf(runtime.reader)) expect(validateRecord(record), record.type).toBe(true);
    expect(runtime.projection.counters).toEqual({
      messages: 1,
      completed: 2,
      refused: 18,
      failed: 3,
      interrupted: 0,
      overloaded: 0,
    });
  });

  it("takes the capability's own fix, where it has one", async () => {
    const reply = await runtime.openSession({ channel: "library" }).propose(call("fails"));
    expect(reply.error).toMatchObject({ reason: "there is one", fix: "Take another name.", capability: "fails" });
  });

  it("is refused in the journal by digest and capped head alone", async () => {
    const secret = `{"tool_call":{"tool":"nobody","args":{"x":"${"s".repeat(100_000)}"}}}`;
    const session = runtime.openSession({ channel: "library" });
    const before = runtime.reader.size;
    await session.propose(Buffer.from(secret));
    const records = (await recordsOf(runtime.reader)).slice(before);
    expect(JSON.stringify(records).length).toBeLessThan(3_000);
    const [refused] = ofType(records, "execution.refused");
    expect(refused?.body.request).toMatchObject({ bytes: secret.length, head: expect.stringMatching(/^.{512}…$/) });
  });

  it("with a label that hides something is recorded with the label made visible", async () => {
    const session = runtime.openSession({ channel: "library", label: "\u001b[31m\ud800" });
    const { record } = await session.propose({ message: { content: "" } }, { label: `\u202e${"x".repeat(500)}` });
    const reply = await session.propose(call("permitted"), { label: `\u202e${"x".repeat(500)}` });
    const records = await recordsOf(runtime.reader);
    expect(record).not.toBeNull();
    const intent = ofType(records, "execution.intent").find(({ execution }) => execution === reply.execution_id);
    expect(intent?.body.label).toMatch(/^\\u\{202e\}x{127}…$/);
    expect(ofType(records, "session.opened").at(-1)?.actor?.agent).toBe("\\u{1b}[31m\ufffd");
  });

  it("takes a secret out of what a client calls itself", async () => {
    const runtime = await startRuntime();
    const token = `ghp${"_"}${"Zq7".repeat(12)}`;
    const session = runtime.openSession({ channel: "library", label: `agent with ${token}` });
    await session.propose({ message: { content: "x" } });
    const records = await recordsOf(runtime.reader);
    expect(JSON.stringify(records)).not.toContain(token);
    expect(ofType(records, "session.opened")[0]?.actor?.agent).toBe("agent with [redacted:github-token]");
  });

  it("cannot choose for whom it speaks", async () => {
    const session = runtime.openSession({ channel: "library" });
    for (const forged of [{ principal: "operator" }, { session: "another" }, { bytes: Buffer.from("{}") }]) {
      await expect(session.propose(call("permitted"), { label: "x", ...forged })).rejects.toThrow(TypeError);
    }
    const reply = await session.propose(call("permitted"), { label: "x" });
    expect(reply.status).toBe("completed");
    const records = await recordsOf(runtime.reader);
    expect(records[reply.record?.seq ?? -1]?.session).toBe(session.id);
  });
});

describe("a session", () => {
  it("that is closed takes nothing more, and what it proposed goes on", async () => {
    const barrier = new Barrier();
    const runtime = await startRuntime({
      capabilities: [waiting(barrier)],
    });
    const session = runtime.openSession({ channel: "library", label: "one" });
    const running = session.propose(call("wait"));
    await barrier.reached;
    session.close();
    session.close();
    await expect(session.propose(call("wait"))).rejects.toThrow("the session is closed");
    barrier.open();
    expect(await running).toMatchObject({ status: "completed" });
    await using other = runtime.openSession({ channel: "agent" });
    await other.propose({ message: { content: "after" } });
    const closed = ofType(await recordsOf(runtime.reader), "session.closed");
    expect(closed.map(({ session: id, body }) => [id, body])).toEqual([[session.id, { executions: 1 }]]);
  });

  it("cannot cancel what another proposed, nor what has ended or never was", async () => {
    const barrier = new Barrier();
    const runtime = await startRuntime({
      capabilities: [waiting(barrier)],
    });
    const [own, other] = [runtime.openSession({ channel: "agent" }), runtime.openSession({ channel: "agent" })];
    const running = own.propose(call("wait"));
    await barrier.reached;
    const [id = ""] = runtime.projection.open.keys();
    expect(other.cancel(id)).toBe(false);
    expect(own.cancel("00000000-0000-4000-8000-000000000000")).toBe(false);
    expect(own.cancel("constructor")).toBe(false);
    barrier.open();
    expect(await running).toMatchObject({ status: "completed" });
    expect(own.cancel(id)).toBe(false);
  });

  it("proposes whatever it likes without an exception but for what is no message at all", async () => {
    const runtime = await startRuntime();
    const session = runtime.openSession({ channel: "library" });
    for (const value of [null, 7, "text", [], {}]) {
      expect(await session.propose(value as never)).toMatchObject({ status: "error", decision: null });
    }
    for (const value of [undefined, () => 1, 1n]) {
      await expect(session.propose(value as never)).rejects.toThrow(TypeError);
    }
    await expect(session.propose(call("x"), { label: 7 as never })).rejects.toThrow(TypeError);
    expect(runtime.status()).toMatchObject({ running: 0, queued: 0 });
    expect(await session.propose(call("x"))).toMatchObject({ status: "denied" });
  });
});

describe("cancelling", () => {
  it("while the effect runs reaches it by its signal", async () => {
    const barrier = new Barrier();
    const stopped = capability("wait", async ({ signal }) => {
      await Promise.race([
        barrier.arrive(),
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped")))),
      ]);
      return {};
    });
    const runtime = await startRuntime({ capabilities: [stopped] });
    const session = runtime.openSession({ channel: "library" });
    const running = session.propose(call("wait"));
    await barrier.reached;
    const [id = ""] = runtime.projection.open.keys();
    expect(session.cancel(id)).toBe(true);
    const reply = await running;
    expect(reply).toMatchObject({ execution_id: id, status: "error", decision: "AUTHORIZED" });
    expect(reply.error).toMatchObject({ code: "FEMTO_CAPABILITY_CANCELLED", reason: "its proposer cancelled it" });
    const [outcome] = ofType(await recordsOf(runtime.reader), "execution.outcome");
    expect(outcome?.body).toMatchObject({ event: "cancelled", began: true });
  });

  it("reaches a call that has an identifier and has not entered yet, which can be waited for as well", async () => {
    const began: unknown[] = [];
    const noted = capability("noted", async ({ args }) => {
      began.push(args["n"]);
      return {};
    });
    const runtime = await startRuntime({ capabilities: [noted] });
    const [own, other] = [runtime.openSession({ channel: "library" }), runtime.openSession({ channel: "library" })];
    let waited: unknown = null;
    const onIdentified = (id: string): void => {
      expect([other.cancel(id), own.cancel(id)]).toEqual([false, true]);
      waited = own.wait(id);
    };
    const reply = await own.propose(call("noted", { n: 1 }), { onIdentified });
    expect(reply).toMatchObject({ status: "error", error: { reason: "its proposer cancelled it" } });
    expect(await waited).toEqual(reply);
    expect(began).toEqual([]);
  });

  it("before the effect keeps it from happening, and says so", async () => {
    const barrier = new Barrier();
    const began: unknown[] = [];
    const ids: string[] = [];
    const wait = capability("wait", async ({ args }) => {
      began.push(args["n"]);
      await barrier.arrive();
      return {};
    });
    const runtime = await startRuntime({
      capabilities: [wait],
      configuration: { limits: { concurrency: 1 } },
      inspect: (event) => {
        const { id } = event.actorRef as { readonly id?: string };
        if (event.type === "@xstate.actor" && id?.length === 36) ids.push(id);
      },
    });
    const session = runtime.openSession({ channel: "library" });
    const first = session.propose(call("wait", { n: 1 }));
    await barrier.reached;
    const second = session.propose(call("wait", { n: 2 }));
    await expect.poll(() => ids.length).toBe(2);
    expect(session.cancel(ids[1] ?? "")).toBe(true);
    barrier.open();
    expect(await first).toMatchObject({ status: "completed" });
    expect(await second).toMatchObject({
      execution_id: ids[1],
      status: "error",
      decision: "AUTHORIZED",
      error: { error_type: "RuntimeError", code: "FEMTO_EXECUTION_HALTED", reason: "its proposer cancelled it" },
    });
    expect(began).toEqual([1]);
    const [refused] = ofType(await recordsOf(runtime.reader), "execution.refused");
    expect(refused?.body).toMatchObject({ event: "halted", decision: "AUTHORIZED" });
  });
});
