/** A number that a parser would change is marked, and every other text is read as it was. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { holdsInexact, parseJson, parseMarkedJson } from "../../src/index.ts";

describe("a JSON text from outside", () => {
  it.each([
    ...[
      "9007199254740993",
      "-9007199254740993",
      "12345678901234567890",
      "18446744073709551615",
      "9223372036854775808",
      "1".repeat(400),
    ],
    ...["1e400", "-1E+400", "1e309", "0.1e310", `1${"0".repeat(309)}`, "1e-400", "-4.9E-325", `0.${"0".repeat(330)}1`],
  ])("holds the number %s, which becomes another one", (number) => {
    for (const text of [number, `[${number}]`, `{"a":[{"b":"\\\\\\"${number}","c": ${number} }]}`, `[0,${number},1]`]) {
      expect(holdsInexact(parseMarkedJson(text))).toBe(true);
    }
  });

  it.each([
    ...["0", "-0", "9007199254740992", "1700000000000000000", "-21983306101865510", "1.7976931348623157e308", "5e-324"],
    ...["0.1", "3.141592653589793238462643", "0e400", "0.000e-999", "1e100", "12345678901234567e10"],
  ])("holds the number %s, which is as near as a double is", (number) => {
    const text = `{"${number}":[${number}],"${number}\\\\":"${number}"}`;
    expect(parseMarkedJson(text)).toEqual(parseJson(text));
    expect(holdsInexact(parseMarkedJson(text))).toBe(false);
  });

  it("is refused as it would be without the marks", () => {
    for (const wrong of [
      "01234567890123456789",
      "1e400e1",
      "--9007199254740993",
      "9007199254740993.",
      '"1e400',
      "1e+",
    ]) {
      expect(() => parseMarkedJson(`[1e400,${wrong}]`)).toThrow(SyntaxError);
    }
  });

  it("that JavaScript wrote is read as before", () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(fc.array(value), fc.string(), (values, note) => {
        const text = JSON.stringify([values, note, `${note}9007199254740993`, { [`1e400${note}`]: 0 }]);
        expect(parseMarkedJson(text)).toEqual(parseJson(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it("has a mark for an integer, or the integer is written again as it was", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (integer) => {
        const read = parseMarkedJson(`[${integer}]`);
        expect(holdsInexact(read)).toBe(JSON.stringify([Number(integer)]) !== `[${integer}]`);
        if (!holdsInexact(read)) expect(JSON.stringify(read)).toBe(`[${integer}]`);
      }),
      { numRuns: 2_000 },
    );
  });

  it("may nest as deep as it likes", () => {
    const depth = 9_000;
    expect(holdsInexact(parseMarkedJson(`${"[".repeat(depth)}1e400${"]".repeat(depth)}`))).toBe(true);
  });
});
