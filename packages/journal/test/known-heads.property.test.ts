/** What is told of a record by its head alone is what reading all of it tells, whatever somebody made of its bytes. */
import { LIMITS, type TypedRecord } from "@femtoclaw/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KnownHeads, type Placed } from "../src/records/known-heads.ts";
import { encodeRecord } from "../src/records/record.ts";
import { RecordOrder } from "../src/records/record-order.ts";
import { MACHINES } from "./journal-fixture.ts";

const SEQ = 41;

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.constantFrom("é", "Ã©", "\\u00e9", '",', "\u2028"),
);
const actor = fc.record({
  principal: text,
  agent: fc.option(text),
  channel: fc.constant("library" as const),
  delegation: fc.record({ uid: text, parent: fc.constant(null), issuer: fc.constant("runtime" as const) }),
});
const head = fc.record({ boot: text, actor: fc.option(actor), session: fc.option(text) });
const place = fc.record({
  at: fc.constantFrom("2026-01-02T03:04:05.000006Z", "2026-01-02T03:04:05.999999Z", "at once"),
  mono_us: fc.oneof(fc.nat(), fc.maxSafeNat()),
  execution: fc.option(fc.oneof(fc.uuid(), text)),
  content: text,
});

type Parts = typeof head extends fc.Arbitrary<infer Value> ? Value : never;
type Place = (typeof place extends fc.Arbitrary<infer Value> ? Omit<Value, "at"> : never) & { readonly at: string };

const recordOf = (parts: Parts, { at, mono_us, execution, content }: Place): TypedRecord => {
  const { boot, actor: who, session } = parts;
  const frame = {
    v: 1,
    seq: SEQ,
    at,
    mono_us,
    boot,
    type: "message.recorded",
    actor: who,
    session,
    execution,
  } as const;
  return { ...frame, machine: MACHINES.execution, body: { content } } as TypedRecord;
};

/** Other ways to write something, and things that are wrong. */
const REPLACEMENTS: readonly (readonly [string, string])[] = [
  ...([
    [":", ": "],
    ["}}", "} }"],
    [SEQ.toString(), `0${SEQ}`],
    [SEQ.toString(), `${SEQ}.0`],
    ["content", "\\u0063ontent"],
  ] as const),
  ...([
    ['"v":1', '"v":2'],
    ['"v":1', '"v":1,"v":1'],
    ['"content":"', '"content":"\\/'],
    ['"content":"', '"content":"\\ud800'],
  ] as const),
  ...([
    ['"body":{', '"body":{"content":"",'],
    ["}}", '},"commitments":[]}'],
    ["}}", '},"redactions":[{}]}'],
    ["}}", '},"a":{}}'],
  ] as const),
  ...([
    ["}}", "}}}"],
    ["}}", '}}{"v":1}'],
    ["message.recorded", "session.closed"],
    ['"execution":', '"execution":"","execution":'],
  ] as const),
  ...([
    ["at once", "\\u0061t once"],
    ["}}", "}]"],
    ["null", "nul"],
    ["null", "true"],
    ['"machine"', '"machine":null,"machine"'],
    ["\u00c3\u00a9", "\u00e9"],
    ["\u00e9", "\u00c3\u00a9"],
  ] as const),
];

const change = fc.oneof(
  fc.constant((bytes: Buffer) => bytes),
  fc.tuple(fc.nat(), fc.nat({ max: 255 })).map(([at, byte]) => (bytes: Buffer) => {
    const copy = Buffer.from(bytes);
    copy[at % copy.length] = byte;
    return copy;
  }),
  fc.tuple(fc.nat(), fc.nat({ max: 3 }), fc.uint8Array({ maxLength: 3 })).map(([at, gone, come]) => (bytes: Buffer) => {
    const from = at % bytes.length;
    return Buffer.concat([bytes.subarray(0, from), come, bytes.subarray(from + gone)]);
  }),
  fc.constantFrom(...REPLACEMENTS).map(
    ([what, by]) =>
      (bytes: Buffer) =>
        Buffer.from(bytes.toString().replaceAll(what, by)),
  ),
);

const knowing = (record: TypedRecord): KnownHeads => {
  const heads = new KnownHeads();
  heads.learn(record);
  return heads;
};

/** As it stands in a segment: with others around it. */
function found(heads: KnownHeads, bytes: Uint8Array, seq = SEQ): Placed | undefined {
  const around = Buffer.from('\u0000{"v":1,"seq":41}}');
  return heads.find(seq, Buffer.concat([around, bytes, around]), around.length, around.length + bytes.byteLength);
}

function read(bytes: Uint8Array, seq = SEQ): TypedRecord | undefined {
  try {
    return new RecordOrder().read(seq, bytes);
  } catch {
    return undefined;
  }
}

describe("KnownHeads", () => {
  it("tells of no record what reading all of it does not tell", () => {
    let known = 0;
    let changed = 0;
    const property = fc.property(
      head,
      fc.option(head, { freq: 1 }),
      place,
      place,
      change,
      fc.boolean(),
      (parts, others, one, two, make, knowsBody) => {
        const whole = encodeRecord(recordOf(others ?? parts, two));
        const bytes = make(whole);
        const heads = knowing(recordOf(parts, one));
        if (knowsBody) found(heads, encodeRecord(recordOf(parts, one)));
        const told = found(heads, bytes);
        if (told === undefined) return;
        known += 1;
        if (!bytes.equals(whole)) changed += 1;
        const { boot, mono_us } = read(bytes) ?? {};
        expect(told).toEqual({ boot, mono_us });
      },
    );
    fc.assert(property, { numRuns: 6_000 });
    // Some of both have to be known, or nothing was tried.
    expect(known).toBeGreaterThan(300);
    expect(changed).toBeGreaterThan(30);
  });

  it("knows the next record behind the same head", () => {
    const parts: Parts = { boot: "boot-é", actor: null, session: "s" };
    const one = { at: "2026-01-02T03:04:05.000006Z", mono_us: 7, execution: null, content: "" };
    const heads = knowing(recordOf(parts, one));
    for (const execution of [null, "", "4dd4bae7-71c1-47fd-9107-e93db353ff4d"]) {
      const bytes = encodeRecord(recordOf(parts, { ...one, mono_us: 0, execution, content: "ünï 😀 \u0000" }));
      expect(found(heads, bytes)).toEqual({ boot: "boot-é", mono_us: 0 });
      expect(found(heads, bytes, SEQ + 1)).toBeUndefined();
      // A head of the same bytes in another coding is another head.
      expect(found(knowing(recordOf({ ...parts, boot: "boot-Ã©" }, one)), bytes)).toBeUndefined();
    }
  });

  it("asks the schema about what is written like a body before it", () => {
    const outcome = (event: string, duration: number | string, bytes = 2): Buffer => {
      const body = {
        intent: 4,
        event,
        began: true,
        duration_us: duration,
        sandbox: null,
        bytes,
        result: {},
        trusted: true,
      };
      const parts = { boot: "boot", actor: null, session: "s" };
      const record = recordOf(parts, { at: "2026", mono_us: 1, execution: "e", content: "" });
      return Buffer.from(JSON.stringify({ ...record, type: "execution.outcome", body }));
    };
    const right = outcome("succeeded", 12);
    const heads = knowing(read(right) as TypedRecord);
    expect(found(heads, right)).toBeDefined();
    expect(found(heads, outcome("failed", 9_999, 0))).toBeDefined();
    for (const wrong of [outcome("succeedex", 12), outcome("", 12), outcome("succeeded", "12")]) {
      expect(read(wrong)).toBeUndefined();
      expect(found(heads, wrong)).toBeUndefined();
    }
    expect(found(heads, right)).toBeDefined();
  });

  it("knows the largest record, and none that is larger", () => {
    const parts: Parts = { boot: "boot", actor: null, session: null };
    const sized = (length: number): TypedRecord =>
      recordOf(parts, { at: "2026", mono_us: 1, execution: null, content: "x".repeat(length) });
    const room = LIMITS.recordBytes - encodeRecord(sized(0)).byteLength;
    const largest = encodeRecord(sized(room));
    expect(found(knowing(sized(0)), largest)).toEqual({ boot: "boot", mono_us: 1 });
    const larger = Buffer.from(largest.toString().replace("xx", "xxx"));
    expect(found(knowing(sized(0)), larger)).toBeUndefined();
    expect(read(larger)).toBeUndefined();
  });

  it("forgets heads where there are too many, and goes on", () => {
    const heads = new KnownHeads();
    const one = { at: "2026", mono_us: 1, execution: null, content: "" };
    for (let session = 0; session < 600; session += 1) {
      const record = recordOf({ boot: "boot", actor: null, session: `s${session}` }, one);
      expect(found(heads, encodeRecord(record))).toBeUndefined();
      heads.learn(record);
      expect(found(heads, encodeRecord(record))).toBeDefined();
    }
  });
});
