/** A project's policy is compiled, tried out and tested before anything is opened. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { initProject } from "../../src/configuration/init-project.ts";
import { loadConfiguration } from "../../src/configuration/load-configuration.ts";
import { PRESETS } from "../../src/configuration/presets.ts";
import { compiledPolicyOf, loadPolicy, testPolicy } from "../../src/process/preflight.ts";
import { TemporaryHome } from "../configuration/temporary-home.ts";

const CONFIGURATION = `[allow]
read = ["."]
write = ["./out"]
run = { echo = ["*"], cat = ["*"] }
[ask]
write = ["./drafts"]
`;

function projectOf(home: TemporaryHome, files: Readonly<Record<string, string>>) {
  const configFlag = home.write("project/femtoclaw.toml", CONFIGURATION);
  for (const [name, text] of Object.entries(files)) home.write(`project/policy/${name}`, text);
  return loadConfiguration({ cwd: "/", environment: home.environment, configFlag });
}

const results = async (home: TemporaryHome, text: string) =>
  (await testPolicy(projectOf(home, { "a.test.toml": text }))).results.map(({ found, fault }) => [found, fault]);

test.each(PRESETS)("the tests of the preset %s hold", async (preset) => {
  using home = new TemporaryHome();
  const { environment } = home;
  await initProject({ directory: "project", preset, cwd: home.root, environment });
  const loaded = loadConfiguration({ cwd: home.path("project"), environment });
  const tested = await loadPolicy(loaded);
  expect(tested.results.length).toBeGreaterThan(4);
  expect((await compiledPolicyOf(loaded)).revision).toBe(tested.policyFiles.triedRevision);
});

test.each(PRESETS.filter((preset) => preset !== "read-only"))(
  "the tests of the preset %s hold after `policy allow` for the push that the guides begin with",
  async (preset) => {
    using home = new TemporaryHome();
    const { environment } = home;
    await initProject({ directory: "project", preset, cwd: home.root, environment });
    const configFlag = home.path("project/femtoclaw.toml");
    const text = readFileSync(configFlag, "utf8");
    writeFileSync(configFlag, text.replace("\ngit = [\n", '\ngit = [\n  "push",\n'));
    const loaded = loadConfiguration({ cwd: "/", environment, configFlag });
    expect(loaded.resolved.authority.allow.run).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ use: { kind: "word", word: "push", flags: [] } })]),
    );
    await loadPolicy(loaded);
  },
);

test("a test asks what a call would ask, without looking at what an agent may write", async () => {
  using home = new TemporaryHome();
  home.folder("project/out");
  symlinkSync("/etc", home.path("project/out/etc"));
  symlinkSync("/etc", home.path("project/etc"));
  expect(
    await results(
      home,
      `[tool.fs_read]
match = ["none.md", "src/../none.md"]
not_match = ["/etc/passwd", "../x", "etc/passwd"]
[tool.fs_write]
match = ["out/new.md", "out/etc/passwd"]
not_match = ["new.md", "drafts/a"]
[tool.process_exec]
match = [["echo", "-n", "x"]]
not_match = [["sh", "-c", "id"]]`,
    ),
  ).toEqual([
    ["allow", null],
    ["allow", null],
    ["deny", null],
    ["deny", null],
    ["deny", null],
    ["allow", null],
    ["allow", null],
    ["deny", null],
    ["ask", null],
    ["allow", null],
    ["deny", null],
  ]);
});

test("what a call would find is stated where it matters", async () => {
  using home = new TemporaryHome();
  const write = `call = { tool = "fs_write", args = { path = "out/x", mode = "create", content = "12345" } }`;
  const cedar = `@id("new") forbid (principal, action == Action::"fs_write", resource) when { context.exists || context.bytes > 5 };`;
  const loaded = projectOf(home, {
    "b.cedar": cedar,
    "a.test.toml": `[[case]]
name = "creating"
${write}
expect = "allow"
[[case]]
name = "overwriting"
${write}
facts = { exists = true, type = "file" }
expect = "deny"
rule = "file/b/new"
[[case]]
name = "too large"
${write}
facts = { bytes = 6 }
expect = "deny"
rule = "file/b/new"`,
  });
  const { results: found, policyFiles } = await loadPolicy(loaded);
  expect(found.map(({ found: outcome }) => outcome)).toEqual(["allow", "deny", "deny"]);
  expect(policyFiles.rules.map(({ id }) => id)).toEqual(["file/b/new"]);
});

test("a call about everything below a folder is one in a test, too", async () => {
  using home = new TemporaryHome();
  const list = (expected: string, more: string): string => `[[case]]
name = "a list${more}"
call = { tool = "fs_list", args = { path = "."${more} } }
expect = "${expected}"`;
  const cases = [list("allow", ""), list("allow", ", recursive = false"), list("deny", ", recursive = true")];
  const loaded = projectOf(home, {
    "b.cedar": `@id("flat") forbid (principal, action == Action::"fs_list", resource) when { context has recursive && context.recursive };`,
    "a.test.toml": cases.join("\n"),
  });
  const { results: found } = await loadPolicy(loaded);
  expect(found.map(({ found: outcome }) => outcome)).toEqual(["allow", "allow", "deny"]);
});

test("a test that does not hold keeps the policy out, and names what decided", async () => {
  using home = new TemporaryHome();
  const loaded = projectOf(home, {
    "a.test.toml": `[tool.fs_read]
match = ["/etc/passwd"]
not_match = ["README.md"]
[[case]]
name = "another rule"
call = { tool = "fs_read", args = { path = "README.md" } }
expect = "allow"
rule = "toml/allow.read/2"
[[case]]
name = "an unknown fact"
call = { tool = "fs_read", args = { path = "README.md" } }
facts = { exits = true }
expect = "deny"
[[case]]
name = "no such program"
call = { tool = "process_exec", args = { bin = "no-such-program" } }
expect = "deny"
[[case]]
name = "no path"
call = { tool = "fs_read" }
expect = "deny"`,
  });
  await expect(loadPolicy(loaded)).rejects.toMatchObject({
    code: "FEMTO_POLICY_INVALID",
    message: [
      'policy/a.test.toml:4:3: the test "another rule" fails: expected the rule toml/allow.read/2 to decide, found toml/allow.read/1',
      'policy/a.test.toml:9:3: the test "an unknown fact" fails: the policy could not decide on this use of fs_read, so it is denied',
      'policy/a.test.toml:14:3: the test "no such program" fails: nothing can be decided: no program no-such-program is in /usr/local/bin, /usr/bin, /bin',
      'policy/a.test.toml:18:3: the test "no path" fails: nothing can be decided: the argument /path is not a text',
      'policy/a.test.toml:2:10: the test "fs_read "/etc/passwd"" fails: expected allow, found deny by no rule',
      'policy/a.test.toml:3:14: the test "fs_read "README.md"" fails: expected ask or deny, found allow by toml/allow.read/1',
    ].join("\n"),
    fix: expect.stringContaining("or change the test"),
  });
});

test.each(["a.cedr", "a.cedar.bak", "notes.txt", "a.toml", "A.CEDAR", ".a.cedar.swp"])(
  "a file that is neither policy nor test is an error, never passed over: %s",
  async (name) => {
    using home = new TemporaryHome();
    const loaded = projectOf(home, { [name]: "", "notes.md": "for people" });
    await expect(loadPolicy(loaded)).rejects.toThrow(`policy/${name}: expected *.cedar, *.test.toml or *.md`);
    await expect(compiledPolicyOf(loaded)).rejects.toThrow("expected *.cedar");
  },
);

test("faults of policies and of tests are told together", async () => {
  using home = new TemporaryHome();
  const loaded = projectOf(home, { "a.cedar": "permit (principal, action, resource);", "a.test.toml": "cases = []" });
  await expect(loadPolicy(loaded)).rejects.toThrow(/^policy\/a\.cedar:1:1: .*\npolicy\/a\.test\.toml:1:1: unknown key/);
});

test("names of this machine are checked", async () => {
  using home = new TemporaryHome();
  mkdirSync(home.path("project/real"), { recursive: true });
  symlinkSync("real", home.path("project/link"));
  const forbid = (path: string) => `forbid (principal, action, resource in Path::"${home.path(path)}");`;
  const loaded = projectOf(home, {
    "a.cedar": `@id("a") ${forbid("project/link")}\n@id("b") ${forbid("project/real")}\n@id("c") forbid (principal, action, resource == Program::"/usr/bin/no-such-program");`,
  });
  await expect(loadPolicy(loaded)).rejects.toThrow(
    /^policy\/a\.cedar:1:\d+: Path::".*\/link" never matches, because it leads to ".*\/real"; write that\npolicy\/a\.cedar:3:\d+: Program/,
  );
});
