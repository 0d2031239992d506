import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Fact, FactRecord } from "../../src/projection/fact-types.ts";
import { callKey, type ProjectedCall } from "../../src/projection/projected-call.ts";

// Texts that look like pieces of a key, so that two keys that could be confused are.
const text = fc.oneof(
  fc.constantFrom("", '"', "1", '"1;', ";", "t", "f", "[1;", "{1;", '"0;"0;', "\0", "é", "e\u0301", "😀", "-1;"),
  fc.string({ unit: "binary", maxLength: 4 }),
);
const record: fc.Arbitrary<FactRecord> = fc.letrec<{ readonly fact: Fact; readonly record: FactRecord }>((tie) => ({
  fact: fc.oneof(
    { maxDepth: 2 },
    fc.boolean(),
    fc.maxSafeInteger(),
    text,
    fc.array(text, { maxLength: 3 }),
    tie("record"),
  ),
  record: fc.dictionary(text, tie("fact"), { maxKeys: 3, noNullPrototype: true }),
})).record;

const call: fc.Arbitrary<ProjectedCall> = fc.record({
  capability: text,
  principal: text,
  action: text,
  resource: text,
  ancestors: fc.array(text, { maxLength: 3 }),
  context: record,
});

/** Reads a key back: what can be read back has lost nothing. */
class KeyReader {
  readonly #key: string;
  #at = 0;

  constructor(key: string) {
    this.#key = key;
  }

  call(): ProjectedCall {
    const [capability, principal, action, resource] = [1, 2, 3, 4].map(() => this.fact() as string);
    const ancestors = this.fact() as readonly string[];
    const context = this.fact() as FactRecord;
    expect(this.#at).toBe(this.#key.length);
    return { capability, principal, action, resource, ancestors, context } as ProjectedCall;
  }

  fact(): Fact {
    const kind = this.#key[this.#at];
    if (kind === "t" || kind === "f") {
      this.#at += 1;
      return kind === "t";
    }
    if (kind !== '"' && kind !== "[" && kind !== "{") return this.#number();
    this.#at += 1;
    const size = this.#number();
    if (kind === '"') {
      this.#at += size;
      return this.#key.slice(this.#at - size, this.#at);
    }
    if (kind === "[") return Array.from({ length: size }, () => this.fact() as string);
    return Object.fromEntries(Array.from({ length: size }, () => [this.fact() as string, this.fact()]));
  }

  #number(): number {
    const end = this.#key.indexOf(";", this.#at);
    const number = Number(this.#key.slice(this.#at, end));
    this.#at = end + 1;
    return number;
  }
}

describe("the key of a call", () => {
  it("holds everything that is in the call", () => {
    fc.assert(
      fc.property(call, (asked) => {
        expect(new KeyReader(callKey(asked)).call()).toEqual(asked);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is one for one call", () => {
    fc.assert(
      fc.property(call, (asked) => {
        expect(callKey(structuredClone(asked))).toBe(callKey(asked));
      }),
    );
  });
});
