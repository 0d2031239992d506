import fc from "fast-check";
import { expect, it } from "vitest";
import { Pace } from "../src/files/pace.ts";
import { TextSearch } from "../src/files/text-search.ts";

const pace = (): Pace => new Pace({ turn: () => null, signal: new AbortController().signal });

it("finds what Node.js finds, from wherever it begins", async () => {
  // Two letters, so that texts repeat themselves.
  const text = (minLength: number) => fc.array(fc.constantFrom("a", "b"), { minLength, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(text(0), text(1), fc.nat(45), async (content, wanted, from) => {
      const [inside, sought] = [Buffer.from(content.join("")), Buffer.from(wanted.slice(0, 8).join(""))];
      expect(await new TextSearch(sought).indexIn(inside, from, pace())).toBe(
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
])("is not held up by a text that repeats itself and differs in %s", async (_, wanted) => {
  // The search that comes with Node.js takes minutes for some of these.
  expect(await new TextSearch(Buffer.from(wanted)).indexIn(Buffer.alloc(8_388_608, "a"), 0, pace())).toBe(-1);
});

it("finds each occurrence in pieces of whatever length, those that share bytes among them", () => {
  const letters = (minLength: number, maxLength: number) =>
    fc.array(fc.constantFrom("a", "b"), { minLength, maxLength }).map((all) => all.join(""));
  fc.assert(
    fc.property(letters(0, 40), letters(1, 5), fc.integer({ min: 1, max: 9 }), (content, wanted, length) => {
      const next = new TextSearch(Buffer.from(wanted)).begin();
      const found: number[] = [];
      for (let start = 0; start < content.length; start += length) {
        const piece = Buffer.from(content.slice(start, start + length));
        for (let end = next(piece, 0, piece.length); end !== -1; end = next(piece, end, piece.length)) {
          found.push(start + end - wanted.length);
        }
      }
      const there = [...content].flatMap((_, at) => (content.startsWith(wanted, at) ? [at] : []));
      expect(found).toEqual(there);
    }),
    { numRuns: 5_000 },
  );
});
