/** Cedar files and tests from outside: the real command line, the real gate, the real sandbox. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { CONFIGURATION, Playground } from "../playground.ts";

describe("a project with Cedar files", () => {
  let place: Playground;
  beforeAll(async () => {
    place = new Playground();
    place.configure(CONFIGURATION);
    place.write("p/private/key", "trombone");
    place.write("p/plain.txt", "hello");
    place.write(
      "p/policy/team.cedar",
      `// What is private stays so.
@id("private")
@reason("keys are for people")
forbid (principal, action, resource in Path::"${join(place.project, "private")}");
`,
    );
    place.write("p/policy/team.test.toml", `[tool.fs_read]\nmatch = ["plain.txt"]\nnot_match = ["private/key"]\n`);
    return async () => place[Symbol.asyncDispose]();
  });

  test("is checked, shown and tested", async () => {
    expect(await place.run(["policy", "check"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^the policy is valid: \d+ rules, 2 tests, revision [0-9a-f]{64}\n$/),
    });
    const shown = await place.run(["policy", "show"]);
    expect(shown.stdout).toContain(
      `// file/team/private (policy/team.cedar:2:1)\n// keys are for people\n@id("private")`,
    );
    expect(shown.stdout).not.toContain("What is private");
    const schema = await place.run(["policy", "show", "--schema"]);
    expect(schema.stdout).toMatch(/^entity Agent;\n(.|\n)*"fs_read"[^\n]* appliesTo/);
    expect(await place.run(["policy", "test"])).toMatchObject({ code: 0, stdout: "all 2 tests hold\n" });
    const { stdout } = await place.run(["policy", "test", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      failed: 0,
      tests: [{ found: "allow" }, { found: "deny", fault: null }],
    });
  });

  test("decides by them, and programs do not see what they forbid", async () => {
    const read = await place.run(["call", "fs_read", '{"path":"private/key"}', "--embedded", "--json"]);
    expect(read.code).toBe(77);
    expect(JSON.parse(read.stdout)).toMatchObject({
      decision: "DENIED_POLICY_VIOLATION",
      policy: { rules: ["file/team/private"] },
    });
    const cat = (path: string) =>
      place.run(["call", "process_exec", JSON.stringify({ bin: "cat", argv: [path] }), "--embedded", "--json"]);
    expect(JSON.parse((await cat("plain.txt")).stdout).result).toMatchObject({ exit_code: 0, stdout: "hello" });
    const { stdout } = await cat("private/key");
    expect(JSON.parse(stdout).result).toMatchObject({ exit_code: 1, stdout: "" });
    expect(stdout).not.toContain("trombone");
  });

  test("has them in the record of its activation, with text and source", async () => {
    const out = join(place.root, "exported");
    expect((await place.run(["audit", "export", "--format", "jsonl", "--out", out])).code).toBe(0);
    const lines = readFileSync(out, "utf8").split("\n");
    const records = lines.filter((line) => line.includes('"policy.activated"'));
    expect(records.length).toBeGreaterThan(0);
    for (const record of records) {
      const { rules } = JSON.parse(record).body;
      expect(rules.at(-1)).toMatchObject({ id: "file/team/private", source: "policy/team.cedar:2:1" });
    }
  });

  test("is shown with them before it is trusted, as they are enforced", async () => {
    const shown = await place.run(["trust", place.project]);
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining("policies of policy/:") });
    expect(shown.stdout).toContain(`forbid (principal, action, resource in Path::"${place.project}/private");`);
  });
});

test("a question of a Cedar file waits for an operator, survives a kill, and its call runs once after the yes", async () => {
  await using place = new Playground(CONFIGURATION);
  const out = join(place.project, "out");
  place.folder("p/out");
  place.write(
    "p/policy/ask.cedar",
    `@id("large") @reason("large files fill the disk") @approval
forbid (principal, action == Action::"fs_write", resource in Path::"${out}")
when { context.bytes > 9 }
unless { context.approved };`,
  );
  const first = await place.up();
  const note = { path: "out/note", content: "0123456789", mode: "append" };
  expect((await place.call("fs_write", { ...note, content: "small" })).value).toMatchObject({ status: "completed" });
  const { code, value } = await place.call("fs_write", note);
  expect(code).toBe(75);
  const id = value.approval?.id ?? "";
  const listed = await place.json<{ id: string; rule: string }[]>(["approvals", "list"]);
  expect(listed.value).toMatchObject([{ id, rule: "file/ask/large" }]);
  first.kill("SIGKILL");
  await first.ended;
  await place.up();
  expect((await place.run(["approvals", "allow", id])).code).toBe(0);
  await using client = await place.agent();
  expect(await client.wait(value.execution_id)).toMatchObject({ status: "completed", decision: "AUTHORIZED" });
  expect(readFileSync(join(out, "note"), "utf8")).toBe("small0123456789");
});

describe("a policy that", () => {
  test.each<[name: string, files: Readonly<Record<string, string>>, expected: RegExp]>([
    [
      "does not parse",
      { "a.cedar": `@id("a") forbid (principal, action resource);` },
      /policy\/a\.cedar:1:\d+: unexpected token/,
    ],
    ["opens everything", { "a.cedar": `@id("a") permit (principal, action, resource);` }, /permits every use of/],
    [
      "fails its test",
      { "a.test.toml": '[tool.fs_read]\nmatch = ["/etc/shadow"]' },
      /policy\/a\.test\.toml:2:10: the test .* fails/,
    ],
  ])("%s does not start, and leaves no trace", async (_name, files, expected) => {
    await using place = new Playground();
    place.configure(CONFIGURATION);
    for (const [name, text] of Object.entries(files)) place.write(`p/policy/${name}`, text);
    for (const args of [
      ["up"],
      ["policy", "check"],
      ["call", "fs_read", "{}", "--embedded"],
      ["trust", place.project],
    ]) {
      expect(await place.run(args), args.join(" ")).toMatchObject({
        code: 78,
        stderr: expect.stringMatching(expected),
      });
    }
    expect((await place.run(["status"])).code).toBe(69);
    const test = await place.run(["policy", "test"]);
    expect(test.code).toBe("a.test.toml" in files ? 1 : 78);
  });
});
