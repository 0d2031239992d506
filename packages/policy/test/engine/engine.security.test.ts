import type { FactQuestion, ProgramQuestion } from "@femtoclaw/protocol";
import { beforeAll, describe, expect, it } from "vitest";
import { authorizationCall } from "../../src/decisions/request.ts";
import { openCedar } from "../../src/engine/cedar-instance.ts";
import { compilePolicy, NO_HISTORY } from "../../src/index.ts";
import { policyActions, schemaText } from "../../src/schema.ts";
import {
  activeEngine,
  any,
  authorityOf,
  handwritten,
  MANIFESTS,
  pathFacts,
  programFacts,
  type TestEngine,
  testEngine,
  word,
} from "../policy-fixture.ts";

const BIN = "/usr/bin/";
const POLICY = compilePolicy({
  authority: authorityOf({
    read: ["/ws"],
    write: ["/ws/out"],
    run: [
      any(`${BIN}echo`),
      word(`${BIN}git`, "status", ["--short"]),
      word(`${BIN}git`, "grep", ["-i", "-n"]),
      word(`${BIN}git`, "log", ["--oneline"]),
      word(`${BIN}git`, "diff", ["--stat"]),
      word(`${BIN}find`, ".", ["-type", "-t", "-y", "-p", "-e"]),
      word(`${BIN}sort`, "data.txt", ["-n"]),
      word(`${BIN}rg`, "needle", ["-n"]),
      word(`${BIN}sed`, "p", ["-n"]),
      word(`${BIN}awk`, "{print}", []),
      word(`${BIN}tar`, "tf", []),
      word(`${BIN}man`, "ls", []),
      word(`${BIN}npm`, "test", []),
    ],
    environmentNames: ["LANG"],
  }),
  manifests: MANIFESTS,
});

describe("bypass classes", () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await activeEngine(POLICY);
  });
  const run = (program: string, argv: readonly string[], more: Partial<ProgramQuestion> = {}) =>
    engine.decide({ principal: "s", capability: "process_exec", question: programFacts(program, argv, more) });

  it.each([
    ["git", ["status", "--short"]],
    ["git", ["grep", "-i", "-n", "x"]],
    ["git", ["diff", "--stat", "HEAD"]],
    ["find", [".", "-type", "f"]],
    ["sort", ["data.txt"]],
    ["tar", ["tf", "a.tar"]],
    ["npm", ["test"]],
  ])("an honest %s %j is permitted", (program, argv) => {
    expect(run(BIN + program, argv).allowed).toBe(true);
  });

  it.each<[string, string, readonly string[]]>([
    ["other spelling", "git", ["-C", "/elsewhere", "status"]],
    ["other spelling", "git", ["-C/elsewhere", "status"]],
    ["other spelling", "git", ["--git-dir=/x", "status"]],
    ["other spelling", "git", ["--no-pager", "log"]],
    ["other spelling", "git", ["-c", "core.pager=id", "log"]],
    ["other spelling", "git", ["-c", "alias.status=!id", "status"]],
    ["other spelling", "git", ["--exec-path=/ws", "status"]],
    ["other spelling", "git", ["-C", "x", "push"]],
    ["other word", "git", ["push"]],
    ["other word", "git", ["Status"]],
    ["other word", "git", ["status "]],
    ["other word", "git", ["ѕtatus"]],
    ["other word", "git", ["status\0"]],
    ["other word", "git", ["", "status"]],
    ["other word", "git", ["stat"]],
    ["no word", "git", []],
    ["no word", "git", ["--", "status"]],
    ["no word", "git", ["-"]],
    ["bundled option", "git", ["grep", "-iO/usr/bin/id", "x"]],
    ["bundled option", "git", ["grep", "-niOid", "x"]],
    ["option that executes", "git", ["grep", "--open-files-in-pager=id", "x"]],
    ["option that executes", "git", ["log", "--oneline", "--ext-diff"]],
    ["option that writes", "git", ["diff", "--stat", "--output=/ws/x"]],
    ["abbreviated option", "git", ["diff", "--out=/ws/x"]],
    ["option with a value", "git", ["diff", "--stat=80"]],
    ["option behind operands", "git", ["status", "a", "b", "--porcelain"]],
    ["option behind --", "git", ["status", "--", "--short"]],
    ["option that executes", "find", [".", "-exec", "id", ";"]],
    ["option that executes", "find", [".", "-execdir", "id", ";"]],
    ["option that executes", "find", [".", "-ok", "id", ";"]],
    ["option that writes", "find", [".", "-fprintf", "/ws/x", "y"]],
    ["option that deletes", "find", [".", "-delete"]],
    ["other start", "find", ["/", "-type", "f"]],
    ["option that executes", "sort", ["data.txt", "--compress-program=id"]],
    ["option that executes", "sort", ["data.txt", "--compress-prog", "id"]],
    ["option that writes", "sort", ["data.txt", "-o", "/ws/x"]],
    ["option that writes", "sort", ["data.txt", "-no/ws/x"]],
    ["option that executes", "rg", ["needle", "--pre", "id"]],
    ["option that executes", "rg", ["needle", "--pre=id"]],
    ["other script", "sed", ["1e id"]],
    ["option that writes", "sed", ["p", "-i"]],
    ["option that writes", "sed", ["p", "-ni"]],
    ["further script", "sed", ["p", "-e", "1e id"]],
    ["other script", "awk", ['BEGIN{system("id")}']],
    ["option that executes", "awk", ["{print}", "-f", "/ws/x.awk"]],
    ["bundle without dash", "tar", ["xfC", "a.tar", "/"]],
    ["option that executes", "tar", ["tf", "a.tar", "--to-command=id"]],
    ["option that executes", "tar", ["tf", "a.tar", "-I", "id"]],
    ["option that executes", "man", ["ls", "-P", "id"]],
    ["arguments behind --", "npm", ["test", "--", "--exec"]],
    ["other script", "npm", ["exec"]],
  ])("%s: %s %j is denied", (_, program, argv) => {
    expect(run(BIN + program, argv)).toMatchObject({ allowed: false, code: "FEMTO_POLICY_NO_PERMIT" });
  });

  it.each(["bash", "env", "nice", "timeout", "xargs", "busybox", "sh", "sudo"])(
    "the wrapper %s opens nothing that is not granted",
    (wrapper) => {
      expect(run(BIN + wrapper, ["git", "status"])).toMatchObject({ code: "FEMTO_POLICY_NO_PERMIT" });
      expect(run(BIN + wrapper, ["echo", "x"])).toMatchObject({ code: "FEMTO_POLICY_NO_PERMIT" });
    },
  );

  it.each(["/ws/echo", "/ws/bin/git", "/usr/local/bin/git", "/usr/bin/GIT", "/usr/bin/git ", "/usr/bin/git2"])(
    "a program of the same name at %s is another program",
    (program) => {
      expect(run(program, ["status"])).toMatchObject({ code: "FEMTO_POLICY_NO_PERMIT" });
    },
  );

  it("a granted path that leads to another file since then is another program", () => {
    expect(run(`${BIN}echo`, ["x"], { real_path: "/ws/evil" })).toMatchObject({ code: "FEMTO_POLICY_NO_PERMIT" });
  });

  it.each([
    "PATH",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "NODE_OPTIONS",
    "BASH_ENV",
    "GIT_SSH_COMMAND",
    "Lang",
    "LANG=x",
    "",
  ])("a call cannot set the variable %j", (name) => {
    expect(run(`${BIN}echo`, ["x"], { environment: [name] })).toMatchObject({
      code: "FEMTO_POLICY_FORBIDDEN",
      rules: ["floor/environment"],
    });
  });

  it("a forbidden program stays forbidden under every name of its file", async () => {
    const authority = authorityOf({
      run: [any("/usr/bin/alias", { realPath: "/opt/tool" })],
      denyRun: [any("/opt/tool")],
    });
    const forbidding = await activeEngine(compilePolicy({ authority, manifests: MANIFESTS }));
    const question = programFacts("/usr/bin/alias", [], { real_path: "/opt/tool" });
    expect(forbidding.decide({ principal: "s", capability: "process_exec", question })).toMatchObject({
      code: "FEMTO_POLICY_FORBIDDEN",
    });
  });

  it.each([
    "/ws-evil",
    "/ws-evil/a",
    "/wsx",
    "/w",
    "/WS",
    "/Ws/a",
    "/ws ",
    "/ws\n",
    "/ws\u200b/a",
    "/\u0077\u0455/a",
    "/ｗｓ/a",
    "/ws\u0301",
    "/x/ws/a",
    "/ws\\..\\etc",
  ])("the path twin %j is denied", (path) => {
    const decision = engine.decide({ principal: "s", capability: "fs_read", question: pathFacts(path) });
    expect(decision).toMatchObject({ allowed: false, code: "FEMTO_POLICY_NO_PERMIT" });
  });

  it.each(["/ws/../etc", "/ws/..", "/ws/./a", "/ws//a", "/ws/", "ws/a", "", ".", "//ws/a", "/ws/a\0", "/ws/\ud800"])(
    "the path %j, which no honest fact holds, is denied",
    (path) => {
      const decision = engine.decide({ principal: "s", capability: "fs_read", question: pathFacts(path) });
      expect(decision).toMatchObject({ allowed: false, code: "FEMTO_POLICY_ERROR" });
    },
  );
});

describe("smuggling", () => {
  const faults: string[] = [];
  let engine: TestEngine;
  beforeAll(async () => {
    // Everything honest is permitted here, so that any denial below is the smuggled value's.
    const authority = authorityOf({ read: ["/"], run: [any("/usr/bin/echo")] });
    engine = await activeEngine(compilePolicy({ authority, manifests: MANIFESTS }), (fault) => faults.push(fault));
  });
  const ask = (capability: string, question: unknown) =>
    engine.decide({ principal: "s", capability, question: question as FactQuestion });
  const { word: _, ...wordless } = programFacts("/usr/bin/echo", ["x"]);
  const program = { ...wordless, word: "x" };
  const file = pathFacts("/ws/a");

  it("has an honest baseline", () => {
    expect(ask("process_exec", program).allowed).toBe(true);
    expect(ask("fs_read", file).allowed).toBe(true);
  });

  const entityValue = { __entity: { type: "Path", id: "/ws" } };
  const extension = { __extn: { fn: "ip", arg: "127.0.0.1" } };
  const hostile: [string, string, unknown][] = [
    ["an entity as text", "process_exec", { ...program, word: entityValue }],
    ["an implicit entity as text", "process_exec", { ...program, word: { type: "Path", id: "/ws" } }],
    ["an extension value as text", "process_exec", { ...program, word: extension }],
    ["an entity in a list", "process_exec", { ...program, flags: [entityValue] }],
    ["an entity as list", "process_exec", { ...program, flags: entityValue }],
    ["an extension value as number", "process_exec", { ...program, arguments: extension }],
    ["a text as list", "process_exec", { ...program, flags: "-a" }],
    ["a list as text", "process_exec", { ...program, word: ["x"] }],
    ["a number as text", "process_exec", { ...program, word: 1 }],
    ["null", "process_exec", { ...program, word: null }],
    ["undefined", "process_exec", { ...program, word: undefined }],
    ["a number in a list", "process_exec", { ...program, environment: [1] }],
    ["an attribute too many", "process_exec", { ...program, approved: true }],
    ["an attribute too many that looks internal", "fs_read", { ...file, __entity: { type: "Path", id: "/ws" } }],
    ["an attribute too few", "process_exec", (({ sha256: __, ...rest }) => rest)(program)],
    ["an attribute too few", "fs_read", { kind: "path", path: "/ws/a", exists: true, type: "file" }],
    ["a float", "fs_read", { ...file, bytes: 1.5 }],
    ["not a number", "fs_read", { ...file, bytes: Number.NaN }],
    ["an unsafe integer", "fs_read", { ...file, bytes: 2 ** 53 }],
    ["a bigint", "fs_read", { ...file, bytes: 1n }],
    ["a truth value as number", "fs_read", { ...file, bytes: true }],
    ["an entity as path", "fs_read", { ...file, path: entityValue }],
    ["a list as path", "fs_read", { ...file, path: ["/ws/a"] }],
    ["a lone surrogate", "process_exec", { ...program, word: "\ud800" }],
    ["a lone surrogate in a list", "process_exec", { ...program, flags: ["-\udfff"] }],
    ["another kind of question", "fs_read", program],
    ["another kind of question", "process_exec", file],
    ["another kind of question", "fs_read", { kind: "tool" }],
    ["an unknown kind of question", "fs_read", { ...file, kind: "host" }],
    ["no question", "fs_read", null],
    ["no question", "fs_read", undefined],
    ["a list of questions", "fs_read", [file]],
    ["an unknown capability", "fs_raed", file],
    ["a capability with a quote", 'fs_read"', file],
    ["a deep value", "process_exec", { ...program, word: JSON.parse(`${"[".repeat(5_000)}1${"]".repeat(5_000)}`) }],
    ["a long text", "process_exec", { ...program, word: "x".repeat(1_000_000) }],
    ["a long list", "process_exec", { ...program, flags: Array.from({ length: 100_000 }, (_, at) => `-${at}`) }],
  ];
  it.each(hostile)("%s in %s is denied", (_, capability, question) => {
    expect(ask(capability, question)).toMatchObject({ allowed: false, code: "FEMTO_POLICY_ERROR" });
  });

  it("denies a principal that is no text", () => {
    const principal = entityValue as unknown as string;
    expect(engine.decide({ principal, capability: "fs_read", question: file })).toMatchObject({ allowed: false });
  });

  it("takes text that looks like a smuggled value as text", () => {
    for (const text of [
      '{"__entity":{"type":"Path","id":"/"}}',
      '"; permit(principal,action,resource);//',
      "\u{0}\n\u202e",
    ]) {
      expect(ask("process_exec", { ...program, word: text }).allowed).toBe(true);
      expect(ask("process_exec", { ...program, flags: [text] }).allowed).toBe(true);
    }
  });

  it("costs no instance of the engine", () => {
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.filter((fault) => fault.includes("instance"))).toEqual([]);
    expect(ask("fs_read", file).allowed).toBe(true);
  });

  it("is refused by the schema also where the first check is left out", async () => {
    const cedar = (await (await openCedar())()).start();
    cedar.preparseSchema("A", schemaText(policyActions(MANIFESTS)));
    cedar.preparsePolicySet("A", { staticPolicies: { all: "permit (principal, action, resource);" } });
    const target = { slot: "A", namedPaths: new Set<string>() };
    const asked = { principal: "s", capability: "process_exec", question: program, history: NO_HISTORY };
    const honest = authorizationCall(asked, target);
    if (!honest.ok) throw new Error(honest.fault);
    const answer = (word: object) =>
      cedar.statefulIsAuthorized({
        ...honest.call,
        context: { ...honest.call.context, word: word as typeof entityValue },
      });
    expect(cedar.statefulIsAuthorized(honest.call)).toMatchObject({ response: { decision: "allow" } });
    for (const smuggled of [entityValue, extension, { a: 1 }])
      expect(answer(smuggled)).toMatchObject({ type: "failure" });
  });
});

describe("size", () => {
  it("decides over hostile names of any length that the kernel takes", async () => {
    const odd = ['"', "\\", "\n", "\r\u2028", "\u{10ffff}", "a".repeat(250), "💥", "\u202e", "..a", "*", "\u{7f}"];
    const folder = `/${odd.join("/")}`;
    const long = `/${"x".repeat(255)}`.repeat(15);
    const first = "w".repeat(4_096);
    const authority = authorityOf({ read: [folder, long], run: [word("/usr/bin/tool", first, ['--"\n\\'])] });
    const engine = await activeEngine(compilePolicy({ authority, manifests: MANIFESTS }));
    const read = (path: string) => engine.decide({ principal: "s", capability: "fs_read", question: pathFacts(path) });
    for (const root of [folder, long]) {
      expect(read(root).allowed).toBe(true);
      expect(read(`${root}/"below"`).allowed).toBe(true);
      expect(read(`${root}-`).allowed).toBe(false);
    }
    const run = (argv: string[]) =>
      engine.decide({ principal: "s", capability: "process_exec", question: programFacts("/usr/bin/tool", argv) });
    expect(run([first, '--"\n\\']).allowed).toBe(true);
    expect(run([`${first}w`]).allowed).toBe(false);
  });

  it("denies a path of 2,000 levels before the engine sees it", async () => {
    const authority = authorityOf({ read: ["/"] });
    const faults: string[] = [];
    const engine = await activeEngine(compilePolicy({ authority, manifests: MANIFESTS }), (fault) =>
      faults.push(fault),
    );
    const read = (levels: number) =>
      engine.decide({ principal: "s", capability: "fs_read", question: pathFacts("/a".repeat(levels)) });
    expect(read(64).allowed).toBe(true);
    expect(read(65)).toMatchObject({ code: "FEMTO_POLICY_ERROR" });
    for (const levels of [2_000, 50_000]) expect(read(levels)).toMatchObject({ code: "FEMTO_POLICY_ERROR" });
    await expect.poll(() => faults).toHaveLength(3);
    expect(faults.join()).toMatch(/deeper than 64 levels.*longer than 4096 bytes/s);
  });

  it("loads and decides over 500 rules", async () => {
    const read = Array.from({ length: 250 }, (_, at) => `/data/${at}`);
    const run = Array.from({ length: 248 }, (_, at) => word("/usr/bin/tool", `word${at}`, ["--one", "--two"]));
    const policy = compilePolicy({ authority: authorityOf({ read, run, floor: ["/state"] }), manifests: MANIFESTS });
    expect(policy.rules.length).toBeGreaterThanOrEqual(500);
    const engine = await activeEngine(policy);
    const question = programFacts("/usr/bin/tool", ["word247", "--two"]);
    expect(engine.decide({ principal: "s", capability: "process_exec", question })).toEqual({
      allowed: true,
      rules: ["toml/allow.run.tool/248"],
    });
    expect(engine.decide({ principal: "s", capability: "fs_read", question: pathFacts("/data/249/x") }).allowed).toBe(
      true,
    );
    expect(engine.decide({ principal: "s", capability: "fs_read", question: pathFacts("/data/250/x") }).allowed).toBe(
      false,
    );
  });
});

describe("a trap of the engine", () => {
  /** Loads without a complaint and runs the instance out of its stack when it is evaluated. */
  const chain = Array.from({ length: 450 }, (_, at) => `context.bytes == ${at + 10}`).join(" || ");
  const open = 'permit (principal, action == Action::"fs_read", resource in Path::"/ws");';
  const trap = `forbid (principal, action == Action::"fs_read", resource == Path::"/trap") when { ${chain} };`;
  const MINED = handwritten({ open, trap }, ["/ws", "/trap"]);
  const ask = (engine: TestEngine, path: string) =>
    engine.decide({ principal: "s", capability: "fs_read", question: pathFacts(path) });

  it("denies that one call, and the next one has a new instance", async () => {
    const faults: string[] = [];
    const engine = await activeEngine(MINED, (fault) => faults.push(fault));
    expect(ask(engine, "/ws/a")).toEqual({ allowed: true, rules: ["open"] });
    expect(ask(engine, "/trap")).toMatchObject({ allowed: false, code: "FEMTO_POLICY_ENGINE_FAILED" });
    expect(ask(engine, "/ws/a")).toEqual({ allowed: true, rules: ["open"] });
    await expect.poll(() => faults.join("\n")).toContain("an instance of the decision engine is replaced");
  });

  it("denies until a spare is there, and for ever when there is none left", async () => {
    const engine = await activeEngine(MINED);
    // Two traps in one turn: the spare is used up, and the next one cannot have been loaded yet.
    expect(ask(engine, "/trap").allowed).toBe(false);
    expect(ask(engine, "/trap").allowed).toBe(false);
    expect(ask(engine, "/ws/a")).toMatchObject({ allowed: false, code: "FEMTO_POLICY_ENGINE_FAILED" });
    await expect.poll(() => ask(engine, "/ws/a").allowed).toBe(true);
    const isUsable = (): boolean => {
      ask(engine, "/trap");
      return engine.usable;
    };
    await expect.poll(isUsable).toBe(false);
    expect(ask(engine, "/ws/a")).toMatchObject({ allowed: false, code: "FEMTO_POLICY_ENGINE_FAILED" });
    expect(engine.usable).toBe(false);
    expect(() => engine.activate(POLICY)).toThrow("no instance of the decision engine is left");
  });

  it("while loading refuses the policy, and the active one goes on", async () => {
    const engine = await activeEngine(POLICY);
    const parentheses = `permit (principal, action, resource) when { ${"(".repeat(2_000)}true${")".repeat(2_000)} };`;
    const unguarded = `forbid (principal, action == Action::"fs_read", resource) when { ${chain} };`;
    const endless = open.replace(";", ` when { ${`${chain} || `.repeat(20)}false };`);
    for (const text of [parentheses, unguarded, endless]) {
      expect(() => engine.activate(handwritten({ text }))).toThrowError(
        expect.objectContaining({ code: "FEMTO_POLICY_INVALID" }),
      );
      expect(engine.revision).toBe(POLICY.revision);
      await expect.poll(() => ask(engine, "/ws/a").allowed).toBe(true);
    }
  });

  it("an error in one rule denies, although another rule permits", async () => {
    const overflow = `forbid (principal, action == Action::"fs_read", resource == Path::"/ws/big") when { context.bytes + 9223372036854775807 > 10 };`;
    const engine = await activeEngine(handwritten({ open, overflow }, ["/ws"]));
    const question = pathFacts("/ws/big", { bytes: 1 });
    expect(engine.decide({ principal: "s", capability: "fs_read", question })).toMatchObject({
      allowed: false,
      code: "FEMTO_POLICY_ERROR",
      rules: ["overflow"],
    });
  });

  it("is told only after the decision, so that no listener can change it", async () => {
    const faults: string[] = [];
    const engine = await testEngine((fault) => faults.push(fault));
    expect(ask(engine, "/ws/a")).toMatchObject({ code: "FEMTO_POLICY_ERROR" });
    expect(faults).toEqual([]);
    await expect.poll(() => faults).toEqual(["no policy is active"]);
  });
});
