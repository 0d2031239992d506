import fc from "fast-check";
import { expect, it } from "vitest";
import { TextSearch } from "../src/files/text-search.ts";

it("finds what Node.js finds, from wherever it begins", () => {
  // Two letters, so that texts repeat themselves.
  const text = (minLength: number) => fc.array(fc.constantFrom("a", "b"), { minLength, maxLength: 40 });
  fc.assert(
    fc.property(text(0), text(1), fc.nat(45), (content, wanted, from) => {
      const [inside, sought] = [Buffer.from(content.join("")), Buffer.from(wanted.slice(0, 8).join(""))];
      expect(new TextSearch(sought).indexIn(inside, from)).toBe(
        from > inside.length ? -1 : inside.indexOf(sought, from),
      );
    }),
    { numRuns: 5_000 },
  );
});

it.each([
  ["the middle", `${"a".repeat(50_000)}b${"a".repeat(50_000)}`],
  ["the end", `${"a".repeat(100_000)}b`],
  ["the beginning", `b${"a".repeat(100_000)}`],
])("is not held up by a text that repeats itself and differs in %s", (_, wanted) => {
  // The search that comes with Node.js takes minutes for some of these.
  expect(new TextSearch(Buffer.from(wanted)).indexIn(Buffer.alloc(8_388_608, "a"))).toBe(-1);
});
