/** What a known body makes of bytes is what parsing them makes, and the journal would write it with these very bytes. */
import { parseJson } from "@femtoclaw/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KnownBody } from "../src/records/known-body.ts";

type Json = Record<string, unknown>;

const text = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.string({ unit: "grapheme", maxLength: 6 }),
  fc.constantFrom('"', "\\", "\u007f", "é", "0", "__proto__"),
);
const number = fc.oneof(
  fc.nat(),
  fc.maxSafeNat(),
  fc.double(),
  fc.constantFrom(0, -0, -1, 0.5, 1e21, 999_999_999_999_999),
);
const { body } = fc.letrec<{ body: Json; value: unknown }>((tie) => ({
  body: fc.dictionary(text, tie("value"), { maxKeys: 5 }),
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    ...[text, number, fc.constantFrom(true, false, null)],
    ...[tie("body"), fc.array(tie("value"), { maxLength: 4 })],
  ),
}));

/** As JSON is read, so that nothing is in it that has no such form. */
const asRead = (value: unknown): Json => parseJson(JSON.stringify(value)) as Json;

/** The same body with other leaves in the places that the numbers tell. */
function otherLeaves(value: unknown, leaves: readonly unknown[], places: readonly number[]): unknown {
  let count = 0;
  const walk = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(walk);
    if (typeof part === "object" && part !== null) {
      // By way of entries, because an assignment to `__proto__` would be none to a key.
      return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, walk(inner)]));
    }
    count += 1;
    const at = places.indexOf(count);
    return at === -1 ? part : leaves[at % leaves.length];
  };
  return walk(value);
}

/** As it stands in a segment: with others around it. */
function readBy(known: KnownBody, bytes: Uint8Array): unknown {
  const around = Buffer.from('{"n":1},"7');
  return known.read(Buffer.concat([around, bytes, around]), around.length, around.length + bytes.length);
}

/** What the bytes are, if the journal writes it so. */
function parsed(bytes: Buffer): string | undefined {
  try {
    const read = bytes.toString();
    return Buffer.from(read).equals(bytes) && JSON.stringify(parseJson(read)) === read ? read : undefined;
  } catch {
    return undefined;
  }
}

const known = (value: Json): KnownBody => new KnownBody(JSON.stringify(value), value);

describe("KnownBody", () => {
  it("reads what differs from it in plain leaves as parsing it does, one after the other", () => {
    let read = 0;
    const leaves = fc.array(fc.oneof(text, number), { minLength: 1, maxLength: 4 });
    const steps = fc.array(fc.tuple(leaves, fc.array(fc.nat({ max: 12 }), { maxLength: 4 })), { maxLength: 6 });
    const property = fc.property(body, steps, (first, others) => {
      const own = asRead(first);
      const another = known(asRead(first));
      for (const [values, places] of [...others, [[0], []] as const]) {
        const expected = JSON.stringify(otherLeaves(own, values, places));
        const found = readBy(another, Buffer.from(expected));
        if (found === undefined) continue;
        read += 1;
        expect(JSON.stringify(found)).toBe(expected);
        expect(found).toStrictEqual(parseJson(expected));
      }
      // Whatever was read meanwhile, it knows itself.
      expect(readBy(another, Buffer.from(JSON.stringify(own)))).toStrictEqual(own);
    });
    fc.assert(property, { numRuns: 2_000 });
    expect(read).toBeGreaterThan(500);
  });

  it("reads no bytes that the journal would write in another way", () => {
    let read = 0;
    const edit = fc.record({
      at: fc.nat(),
      gone: fc.nat({ max: 3 }),
      come: fc.oneof(
        fc.uint8Array({ maxLength: 3 }),
        fc.constantFrom("0", "1", " ", "\\u0061", "\\", ".0", "e1", '"', "-", ",").map((part) => Buffer.from(part)),
      ),
    });
    const property = fc.property(body, fc.array(edit, { minLength: 1, maxLength: 2 }), (value, edits) => {
      const own = known(asRead(value));
      let bytes = Buffer.from(JSON.stringify(asRead(value)));
      for (const { at, gone, come } of edits) {
        const from = at % bytes.length;
        bytes = Buffer.concat([bytes.subarray(0, from), come, bytes.subarray(from + gone)]);
      }
      const found = readBy(own, bytes);
      if (found === undefined) return;
      read += 1;
      expect(JSON.stringify(found)).toBe(parsed(bytes));
    });
    fc.assert(property, { numRuns: 20_000 });
    expect(read).toBeGreaterThan(100);
  });

  it.each([
    ['{"n":7,"t":"a","l":[1,{"k":"b"}]}', '{"n":10,"t":"","l":[0,{"k":"bb"}]}'],
    ['{"n":123456789012345}', '{"n":0}'],
    ['{"n":1,"t":"a"}', '{"n":12,"t":"ab"}'],
    ['{"n":-0.5,"t":"\\"é"}', '{"n":7,"t":"e"}'],
    ['{"n":-0.5,"t":"\\"é"}', '{"n":-0.5,"t":"\\"é"}'],
    ['{"é":"é","n":1}', '{"é":"é","n":22}'],
    ['{"__proto__":"a","n":1}', '{"__proto__":"b","n":2}'],
    ['{"0":1,"a":[]}', '{"0":2,"a":[]}'],
    ['{"a":{},"l":[],"n":1}', '{"a":{},"l":[],"n":2}'],
  ])("of %s knows %s", (first, second) => {
    const found = readBy(known(JSON.parse(first)), Buffer.from(second));
    expect(JSON.stringify(found)).toBe(second);
    expect(Object.keys(found as Json)).toEqual(Object.keys(JSON.parse(second)));
  });

  it.each([
    ['{"n":1}', '{"n":1.0}'],
    ['{"n":1}', '{"n":01}'],
    ['{"n":1}', '{"n":-1}'],
    ['{"n":1}', '{"n":1e3}'],
    ['{"n":1}', '{"n":1234567890123456}'],
    ['{"n":1}', '{"n":"1"}'],
    ['{"n":1}', '{"m":1}'],
    ['{"n":1}', '{"n":1,"n":1}'],
    ['{"n":1}', '{"n":1} '],
    ['{"t":"a"}', '{"t":"\\u0061"}'],
    ['{"t":"a"}', '{"t":"\u00e9"}'],
    ['{"t":"a"}', '{"t":"a'],
    ['{"t":"a"}', '{"t":a}'],
    ['{"t":"a"}', '{"t":1}'],
    ['{"b":true}', '{"b":false}'],
    ['{"l":[]}', '{"l":[1]}'],
  ])("of %s does not know %s", (first, second) => {
    expect(readBy(known(JSON.parse(first)), Buffer.from(second))).toBeUndefined();
  });
});
