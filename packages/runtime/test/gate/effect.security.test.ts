/** Third-party code that throws, hangs, lies or floods: each call still ends in one outcome that can be read back. */
import type { Capability, CapabilityCall } from "@femtoclaw/capabilities";
import type { ErrorCode, Reply, TypedRecord } from "@femtoclaw/protocol";
import { LIMITS, validateRecord } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, capability, Home, misbehaving, ofType, recordsOf } from "../runtime-fixture.ts";

const succeeded = (result: unknown, more: object = {}) => ({ event: "succeeded", result, sandbox: null, ...more });
const cyclic: Record<string, unknown> = {};
cyclic["self"] = cyclic;
const nested = (levels: number): unknown => (levels === 0 ? 0 : { a: nested(levels - 1) });
const tower = (levels: number): unknown => {
  let value: unknown = {};
  for (let level = 0; level < levels; level += 1) value = { a: value };
  return value;
};
const failure = (changes: object) => ({
  event: "failed",
  code: "FEMTO_CAPABILITY_FAILED",
  reason: "r",
  fix: "F.",
  sandbox: null,
  ...changes,
});
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));

type Effect = (call: CapabilityCall) => unknown;

/** Breaches of the contract; all of them are contained. */
const BREACHES: Readonly<Record<string, Effect>> = {
  throws_at_once: () => {
    throw new Error("at once");
  },
  throws_later: async () => {
    await new Promise((resolve) => setImmediate(resolve));
    throw new Error("later");
  },
  throws_nothing: () => {
    throw undefined;
  },
  throws_what_has_no_text: () => {
    throw Object.create(null);
  },
  throws_a_trap: () => {
    throw new Proxy(new Error("x"), {
      get() {
        throw new Error("a trap in a trap");
      },
    });
  },
  throws_a_book: () => {
    throw new Error("\u001b[2J".repeat(4_000_000));
  },
  throws_half_a_pair: () => {
    throw new Error("\ud800");
  },
  returns_nothing: async () => undefined,
  returns_null: async () => null,
  returns_text: async () => "succeeded",
  returns_a_list: async () => [],
  returns_an_unknown_event: async () => failure({ event: "halted" }),
  returns_a_machine_event: async () => failure({ event: "committed" }),
  returns_an_inherited_event: async () => failure({ event: "constructor" }),
  returns_an_unknown_code: async () => failure({ code: "FEMTO_MADE_UP" }),
  returns_an_inherited_code: async () => failure({ code: "toString" }),
  returns_a_reason_that_is_none: async () => failure({ reason: { toString: () => "r" } }),
  returns_a_trap: async () =>
    new Proxy(
      {},
      {
        get: (_, key) => {
          if (key === "then") return undefined;
          throw new Error("do not look");
        },
      },
    ),
  returns_a_thenable_that_throws: () => ({
    // biome-ignore lint/suspicious/noThenProperty: this is the attack
    get then() {
      throw new Error("no then");
    },
  }),
  result_is_missing: async () => succeeded(undefined),
  result_is_a_list: async () => succeeded([1]),
  result_is_a_text: async () => succeeded("x"),
  result_is_null: async () => succeeded(null),
  result_is_a_function: async () => succeeded(() => ({})),
  result_is_cyclic: async () => succeeded(cyclic),
  result_has_a_bigint: async () => succeeded({ n: 1n }),
  result_has_half_a_pair: async () => succeeded({ text: "a\udc00b" }),
  result_has_half_a_pair_as_a_name: async () => succeeded({ "\ud800": 1 }),
  result_turns_into_another: async () => succeeded({ toJSON: () => 7 }),
  result_throws_when_read: async () =>
    succeeded({
      get n() {
        throw new Error("no n");
      },
    }),
  result_is_too_large: async () => succeeded({ text: "x".repeat(LIMITS.resultBytes) }),
  result_is_too_large_once_escaped: async () => succeeded({ text: "\u0001".repeat(LIMITS.resultBytes / 4) }),
  result_is_deep: async () => succeeded(nested(LIMITS.jsonDepth + 1)),
  result_is_a_tower: async () => succeeded(tower(100_000)),
};

/** What is odd but within the contract. */
const ODDITIES: Readonly<Record<string, { readonly effect: Effect; readonly reply: object }>> = {
  returns_more_than_asked: {
    effect: async () => succeeded({ n: 1 }, { extra: "x", code: 5 }),
    reply: { status: "completed", result: { n: 1 } },
  },
  returns_no_promise: { effect: () => succeeded({ n: 1 }), reply: { status: "completed", result: { n: 1 } } },
  settles_twice: {
    effect: () =>
      new Promise((resolve, reject) => {
        resolve(succeeded({ n: 1 }));
        resolve(succeeded({ n: 2 }));
        reject(new Error("too late"));
      }),
    reply: { status: "completed", result: { n: 1 } },
  },
  result_has_what_json_has_not: {
    effect: async () => succeeded({ n: Number.NaN, gone: undefined, when: new Date(0) }),
    reply: { status: "completed", result: { n: null, when: "1970-01-01T00:00:00.000Z" } },
  },
  result_has_a_prototype_of_its_own: {
    effect: async () => succeeded(JSON.parse('{"__proto__":{"admin":true}}')),
    reply: { status: "completed" },
  },
  // V8 gives the key of the second result the text that the key of the first one has.
  result_has_a_backslash_as_a_name: {
    effect: async () => succeeded({ named: 1, "\\": 2 }),
    reply: { status: "completed", result: { named: 1, "\\": 2 } },
  },
  result_has_a_line_break_as_a_name: {
    effect: async () => succeeded({ named: 1, "\n": 2 }),
    reply: { status: "completed", result: { named: 1, "\n": 2 } },
  },
  result_is_as_deep_as_may_be: {
    effect: async () => succeeded(nested(LIMITS.jsonDepth)),
    reply: { status: "completed" },
  },
  result_is_large: {
    effect: async () => succeeded({ text: "x".repeat(8 << 20) }),
    reply: { status: "completed" },
  },
  fails_with_a_book: {
    effect: async () => failure({ reason: "r".repeat(1 << 24), fix: "\u001b[31m" }),
    reply: { status: "error", error: { code: "FEMTO_CAPABILITY_FAILED", fix: "\\u{1b}[31m" } },
  },
  names_its_sandbox_with_a_book: {
    effect: async () => ({ ...succeeded({ n: 1 }), sandbox: "\ud800".repeat(LIMITS.recordBytes) }),
    reply: { status: "completed", result: { n: 1 } },
  },
  fails_without_a_fix: {
    effect: async () => failure({ fix: 5, sandbox: {} }),
    reply: { status: "error", error: { fix: "The call was permitted, but its effect failed. The reason says why." } },
  },
  says_it_was_cancelled: {
    effect: async () => failure({ event: "cancelled", code: "FEMTO_CAPABILITY_CANCELLED", reason: "by itself" }),
    reply: { status: "error", error: { code: "FEMTO_CAPABILITY_CANCELLED", reason: "by itself" } },
  },
  says_it_took_too_long: {
    effect: async () => failure({ event: "timedOut", code: "FEMTO_CAPABILITY_TIMED_OUT", reason: "by its own clock" }),
    reply: { status: "error", error: { code: "FEMTO_CAPABILITY_TIMED_OUT", reason: "by its own clock" } },
  },
};

/** What takes longer than it may. */
const SLOW: Readonly<Record<string, Effect>> = {
  stops_when_asked: ({ signal }) => aborted(signal),
  stops_with_another_error: ({ signal }) => aborted(signal).catch(() => Promise.reject(new Error("interrupted"))),
  says_cancelled_when_asked: ({ signal }) =>
    aborted(signal).catch(() => failure({ event: "cancelled", code: "FEMTO_CAPABILITY_CANCELLED" })),
  never_ends: () => new Promise(() => undefined),
  ends_long_after: ({ signal }) =>
    aborted(signal).catch(() => new Promise((_, reject) => setTimeout(reject, 6_000, new Error("at last")).unref())),
};

describe("a capability", () => {
  const home = new Home();
  const effects = { ...BREACHES, ...SLOW };
  const capabilities: Capability[] = [
    ...Object.entries(effects).map(([name, effect]) => misbehaving(name, effect)),
    ...Object.entries(ODDITIES).map(([name, { effect }]) => misbehaving(name, effect)),
    misbehaving("breaks_its_schema", async () => succeeded({ n: "one", secret: 1 }), {
      output: { type: "object", additionalProperties: false, properties: { n: { type: "integer" } } },
    }),
    misbehaving("promises_a_list", async () => succeeded([1]), { output: { type: "array" } }),
    capability("behaves", () => ({ n: 1 })),
  ];
  let runtime: Runtime;
  const replies: Reply[] = [];

  const propose = async (tool: string): Promise<Reply> => {
    const reply = await runtime.openSession({ channel: "agent" }).propose(call(tool));
    replies.push(reply);
    return reply;
  };

  const configuration = {
    capabilities: Object.fromEntries(Object.keys(SLOW).map((name) => [name, { timeout_ms: 30 }])),
  };
  beforeAll(async () => {
    runtime = await home.start({ capabilities, configuration });
  });
  afterAll(async () => {
    await runtime.close();
    home.remove();
  });

  const expectContained = (reply: Reply): void => {
    expect(reply).toMatchObject({ status: "error", decision: "AUTHORIZED" });
    expect(reply.error).toMatchObject({ error_type: "CapabilityError", code: "FEMTO_CAPABILITY_CONTAINED" });
    expect(reply.record).not.toBeNull();
    expect(reply.error?.reason.length).toBeLessThan(10 * LIMITS.reasonChars);
    expect(reply.error?.reason).not.toMatch(/[\p{Cc}\p{Cs}]/u);
  };

  it.each(Object.keys(BREACHES))("that %s is contained", async (name) => {
    expectContained(await propose(name));
  });

  it.each(["breaks_its_schema", "promises_a_list"])("that %s is contained", async (name) => {
    expectContained(await propose(name));
  });

  it.each(Object.entries(ODDITIES))("that %s is taken at its word", async (name, { reply }) => {
    expect(await propose(name)).toMatchObject({ decision: "AUTHORIZED", ...reply });
  });

  it("that takes too long is asked to stop, and abandoned when it does not", async () => {
    const slow = await Promise.all(Object.keys(SLOW).map(propose));
    for (const reply of slow) {
      expect(reply).toMatchObject({ status: "error", decision: "AUTHORIZED" });
      expect(reply.error).toMatchObject({ code: "FEMTO_CAPABILITY_TIMED_OUT" });
    }
    const reasons = slow.map(({ error }) => error?.reason ?? "");
    expect(reasons.map((reason) => reason.includes("may still be at work"))).toEqual([false, false, false, true, true]);
    expect(reasons[0]).toBe("it took longer than 30 ms");
  });

  it("leaves the runtime as it was", async () => {
    expect(await propose("behaves")).toMatchObject({ status: "completed", result: { n: 1 } });
    expect(runtime.status()).toMatchObject({ phase: "idle", running: 0, queued: 0, fault: null });
    expect(runtime.projection.open.size).toBe(0);
  });

  it("has one readable outcome for each of its intents, which says what the reply said", async () => {
    const records = await recordsOf(runtime.reader);
    const outcomes = ofType(records, "execution.outcome");
    expect(outcomes.map(({ body }) => body.intent)).toEqual([...new Set(outcomes.map(({ body }) => body.intent))]);
    expect(outcomes).toHaveLength(ofType(records, "execution.intent").length);
    for (const record of records as TypedRecord[]) expect(validateRecord(record)).toBe(true);
    for (const reply of replies) {
      const found = outcomes.find(({ execution }) => execution === reply.execution_id);
      const outcome =
        found === undefined ? undefined : ofType([(await runtime.reader.withValues(found)).record], found.type)[0];
      expect(outcome?.seq).toBe(reply.record?.seq);
      // What was recorded is what was answered, member for member.
      expect(JSON.stringify(outcome?.body.result)).toBe(JSON.stringify(reply.result));
      expect(outcome?.body.error?.code).toBe(reply.error?.code as ErrorCode | undefined);
      expect(outcome?.body.error?.reason).toBe(reply.error?.reason);
    }
  });

  it("cannot keep the runtime from starting again", async () => {
    const { counters } = runtime.projection;
    await runtime.close();
    runtime = await home.start({ capabilities, configuration });
    expect(runtime.projection.counters).toEqual(counters);
    expect(runtime.projection.host.boots).toBe(2);
  });
});

it("changes nothing that was recorded or answered when it goes on with its result", async () => {
  const home = new Home();
  const kept: { n: number }[] = [];
  const keeps = misbehaving("keeps", async () => {
    const result = { n: 1 };
    kept.push(result);
    return succeeded(result);
  });
  const runtime = await home.start({ capabilities: [keeps] });
  try {
    const reply = await runtime.openSession({ channel: "agent" }).propose(call("keeps"));
    for (const result of kept) result.n = 2;
    expect(reply.result).toEqual({ n: 1 });
    const [outcome] = ofType(await recordsOf(runtime.reader), "execution.outcome");
    expect(outcome?.body.result).toEqual({ n: 1 });
  } finally {
    await runtime.close();
    home.remove();
  }
});
