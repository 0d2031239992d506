/** What is set aside is the very text that was written, wherever it stands and whatever stands around it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { memberSpan, pastSpace } from "../src/member-span.ts";

const spaces = fc.string({ unit: fc.constantFrom(" ", "\t", "\n", "\r"), maxLength: 3 });
const value = fc.tuple(fc.jsonValue({ maxDepth: 4 }), fc.nat(3)).map(([json, indent]) => {
  return JSON.stringify(json, null, indent);
});
const key = fc.oneof(
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.constantFrom("arguments", 'a"b', "\\", "}", "__proto__"),
);

/** The same key with one character escaped, which means the same. */
function written(name: string, isEscaped: boolean): string {
  const first = name.charCodeAt(0).toString(16).padStart(4, "0");
  return isEscaped && name !== "" ? `"\\u${first}${JSON.stringify(name.slice(1)).slice(1)}` : JSON.stringify(name);
}

test("the span of the first member of a name is its value as it was written", () => {
  const members = fc.array(fc.tuple(key, value, spaces, spaces, fc.boolean()), { maxLength: 6 });
  fc.assert(
    fc.property(members, key, spaces, (all, wanted, around) => {
      const parts = all.map(([name, text, before, after, escaped]) => {
        return `${before}${written(name, escaped)}${after}:${before}${text}${after}`;
      });
      const text = `${around}{${around}${parts.join(",")}}${around}`;
      const expected = all.find(([name]) => name.toWellFormed() === wanted.toWellFormed() && name === wanted)?.[1];
      const span = memberSpan(text, pastSpace(text, 0), wanted);
      expect(span === null ? undefined : text.slice(span.start, span.end)).toBe(expected);
    }),
  );
});
