import { beforeAll, describe, expect, it } from "vitest";
import { compilePolicy, NO_HISTORY, PolicyReader } from "../../src/index.ts";
import { any, authorityOf, handwritten, MANIFESTS, pathFacts, programFacts, word } from "../policy-fixture.ts";

const POLICY = compilePolicy({
  authority: authorityOf({
    read: ["/ws"],
    write: ["/ws/out"],
    denyRead: ["/ws/secrets"],
    run: [any("/usr/bin/echo"), word("/usr/bin/git", "status"), word("/usr/bin/git", "diff", ["--stat"])],
  }),
  manifests: MANIFESTS,
});

let reader: PolicyReader;
beforeAll(async () => {
  reader = await PolicyReader.open();
});
const program = (argv: readonly string[], path = "/usr/bin/git") =>
  reader.explain(POLICY, {
    principal: "s",
    history: NO_HISTORY,
    capability: "process_exec",
    question: programFacts(path, argv),
  });
const path = (capability: string, name: string, policy = POLICY) =>
  reader.explain(policy, { principal: "s", history: NO_HISTORY, capability, question: pathFacts(name) });

describe("the nearest permit", () => {
  it("is the one with the fewest failed conditions, each in Cedar's words", async () => {
    const { nearest, permitting, forbidding } = await program(["diff", "--cached"]);
    expect(nearest?.rule).toBe("toml/allow.run.git/2");
    expect(nearest?.failed).toEqual(['["--stat"].containsAll(context.flags)']);
    expect(nearest?.met).toContain('resource == Program::"/usr/bin/git"');
    expect(nearest?.met).toContain('context.word == "diff"');
    expect([permitting, forbidding]).toEqual([[], []]);
  });

  it("does not take an absent fact for a met condition", async () => {
    const { nearest } = await program(["--version"]);
    expect(nearest?.failed).toEqual(expect.arrayContaining(["context has word"]));
    expect(nearest?.failed.some((condition) => condition.startsWith("context.word =="))).toBe(true);
  });

  it("is none for a program or a path that no rule names", async () => {
    expect((await program(["x"], "/usr/bin/ls")).nearest).toBeNull();
    expect((await path("fs_read", "/etc/passwd")).nearest).toBeNull();
    expect((await path("fs_read", "/etc/passwd")).permits).toBe(1);
  });

  it("tells the condition of an expert's rule, and an `unless` as its opposite", async () => {
    const policy = handwritten(
      {
        small: `permit (principal, action == Action::"fs_write", resource in Path::"/ws")
          when { context.bytes <= 10 } unless { context.exists };`,
      },
      ["/ws"],
    );
    const { nearest } = await path("fs_write", "/ws/a", policy);
    expect(nearest).toEqual({
      rule: "small",
      met: ['resource in Path::"/ws"', "context.bytes <= 10"],
      failed: ["!(context.exists)"],
    });
  });
});

describe("what forbids", () => {
  it("is told beside what permits", async () => {
    const { permitting, forbidding, nearest } = await path("fs_read", "/ws/secrets/key");
    expect(permitting).toEqual(["toml/allow.read/1"]);
    expect(forbidding).toEqual(["toml/deny.read/1"]);
    expect(nearest).toBeNull();
  });

  it("agrees with the decision over all kinds of calls", async () => {
    const cases = [
      await path("fs_write", "/ws/out/x"),
      await path("fs_write", "/ws/out/.envrc"),
      await program(["status"]),
      await program(["status", "-s"]),
    ];
    const permitted = cases.map(({ permitting, forbidding }) => permitting.length > 0 && forbidding.length === 0);
    expect(permitted).toEqual([true, false, true, false]);
  });
});
