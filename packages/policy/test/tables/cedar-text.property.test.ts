import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type Cedar, openCedar } from "../../src/engine/cedar-instance.ts";
import { compilePolicy } from "../../src/index.ts";
import { literal, policyText, set } from "../../src/tables/cedar-text.ts";
import { any, authorityOf, MANIFESTS, testEngine, word } from "../policy-fixture.ts";

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: fc.constantFrom('"', "\\", "\n", "\0", "u", "{", "}", "*", "0", "\u202e", "а", "💥") }),
);

describe("Cedar text", () => {
  let cedar: Cedar;
  beforeAll(async () => {
    cedar = (await (await openCedar())()).start();
  });

  /** What the engine itself reads out of the text. */
  function values(text: string): unknown {
    const answer = cedar.policyToJson(text);
    if (answer.type !== "success") throw new Error(JSON.stringify(answer.errors));
    return answer.json;
  }

  it("holds any string unchanged, as a literal and as an entity", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const rule = policyText({
          effect: "permit",
          actions: ["fs_read"],
          resource: `in Path::${literal(text)}`,
          clause: { kind: "when", condition: `context.type == ${literal(text)}` },
        });
        expect(rule).toMatch(/^[\x20-\x7e\n]*$/);
        expect(values(rule)).toMatchObject({
          effect: "permit",
          resource: { op: "in", entity: { type: "Path", id: text } },
          conditions: [{ body: { "==": { right: { Value: text } } } }],
        });
      }),
      { numRuns: 500 },
    );
  });

  it("holds any list unchanged, as a set", () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyText, { minLength: 1, maxLength: 20 }), (texts) => {
        const rule = policyText({
          effect: "forbid",
          actions: ["fs_read"],
          clause: { kind: "when", condition: `${set(texts.map(literal))}.contains(context.type)` },
        });
        const json = values(rule) as { conditions: { body: { contains: { left: { Set: { Value: string }[] } } } }[] };
        const read = json.conditions[0]?.body.contains.left.Set.map(({ Value }) => Value);
        expect(new Set(read)).toEqual(new Set(texts));
      }),
    );
  });

  it("refuses a lone surrogate, which would become another string", () => {
    expect(() => literal("\ud800")).toThrow("well-formed");
  });

  it("names in `namedPaths` every path that a rule mentions", () => {
    const name = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !/^\.{1,2}$|[/\0]/.test(text));
    const path = fc.array(name, { maxLength: 4 }).map((names) => `/${names.join("/")}`);
    const paths = fc.array(path, { maxLength: 4 });
    fc.assert(
      fc.property(paths, paths, paths, paths, paths, (read, write, denyRead, denyWrite, floor) => {
        const policy = compilePolicy({
          authority: authorityOf({ read, write, denyRead, denyWrite, floor }),
          manifests: MANIFESTS,
        });
        const mentioned = new Set<string>();
        for (const { text } of policy.rules) collectPaths(values(text), mentioned);
        expect([...mentioned].sort()).toEqual(policy.namedPaths);
      }),
    );
  });

  it("compiles and activates whatever paths and words are called", async () => {
    const engine = await testEngine();
    const name = anyText.map((text) => text.replaceAll(/[/\0]/g, "_")).filter((text) => !/^\.{0,2}$/.test(text));
    const first = anyText.filter((text) => !/^$|^-|^\*$|\0/.test(text));
    fc.assert(
      fc.property(name, first, (folder, argument) => {
        const authority = authorityOf({
          read: [`/${folder}`],
          floor: [`/own/${folder}`],
          run: [word("/usr/bin/tool", argument, [`--${argument}`.replaceAll("=", "_")])],
          denyRun: [any(`/x/${folder}`)],
        });
        const policy = compilePolicy({ authority, manifests: MANIFESTS });
        engine.activate(policy);
        expect(engine.revision).toBe(policy.revision);
      }),
      { numRuns: 60 },
    );
  });
});

function collectPaths(value: unknown, into: Set<string>): void {
  if (value === null || typeof value !== "object") return;
  const { type, id } = value as { type?: unknown; id?: unknown };
  if (type === "Path" && typeof id === "string") into.add(id);
  for (const inner of Object.values(value)) collectPaths(inner, into);
}
