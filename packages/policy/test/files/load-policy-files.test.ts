/** What an expert writes becomes rules that decide, and each mistake is found at its place. */
import { describe, expect, it } from "vitest";
import { confinedAuthority, type Decision, describePolicy } from "../../src/index.ts";
import { activeEngine, authorityOf, pathFacts } from "../policy-fixture.ts";
import { compiled, fileOf, findings, load, shareTrial } from "./files-fixture.ts";

shareTrial();

const SECRETS = `// Nobody reads what is in there.
@id("secrets")
@reason("ключи are for people")
@fix("ask whoever keeps them")
forbid (principal, action, resource in Path::"/ws/secrets"); // and nobody writes it`;

describe("a policy of a file", () => {
  it("is a rule with its origin, in ASCII and without comments", async () => {
    const { rules, warnings } = await load(SECRETS);
    expect(warnings).toEqual([]);
    expect(rules).toEqual([
      {
        id: "file/extra/secrets",
        source: "policy/extra.cedar:2:1",
        reason: "ключи are for people",
        fix: "ask whoever keeps them",
        text: [
          '@id("secrets")',
          '@reason("\\u{43a}\\u{43b}\\u{44e}\\u{447}\\u{438} are for people")',
          '@fix("ask whoever keeps them")',
          'forbid (principal, action, resource in Path::"/ws/secrets");',
        ].join("\n"),
        paths: ["/ws/secrets"],
        hidden: ["/ws/secrets"],
        kept: [],
      },
    ]);
  });

  it("is in force: it forbids what the tables permit, and stands in the revision and in what is shown", async () => {
    const policy = await compiled(SECRETS, { read: ["/ws"] });
    const without = await compiled("", { read: ["/ws"] });
    expect(policy.revision).not.toBe(without.revision);
    expect(describePolicy(policy)).toContain("// file/extra/secrets (policy/extra.cedar:2:1)\n");
    const engine = await activeEngine(policy);
    const read = (path: string) =>
      engine.decide({ principal: "default", capability: "fs_read", question: pathFacts(path) });
    expect(read("/ws/a").allowed).toBe(true);
    expect(read("/ws/secrets/deep/er")).toMatchObject({
      code: "FEMTO_POLICY_FORBIDDEN",
      rules: ["file/extra/secrets"],
    });
  });

  it("never lifts the floor", async () => {
    const text = `@id("all") @unsafe("a test") permit (principal, action, resource);`;
    const engine = await activeEngine(await compiled(text, { floor: ["/state"] }));
    const read = (path: string) =>
      engine.decide({ principal: "default", capability: "fs_read", question: pathFacts(path) });
    expect(read("/anything").allowed).toBe(true);
    expect(read("/state/key")).toMatchObject({ rules: ["floor/own-files"] });
  });

  it("asks as many operators as its annotation says, and something else has to permit", async () => {
    const asking = (approval: string) =>
      `@id("large") ${approval} forbid (principal, action == Action::"fs_write", resource) when { context.bytes > 9 } unless { context.approved };`;
    for (const [approval, approvers] of [
      ["@approval", 1],
      ['@approval("")', 1],
      ['@approval("3")', 3],
    ] as const) {
      const policy = await compiled(asking(approval), { write: ["/ws/out"] });
      expect(policy.rules.find(({ id }) => id === "file/extra/large")?.approvers).toBe(approvers);
      const engine = await activeEngine(policy);
      const write = (path: string, bytes: number): Decision =>
        engine.decide({ principal: "default", capability: "fs_write", question: pathFacts(path, { bytes }) });
      expect(write("/ws/out/a", 9).allowed).toBe(true);
      expect(write("/ws/out/a", 10)).toMatchObject({ code: "FEMTO_APPROVAL_REQUIRED", approvers });
      expect(write("/elsewhere", 10)).toMatchObject({ code: "FEMTO_POLICY_NO_PERMIT" });
    }
  });

  it("has its name from its file, also in a folder", async () => {
    const text = `@id("x") forbid (principal, action, resource in Path::"/ws/secrets");`;
    const { rules } = await load([fileOf(text, "a.cedar"), fileOf(text, "team/a.cedar")]);
    expect(rules.map(({ id }) => id)).toEqual(["file/a/x", "file/team/a/x"]);
  });
});

/** `resource in Path::".."` in every place where Cedar takes it. */
const PLACES: readonly (readonly [name: string, policy: string])[] = [
  ["the scope", `(principal, action, resource in Path::"/srv")`],
  ["the scope with a type", `(principal, action, resource is Path in Path::"/srv")`],
  ["a condition", `(principal, action == Action::"fs_read", resource) when { resource in Path::"/srv" }`],
  ["a list", `(principal, action == Action::"fs_read", resource) when { resource in [Path::"/ws", Path::"/srv"] }`],
  ["a typed condition", `(principal, action == Action::"fs_read", resource) when { resource is Path in Path::"/srv" }`],
  ["an exception", `(principal, action == Action::"fs_read", resource) unless { !(resource in Path::"/srv") }`],
  [
    "a choice",
    `(principal, action == Action::"fs_read", resource) when { if context.exists then resource in Path::"/srv" else false }`,
  ],
  [
    "an alternative",
    `(principal, action == Action::"fs_read", resource) when { context.bytes > 9 || resource in Path::"/srv" }`,
  ],
  ["a record", `(principal, action == Action::"fs_read", resource) when { {"a": resource in Path::"/srv"}.a }`],
  ["a set", `(principal, action == Action::"fs_read", resource) when { [resource in Path::"/srv"].contains(true) }`],
  ["an escape", `(principal, action == Action::"fs_read", resource) when { resource in Path::"/s\\u{72}v" }`],
];

it.each(PLACES)("a path that is named in %s matches what lies below it", async (_name, policy) => {
  const named = await compiled(`@id("x") forbid ${policy};`, { read: ["/"] });
  expect(named.namedPaths).toContain("/srv");
  const engine = await activeEngine(named);
  const decision = engine.decide({ principal: "default", capability: "fs_read", question: pathFacts("/srv/a/b/c") });
  expect(decision).toMatchObject({ code: "FEMTO_POLICY_FORBIDDEN", rules: ["file/extra/x"] });
});

const ON_READ = `forbid (principal, action == Action::"fs_read", resource)`;
const ON_RUN = `action == Action::"process_exec"`;

describe("lint", () => {
  it.each<[name: string, policy: string, expected: RegExp]>([
    ["no @id", `${ON_READ};`, /extra\.cedar:1:1: the policy has no @id/],
    ["an @id that needs quoting", `@id("a/b") ${ON_READ};`, /1:1: @id takes 1 to 64/],
    [
      "an @id twice",
      `@id("a") ${ON_READ};\n @id("a") ${ON_READ};`,
      /2:2: @id\("a"\) stands at policy\/extra\.cedar:1:1/,
    ],
    [
      "a misspelt annotation",
      `@id("a")\n@aproval("1") ${ON_READ};`,
      /2:1: unknown annotation @aproval; did you mean @approval\?/,
    ],
    ["an annotation of others", `@id("a") @mode("log") ${ON_READ};`, /unknown annotation @mode; known are/],
    ["an unsafe forbid", `@id("a") @unsafe("x") ${ON_READ};`, /1:10: @unsafe stands on a permit/],
    ["an empty reason", `@id("a") @reason(" ") ${ON_READ};`, /@reason takes a text/],
    [
      "a misspelt action",
      `@id("a") forbid (principal, action == Action::"fs_raed", resource);`,
      /1:\d+: .*did you mean `Action::"fs_read"`\?/,
    ],
    [
      "a misspelt fact",
      `@id("a") ${ON_READ} when { context.byts > 1 };`,
      /1:\d+: attribute `byts`.*did you mean `bytes`\?/,
    ],
    [
      "a misspelt agent",
      `@id("a") forbid (principal == Agent::"defualt", action, resource in Path::"/ws");`,
      /1:\d+: Agent::"defualt" .*did you mean "default"\?/,
    ],
    [
      "an unknown tool",
      `@id("a") forbid (principal, action, resource == Tool::"clock_wno");`,
      /Tool::"clock_wno" .*did you mean "clock_now"\?/,
    ],
    [
      "a program that is not there",
      `@id("a") forbid (principal, ${ON_RUN}, resource == Program::"/usr/bin/gti");`,
      /there is no program/,
    ],
    ["a relative path", `@id("a") ${ON_READ} when { resource in Path::"ws" };`, /1:\d+: Path::"ws" never matches/],
    ["a slash at the end", `@id("a") ${ON_READ} when { resource in Path::"/ws/" };`, /Path::"\/ws\/" never matches/],
    ["a path that is not canonical", `@id("a") ${ON_READ} when { resource in Path::"/ws/../etc" };`, /never matches/],
    [
      "a path through a link",
      `@id("a") ${ON_READ} when { resource in Path::"/ws/link" };`,
      /leads to "\/srv"; write that/,
    ],
    ["a template", `@id("a") forbid (principal == ?principal, action, resource);`, /template/],
    ["a contradiction", `@id("a") ${ON_READ} when { context.bytes > 1 && !(context.bytes > 1) };`, /own opposite/],
    [
      "a contradiction in other words",
      `@id("a") ${ON_READ} when { context.bytes > 1 } unless { context.exists || context.bytes > 1 };`,
      /own opposite/,
    ],
    [
      "an alternative that always holds",
      `@id("a") ${ON_READ} when { context.exists || !context.exists };`,
      /own opposite/,
    ],
    [
      "two texts at once",
      `@id("a") ${ON_READ} when { context.type == "file" && "directory" == context.type };`,
      /cannot equal two texts/,
    ],
    ["a condition that never holds", `@id("a") ${ON_READ} when { false };`, /impossible/],
    ["a text that no fact holds", `@id("a") ${ON_READ} when { context.type == "fil" };`, /never holds "fil"/],
    [
      "an option as word",
      `@id("a") forbid (principal, ${ON_RUN}, resource) when { context has word && context.word == "-c" };`,
      /never holds "-c"/,
    ],
    [
      "a word as option",
      `@id("a") forbid (principal, ${ON_RUN}, resource) when { context.flags.contains("force") };`,
      /never holds "force"/,
    ],
    [
      "a digest in capitals",
      `@id("a") forbid (principal, ${ON_RUN}, resource) when { context.sha256 == "${"A".repeat(64)}" };`,
      /64 hexadecimal/,
    ],
    ["in the wrong way round", `@id("a") ${ON_READ} when { Path::"/ws" in resource };`, /on the left/],
    ["arithmetic that can overflow", `@id("a") ${ON_READ} when { context.bytes * context.bytes > 1 };`, /can overflow/],
    [
      "arithmetic with a huge number",
      `@id("a") ${ON_READ} when { context.bytes + 9223372036854775807 > 10 };`,
      /can overflow/,
    ],
    [
      "a permit of everything",
      `@id("a") permit (principal, action, resource);`,
      /permits every use of fs_list, fs_read, fs_write, process_exec; bind/,
    ],
    [
      "a permit of every path",
      `@id("a") permit (principal, action == Action::"fs_write", resource is Path);`,
      /permits every use of fs_write/,
    ],
    [
      "a permit bound in one alternative only",
      `@id("a") permit (principal, action == Action::"fs_read", resource) when { resource in Path::"/ws" || context.exists };`,
      /permits every use/,
    ],
    [
      "a permit bound by an exception",
      `@id("a") permit (principal, action == Action::"fs_read", resource) unless { resource in Path::"/ws" };`,
      /permits every use/,
    ],
    [
      "a permit by a digest alone",
      `@id("a") permit (principal, ${ON_RUN}, resource) when { context.sha256 == "${"a".repeat(64)}" };`,
      /permits every use/,
    ],
    [
      "a permit to write where programs are",
      `@id("a") permit (principal, action == Action::"fs_write", resource in Path::"/usr");`,
      /1:1: calls could replace programs in \/usr\/bin/,
    ],
    [
      "a permit to write one program",
      `@id("a") permit (principal, action, resource) when { resource == Path::"/usr/bin/echo" };`,
      /calls could replace programs/,
    ],
    [
      "a permit to write where programs are, under further conditions",
      `@id("a") permit (principal, action == Action::"fs_write", resource) when { (resource in Path::"/usr/bin" && context.exists) || (context.bytes < 9 && (resource == Path::"/ws/a" || resource in Path::"/srv")) };`,
      /calls could replace programs in \/usr\/bin/,
    ],
    [
      "a permit of any program",
      `@id("a") permit (principal, ${ON_RUN}, resource) when { context.arguments == 0 };`,
      /permits every use of process_exec/,
    ],
    [
      "a permit of a shell",
      `@id("a") permit (principal, ${ON_RUN}, resource == Program::"/usr/bin/bash");`,
      /\(bash\) takes code/,
    ],
    [
      "a shell by its file",
      `@id("a") permit (principal, ${ON_RUN}, resource) when { context.real_path == "/usr/bin/bash" };`,
      /\(bash\) takes code/,
    ],
    [
      "git with any arguments",
      `@id("a") permit (principal, ${ON_RUN}, resource == Program::"/usr/bin/git");`,
      /\(git\) can execute other code/,
    ],
    [
      "git with any options",
      `@id("a") permit (principal, ${ON_RUN}, resource == Program::"/usr/bin/git") when { context has word && context.word == "log" };`,
      /\(git\) can execute/,
    ],
    [
      "git with options the wrong way round",
      `@id("a") permit (principal, ${ON_RUN}, resource == Program::"/usr/bin/git") when { context has word && context.word == "log" && context.flags.containsAll(["--stat"]) };`,
      /\(git\) can execute/,
    ],
    [
      "a question on a permit",
      `@id("a") @approval permit (principal, action == Action::"fs_read", resource in Path::"/ws") when { context.approved };`,
      /@approval stands on a forbid/,
    ],
    [
      "a question without its clause",
      `@id("a") @approval ${ON_READ} when { context.bytes > 1 };`,
      /@approval stands on a forbid/,
    ],
    [
      "a question the wrong way round",
      `@id("a") @approval ${ON_READ} when { context.approved };`,
      /@approval stands on a forbid/,
    ],
    [
      "a question with half a clause",
      `@id("a") @approval ${ON_READ} unless { context.approved && context.exists };`,
      /@approval stands on a forbid/,
    ],
    ["a question of nobody", `@id("a") @approval("0") ${ON_READ} unless { context.approved };`, /"1" to "9"/],
    ["a question of ten", `@id("a") @approval("10") ${ON_READ} unless { context.approved };`, /"1" to "9"/],
    ["an approval that nobody asks for", `@id("a") ${ON_READ} unless { context.approved };`, /add @approval/],
  ])("finds %s", async (_name, policy, expected) => {
    expect((await findings(policy))?.join("\n")).toMatch(expected);
  });

  it.each([
    ["a bound permit", `permit (principal, action == Action::"fs_read", resource in Path::"/ws")`],
    [
      "a permit bound by all alternatives",
      `permit (principal, action == Action::"fs_read", resource) when { resource == Path::"/ws" || resource in Path::"/srv" }`,
    ],
    [
      "a permit of a list",
      `permit (principal, action == Action::"fs_read", resource) when { [Path::"/ws", Path::"/srv"].contains(resource) }`,
    ],
    ["a permit by name where calls name nothing", `permit (principal, action == Action::"clock_now", resource)`],
    [
      "git with its word and options",
      `permit (principal, ${ON_RUN}, resource == Program::"/usr/bin/git") when { context has word && ["log", "diff"].contains(context.word) && ["--stat"].containsAll(context.flags) }`,
    ],
    ["reading where programs are", `permit (principal, action == Action::"fs_read", resource in Path::"/usr")`],
    ["a harmless program", `permit (principal, ${ON_RUN}, resource == Program::"/usr/bin/echo")`],
    [
      "the smallest number",
      `forbid (principal, ${ON_RUN}, resource) when { context.arguments == -9223372036854775808 }`,
    ],
    [
      "arithmetic of small numbers",
      `forbid (principal, ${ON_RUN}, resource) when { context.arguments * 1000 + 1 > 5000 }`,
    ],
    [
      "conditions of a hundred operands",
      `forbid (principal, ${ON_RUN}, resource) when { ${Array.from({ length: 100 }, (_, at) => `context.arguments == ${at}`).join(" || ")} }`,
    ],
  ])("takes %s", async (_name, policy) => {
    expect(await findings(`@id("a") ${policy};`)).toBeNull();
  });

  it.each([
    ["the program", `resource == Program::"/usr/bin/bash"`],
    ["everything", `resource`],
  ])("takes it from @unsafe that %s is meant", async (_name, resource) => {
    expect(await findings(`@id("a") @unsafe("in a sandbox") permit (principal, ${ON_RUN}, ${resource});`)).toBeNull();
  });

  it("reports everything at once, in the order of the files", async () => {
    const bad = `${ON_READ};\n@id("b") ${ON_READ} when { context.type == "x" };`;
    const lines = await findings([fileOf(bad, "b.cedar"), fileOf(`\n${bad}`, "a.cedar")]);
    expect(lines?.map((line) => line.split(": ")[0])).toEqual([
      "policy/a.cedar:2:1",
      "policy/a.cedar:3:1",
      "policy/b.cedar:1:1",
      "policy/b.cedar:2:1",
    ]);
  });

  it("warns of a path that is not there and of a rule that programs are not bound by", async () => {
    const warnings = async (text: string) =>
      (await load(text)).warnings.map(({ source, message }) => `${source} ${message}`);
    expect(await warnings(`@id("a") ${ON_READ} when { resource in Path::"/ws/secrts" };`)).toEqual([
      expect.stringMatching(/^policy\/extra\.cedar:1:\d+ Path::"\/ws\/secrts" does not exist now/),
    ]);
    expect(await warnings(`@id("a") ${ON_READ} when { context.bytes > 1 };`)).toEqual([
      expect.stringMatching(/^policy\/extra\.cedar:1:1 .*programs are not bound by it/),
    ]);
    expect(await warnings(`@id("a") forbid (principal == Agent::"default", action, resource);`)).toEqual([]);
  });
});

describe("the second fence", () => {
  const authority = authorityOf({ read: ["/ws"], write: ["/ws/out"], denyRead: ["/ws/old"] });
  const denied = async (policy: string) => {
    const { deny } = confinedAuthority(authority, (await load(`@id("a") ${policy};`)).rules);
    return { read: deny.read.map(({ path }) => path), write: deny.write.map(({ path }) => path) };
  };

  it.each([
    ["reading is forbidden", `forbid (principal, action == Action::"fs_read", resource in Path::"/ws/secrets")`],
    ["everything is forbidden", `forbid (principal, action, resource in Path::"/ws/secrets")`],
    [
      "reading is forbidden sometimes",
      `forbid (principal, action == Action::"fs_read", resource) when { resource in [Path::"/ws/secrets"] && context.bytes == 0 }`,
    ],
    [
      "reading is forbidden in one of several cases",
      `forbid (principal, action == Action::"fs_read", resource) when { context.bytes > 9 || resource in Path::"/ws/secrets" }`,
    ],
    [
      "reading is forbidden by a choice",
      `forbid (principal, action == Action::"fs_read", resource) when { if context.exists then resource in Path::"/ws/secrets" else false }`,
    ],
    [
      "reading is forbidden in other words",
      `forbid (principal, action == Action::"fs_read", resource) unless { !(resource in Path::"/ws/secrets") }`,
    ],
    [
      "reading is asked for",
      `@approval forbid (principal, action == Action::"fs_read", resource in Path::"/ws/secrets") unless { context.approved }`,
    ],
  ])("programs do not see what file tools may not read: %s", async (_name, policy) => {
    expect(await denied(policy)).toEqual({ read: ["/ws/old", "/ws/secrets"], write: [] });
  });

  it("programs do not change what file tools may not change", async () => {
    expect(await denied(`forbid (principal, action == Action::"fs_write", resource in Path::"/ws/out")`)).toEqual({
      read: ["/ws/old"],
      write: ["/ws/out"],
    });
  });

  it("a list of exceptions hides nothing, and is told of", async () => {
    const policy = `forbid (principal, action == Action::"fs_read", resource) unless { resource in Path::"/srv" }`;
    expect(await denied(policy)).toEqual({ read: ["/ws/old"], write: [] });
    const { warnings } = await load(`@id("a") ${policy};`);
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining("programs are not bound by it")]);
  });

  it("a permit shows programs nothing more", async () => {
    const permit = `permit (principal, action == Action::"fs_read", resource in Path::"/srv")`;
    expect(await denied(permit)).toEqual({ read: ["/ws/old"], write: [] });
  });
});
