/** Hostile files neither brick nor open the gate: each is refused with a place, and the engine goes on. */
import { beforeAll, describe, expect, it } from "vitest";
import { cutPolicies } from "../../src/files/cut.ts";
import { compilePolicy, NO_HISTORY, PolicyTrial } from "../../src/index.ts";
import { activeEngine, authorityOf, handwritten, MANIFESTS, pathFacts, type TestEngine } from "../policy-fixture.ts";
import { compiled, fileOf, findings, load, shareTrial } from "./files-fixture.ts";

const shared = shareTrial();

const on = (condition: string) =>
  `@id("a") forbid (principal, action == Action::"fs_read", resource) when { ${condition} };`;
const chain = (count: number, operator: string) =>
  Array.from({ length: count }, (_, at) => `context.bytes == ${at}`).join(operator);
const deepPath = `/${"a/".repeat(2_000)}a`;
const MIB = 1_048_576;

describe("a hostile file", () => {
  it.each<[name: string, file: string | Uint8Array, expected: RegExp]>([
    ["parentheses", on(`${"(".repeat(2_000)}true${")".repeat(2_000)}`), /1:\d+: brackets are nested deeper than 32/],
    ["brackets", on(`${"[".repeat(33)}1${"]".repeat(33)} == 1`), /brackets are nested/],
    ["a chain of or", on(chain(1_000, " || ")), /chain of `\|\|` has more than 100/],
    ["a chain of and", on(chain(400, " && ")), /chain of `&&`/],
    ["a chain just too long", on(chain(101, " || ")), /chain of `\|\|`/],
    ["a sum", on(`${"1 + ".repeat(150)}1 == 2`), /chain of `\+`/],
    [
      "choices within each other",
      on(`${"if context.exists then true else ".repeat(1_000)}false`),
      /engine cannot take this policy \(memory access out of bounds\)/,
    ],
    ["many choices", on(`${"if context.exists then true else ".repeat(40)}false`), /nested deeper than 32/],
    [
      "a pattern of many wildcards",
      on(`context.type like "${"*a".repeat(9)}"`),
      /more than 256 characters or 8 wildcards/,
    ],
    ["a long pattern", on(`context.type like "*${"a".repeat(256)}"`), /more than 256 characters/],
    ["negations", on(`${"!".repeat(500)}context.exists`), /too many occurrences/],
    ["attributes of attributes", on(`context${".a".repeat(5_000)}`), /engine cannot take this policy/],
    ["a path of 2,000 levels", on(`resource in Path::"${deepPath}"`), /never matches: the path is/],
    ["a long path", on(`resource in Path::"/${"x".repeat(60_000)}"`), /never matches: the path is longer/],
    ["a policy of a megabyte", on(`context.type == "${"x".repeat(MIB - 200)}"`), /longer than 65536 characters/],
    [
      "a quote that does not end",
      `@id("a") forbid (principal, action, resource) when { "${"x\\".repeat(300_000)}`,
      /does not end/,
    ],
    ["no end", `${SAFE()} forbid (principal, action, resource)`, /does not end with a semicolon/],
    ["a bracket too many", `@id("a") forbid (principal, action, resource)) ;`, /closes no bracket/],
    ["the wrong bracket", `@id("a") forbid (principal, action, resource];`, /closes no bracket/],
    [
      "bytes that are not UTF-8",
      Buffer.from([0x2f, 0x2f, 0x0a, 0xff, 0x0a]),
      /extra\.cedar:2:1: this line is not UTF-8/,
    ],
    [
      "characters that reorder",
      `${SAFE()} // \u202e gnihton\n`,
      /1:\d+: a character that hides, reorders or imitates text; write it as \\u\{202e\}/,
    ],
    ["a mark in the middle", `${SAFE()}\n\ufeff`, /2:1: a character that hides/],
    [
      "a word that nobody reads",
      on('context.type == "fi\u200ble"'),
      /1:\d+: a character that .* write it as \\u\{200b\}/,
    ],
    ["a path that nobody reads", on('resource in Path::"/ws/sec\u00adrets"'), /write it as \\u\{ad\} in double quotes/],
    ["a look-alike path", on('resource in Path::"/ws/s\u0435crets"'), /write it as \\u\{435\} in double quotes/],
    ["a space that is none", SAFE().replace(" forbid", "\u00a0forbid"), /1:\d+: only ASCII/],
    ["a look-alike keyword", SAFE().replace("forbid", "fоrbid"), /1:\d+: only ASCII/],
    ["a NUL", `${SAFE()}\0`, /only ASCII/],
    ["1,001 policies", Array.from({ length: 1_001 }, (_, at) => SAFE(`p${at}`)).join("\n"), /more than 1000 policies/],
    [
      "a forbid that errs",
      `@id("a") forbid (principal, action == Action::"fs_read", resource) when { context.bytes + 9223372036854775807 > 10 };`,
      /can overflow/,
    ],
    ["a product that errs", on(`context.bytes * 4096 > 10`), /can overflow/],
    [
      "a smuggled template",
      `@id("a") permit (principal == ?principal, action == Action::"fs_read", resource in Path::"/ws");`,
      /template/,
    ],
    [
      "two policies as one",
      `@id("a") forbid (principal, action, resource in Path::"/ws") permit (principal, action, resource);`,
      /unexpected token/,
    ],
  ])("with %s is refused", async (_name, file, expected) => {
    expect((await findings([fileOf(file)]))?.join("\n") ?? "null").toMatch(expected);
  });

  it.each(["../evil.cedar", "a b.cedar", "a\u202e.cedar", ".cedar", "-.cedar", "a/.b.cedar", 'a".cedar', "a\n.cedar"])(
    "named %j is refused",
    async (name) => {
      expect(await findings([fileOf(SAFE(), name)])).toEqual([expect.stringContaining("names of policy files")]);
    },
  );

  it("cannot hide a policy from one of two readers", async () => {
    const hidden = `// a comment ends at either line end\rforbid (principal, action, resource in Path::"/ws");`;
    expect(await findings(hidden)).toEqual([expect.stringContaining("has no @id")]);
    for (const text of [
      `@id("a") forbid (principal, action, resource in Path::"/ws//*;*/");`,
      `@id("a") @reason("\\" ; permit (principal, action, resource); //") ${SAFE().replace('@id("safe")', "")}`,
      `@id("a") @reason("// ;") ${SAFE().replace('@id("safe")', "")}`,
    ]) {
      const cut = cutPolicies(Buffer.from(text));
      expect(cut.ok && cut.statements.length).toBe(1);
    }
    const { rules } = await load(`@id("a") @reason("\\" ; x; //") ${SAFE().replace('@id("safe")', "")}`);
    expect(rules.map(({ reason }) => reason)).toEqual(['" ; x; //']);
  });

  it("may explain itself to people in any words", async () => {
    const words = "non\u00a0\u00bb \u26a0\ufe0f an \u0410PI \u200b";
    for (const text of [`@reason ( "${words}" )\n@fix("${words}") ${SAFE()}`, `// ${words} "${words}\n${SAFE()}`]) {
      expect(await findings(text)).toBeNull();
    }
  });

  it("is bounded together with the others", async () => {
    const files = ["a.cedar", "b.cedar"].map((name) => fileOf(`// ${"x".repeat(MIB / 2 - 3)}`, name));
    expect(await findings(files)).toBeNull();
    expect(await findings([...files, fileOf(" ", "c.cedar")])).toEqual([
      expect.stringContaining("together larger than"),
    ]);
  });

  it("is bounded in what it reports", async () => {
    const text = Array.from({ length: 900 }, () => `forbid (principal, action, resource);`).join("\n");
    const lines = await findings(text);
    expect(lines).toHaveLength(51);
    expect(lines?.at(-1)).toBe("policy: and 850 more");
  });

  it("is bounded in what it warns of", async () => {
    const text = Array.from({ length: 60 }, (_, at) => SAFE(`p${at}`).replace("secrets", `none${at}`)).join("\n");
    const { warnings } = await load(text);
    expect(warnings).toHaveLength(51);
    expect(warnings.at(-1)?.message).toBe("and 10 more");
  });

  it("does not take the next one with it", async () => {
    expect(await findings(on(`${"if context.exists then true else ".repeat(1_900)}false`))).not.toBeNull();
    expect(await findings(SAFE())).toBeNull();
  });
});

describe("the trial", () => {
  const traps = `permit (principal, action == Action::"fs_read", resource) when { ${chain(3_000, " || ")} };`;

  it("refuses what traps only when it is evaluated, and then takes an honest set", async () => {
    await using trial = new PolicyTrial();
    await expect(trial.activate(handwritten({ traps }))).rejects.toMatchObject({ code: "FEMTO_POLICY_INVALID" });
    await trial.activate(await compiled(SAFE()));
    const questions = [pathFacts("/ws/secrets/x")];
    const request = { principal: "default", capability: "fs_read", questions, history: NO_HISTORY };
    expect(await trial.decideAll(request)).toMatchObject({ code: "FEMTO_POLICY_FORBIDDEN" });
  });

  it("fails what it is asked after it has ended, without waiting for it", async () => {
    await using trial = new PolicyTrial();
    await trial.activate(await compiled(SAFE()));
    await trial[Symbol.asyncDispose]();
    await expect(trial.activate(await compiled(SAFE()))).rejects.toThrow("it ended there");
  });

  it("fails what takes too long", async () => {
    await using trial = new PolicyTrial({ stepMs: 1 });
    await expect(trial.activate(await compiled(SAFE()))).rejects.toThrow("it took longer than 1 ms");
    await expect(trial.read([fileOf(SAFE())], [])).rejects.toThrow("it took longer than 1 ms");
  });

  it("fails what runs out of memory, and the process goes on", async () => {
    await using trial = new PolicyTrial({ heapMb: 8 });
    const files = Array.from({ length: 64 }, (_, at) => fileOf(`// ${"x".repeat(MIB - 10)}`, `f${at}.cedar`));
    await expect(trial.read(files, [])).rejects.toMatchObject({ code: "FEMTO_POLICY_INVALID" });
  });
});

describe("five hundred policies", () => {
  let engine: TestEngine;
  beforeAll(async () => {
    const text = Array.from(
      { length: 500 },
      (_, at) => `@id("p${at}") forbid (principal, action, resource in Path::"/d${at}");`,
    );
    const { rules } = await load(text.join("\n"));
    const policy = compilePolicy({ authority: authorityOf({ read: ["/"] }), manifests: MANIFESTS, fileRules: rules });
    await shared.activate(policy);
    engine = await activeEngine(policy);
  });

  it("are all in force", () => {
    for (const at of [0, 250, 499]) {
      const question = pathFacts(`/d${at}/x`);
      expect(engine.decide({ principal: "default", capability: "fs_read", question })).toMatchObject({
        rules: [`file/extra/p${at}`],
      });
    }
    expect(engine.decide({ principal: "default", capability: "fs_read", question: pathFacts("/d500/x") }).allowed).toBe(
      true,
    );
  });
});

/** A policy that nothing is wrong with. */
function SAFE(id = "safe"): string {
  return `@id("${id}") forbid (principal, action, resource in Path::"/ws/secrets");`;
}
