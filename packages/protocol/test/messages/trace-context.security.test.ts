/** What clients say of their traces: taken if it is exactly of its form, left out and told of if not, and never harmful. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { traceContext, wireTrace } from "../../src/index.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const RIGHT = `00-${TRACE}-${SPAN}-01`;
const wrongParent = { ignored: ["traceparent"] };
const wrongState = { traceparent: RIGHT, ignored: ["tracestate"] };

describe("a traceparent", () => {
  test.each([
    [RIGHT, RIGHT],
    [`00-${TRACE}-${SPAN}-00`, `00-${TRACE}-${SPAN}-00`],
    // Of a later version what is known of it, without flags that nobody knows.
    [`cc-${TRACE}-${SPAN}-ff`, `00-${TRACE}-${SPAN}-03`],
    [`01-${TRACE}-${SPAN}-01-what comes later`, RIGHT],
  ])("%s is taken", (traceparent, taken) => {
    expect(traceContext({ traceparent })).toEqual({ traceparent: taken });
  });

  test.each([
    ["nothing", ""],
    ["another version with no end", `01-${TRACE}-${SPAN}-01x`],
    ["the version that cannot be", `ff-${TRACE}-${SPAN}-01`],
    ["more behind it", `${RIGHT}-00`],
    ["a line behind it", `${RIGHT}\n`],
    ["space before it", ` ${RIGHT}`],
    ["capitals", RIGHT.toUpperCase()],
    ["a trace of zeros", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["a span of zeros", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["a short trace", `00-${TRACE.slice(1)}-${SPAN}-01`],
    ["other letters", RIGHT.replace("b7", "g7")],
    ["other digits", RIGHT.replace("0af7", "\u0660af7")],
    ["a megabyte", `${RIGHT}${"-".repeat(1_000_000)}`],
    ["a megabyte of a later version", `01${RIGHT.slice(2)}-${"-".repeat(1_000_000)}`],
    ["a number", 7],
    ["null", null],
    ["a list", [RIGHT]],
    ["an object that says so", { toString: () => RIGHT }],
  ])("that is %s is left out", (_, traceparent) => {
    expect(traceContext({ traceparent })).toEqual(wrongParent);
  });

  test("is missed where there is a state alone", () => {
    expect(traceContext({ tracestate: "a=1" })).toEqual(wrongParent);
    expect(traceContext({})).toBeNull();
    expect(traceContext({ traceparent: undefined, tracestate: undefined })).toBeNull();
  });
});

describe("a tracestate", () => {
  const of = (tracestate: unknown) => traceContext({ traceparent: RIGHT, tracestate });
  const members = (count: number): string => Array.from({ length: count }, (_, index) => `k${index}=v`).join(",");

  test.each([
    ["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"],
    ["a=1 , b=2\t,,c=x y", "a=1,b=2,c=x y"],
    ["0tenant@vendor=1", "0tenant@vendor=1"],
    [members(32), members(32)],
    [`a=${"v".repeat(256)}`, `a=${"v".repeat(256)}`],
  ])("%s is taken", (tracestate, taken) => {
    expect(of(tracestate)).toEqual({ traceparent: RIGHT, tracestate: taken });
  });

  test("that is empty says nothing, and is not wrong", () => {
    for (const empty of ["", ",", " , "]) expect(of(empty)).toEqual({ traceparent: RIGHT });
  });

  test.each([
    ["no pair", "a"],
    ["a key twice", "a=1,a=2"],
    ["a capital in a key", "A=1"],
    ["no key", "=1"],
    ["no value", "a="],
    ["an equals sign in a value", "a=1=2"],
    ["a line in a value", "a=1\nb=2"],
    ["an escape sequence", "a=\u001b[31m"],
    ["a letter from elsewhere", "a=\u00e9"],
    ["a mark that turns text", "a=\u202e1"],
    ["33 members", members(33)],
    ["a long value", `a=${"v".repeat(257)}`],
    ["a long key", `${"k".repeat(257)}=1`],
    ["more than it may have", `a=${"v".repeat(250)},b=${"v".repeat(250)},c=${"v".repeat(20)}`],
    ["a megabyte", "a=1,".repeat(250_000)],
    ["a number", 7],
    ["null", null],
  ])("with %s is left out, and its parent stays", (_, tracestate) => {
    expect(of(tracestate)).toEqual(wrongState);
  });
});

test("whatever is said, what is recorded is of its form, and what travels says the same", () => {
  const anything = fc.oneof(
    fc.anything(),
    fc.string({ unit: "binary" }),
    fc.stringMatching(/^0[01f]-[0-9a-f]{30,34}-[0-9a-f]{15,17}-[0-9a-f]{2}(-.*)?$/),
    fc.stringMatching(/^([a-z@0-9A ]{1,4}=[a-z,= ]{0,5},?){0,5}$/),
  );
  fc.assert(
    fc.property(anything, anything, (traceparent, tracestate) => {
      const fields = { traceparent, tracestate };
      const recorded = traceContext(fields);
      expect(traceContext(wireTrace(fields))).toEqual(recorded);
      expect(JSON.stringify(recorded).length).toBeLessThan(700);
      if (recorded?.traceparent !== undefined) {
        expect(recorded.traceparent).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[0-3]$/);
      }
      // What was recorded is taken as it stands by whoever reads it.
      if (recorded?.ignored === undefined && recorded !== null) expect(traceContext(recorded)).toEqual(recorded);
    }),
    { numRuns: 500 },
  );
});
