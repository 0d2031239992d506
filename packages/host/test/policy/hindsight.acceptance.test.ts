/** `policy why`, `allow`, `diff` and `learn` as operators use them: of a running host, a stopped journal, an export. */
import {
  chmodSync,
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { PolicyDifference } from "@femtoclaw/runtime/redecide";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Why } from "../../src/policy/why.ts";
import { CONFIGURATION, Playground } from "../playground.ts";

const GOLDEN = join(import.meta.dirname, "../../../testing/golden/0.2.0/log");
const ESCAPES = "\u001b]0;owned\u0007\u202eevil\u001b[2J";

interface Allowed {
  readonly written: boolean;
  readonly grants: readonly { readonly line: string; readonly dangerous: boolean }[];
  readonly reason?: string;
  readonly difference?: PolicyDifference;
  readonly failing_tests?: readonly string[];
}

describe("hindsight", () => {
  let place: Playground;
  let exported: string;
  const seqs: Record<string, string> = {};

  async function denied(name: string, tool: string, args: Readonly<Record<string, unknown>>): Promise<void> {
    seqs[name] = String((await place.propose(tool, args)).record?.seq);
  }
  const seq = (name: string): string => seqs[name] ?? "";
  const why = (name: string, ...args: string[]) => place.json<Why>(["policy", "why", seq(name), ...args]);
  const allow = (name: string, ...args: string[]) => place.json<Allowed>(["policy", "allow", seq(name), ...args]);
  const diff = (...args: string[]) => place.json<PolicyDifference>(["policy", "diff", ...args]);
  const configuration = () => readFileSync(join(place.project, "femtoclaw.toml"), "utf8");

  beforeAll(async () => {
    place = new Playground();
    place.write("p/other.txt", "other\n");
    const host = await place.up();
    await denied("permitted", "fs_read", { path: "notes.txt" });
    await denied("passwd", "fs_read", { path: "/etc/passwd" });
    await denied("secret", "fs_read", { path: "secrets/token.txt" });
    await denied("own", "fs_read", { path: "femtoclaw.toml" });
    await denied("write", "fs_write", { path: "new.txt", content: "x", mode: "create" });
    await denied("git", "process_exec", { bin: "git", argv: ["status", "--short"] });
    await denied("shell", "process_exec", { bin: "sh", argv: ["-c", "id"] });
    await denied("escapes", "process_exec", { bin: "git", argv: [ESCAPES, `--${ESCAPES}`] });
    await denied("missing", "fs_read", { path: "nowhere" });
    await place.run(["send"], { input: `${JSON.stringify({ message: { content: "hello" } })}\n`.repeat(20) });
    exported = join(place.root, "exported");
    await place.run(["audit", "export", "--format", "tiles", "--out", exported, "--with-values"]);
    // Explained while the host runs, and once more when it is stopped: the same.
    const running = [await why("passwd"), await why("permitted")];
    host.kill("SIGTERM");
    await host.ended;
    expect([await why("passwd"), await why("permitted")]).toEqual(running);
  });

  afterAll(async () => {
    await place[Symbol.asyncDispose]();
  });

  test("why tells what was asked, what decided, and what would change it", async () => {
    const { code, value } = await why("passwd");
    expect(code).toBe(0);
    expect(value).toMatchObject({
      tool: "fs_read",
      decision: "denied",
      code: "FEMTO_POLICY_NO_PERMIT",
      again: "same",
      rules: [],
      now: { kind: "denied" },
      remedy: { grants: [{ line: '[allow] read = ["/etc/passwd"]', dangerous: false }], obstacles: [] },
    });
    expect((await why("permitted")).value).toMatchObject({
      decision: "allowed",
      again: "same",
      told: null,
      remedy: null,
      rules: [{ id: "toml/allow.read/1", source: "femtoclaw.toml:8:9" }],
    });
    const { value: secret } = await why("secret");
    expect(secret.rules[0]).toMatchObject({ id: "toml/deny.read/1", source: "femtoclaw.toml:12:9" });
    expect(secret.told?.reason).not.toContain("secrets");
    expect((await why("own")).value.told?.reason).toContain("out of reach");
    expect((await why("missing")).value).toMatchObject({ decision: "not-decided", event: "factsFailed", again: null });
  });

  test("why explains the same from an export, held to a key or not", async () => {
    const { value: own } = await why("git");
    const { code, value } = await why("git", "--journal", exported);
    expect([code, value]).toEqual([0, own]);
    const execution = own.execution_id ?? "";
    expect((await place.json<Why>(["policy", "why", execution])).value).toEqual(own);
  });

  test("nothing that an agent named reaches the terminal as it is", async () => {
    for (const command of [
      ["why", seq("escapes")],
      ["allow", seq("escapes")],
      ["learn"],
      ["diff", "--against-journal"],
    ]) {
      const { stdout, stderr } = await place.run(["policy", ...command]);
      expect(`${stdout}${stderr}`).not.toMatch(/[\u0007\u001b\u202e]/);
    }
  });

  test.each(["0", "999999", "no-such", "-1", "\u001b[2J"])("%j, which is no decision, is refused", async (ref) => {
    const { code, stderr } = await place.run(["policy", "why", "--", ref]);
    expect(code).toBe(1);
    expect(stderr).toContain("FEMTO_EXECUTION_NOT_FOUND");
    expect(stderr).not.toContain("\u001b");
  });

  test("allow only proposes without a yes, and says what the entry would have changed", async () => {
    const before = configuration();
    const { code, value } = await allow("git");
    expect(code).toBe(0);
    expect(value).toMatchObject({
      written: false,
      grants: [{ line: '[allow] run = { git = [{ word = "status", flags = ["--short"] }] }', dangerous: false }],
      difference: { changed: 1, groups: [{ was: "denied", now: "allowed", tool: "process_exec", count: 1 }] },
    });
    const { stdout, stderr } = await place.run(["policy", "allow", seq("git")], { input: "yes\n" });
    expect(stdout).toContain("denied → allowed");
    expect(stderr).toContain("nothing was written");
    expect(configuration()).toBe(before);
  });

  test("allow says which of the policy's own tests the entry contradicts, because no host takes the policy then", async () => {
    expect((await allow("git")).value).toMatchObject({ failing_tests: [] });
    const tests = place.write(
      "p/policy/own.test.toml",
      '[tool.process_exec]\nnot_match = [["git", "status", "--short"]]\n',
    );
    try {
      const { value } = await allow("git");
      expect(value.failing_tests).toEqual([expect.stringContaining("policy/own.test.toml:2:14: ")]);
      const { stdout } = await place.run(["policy", "allow", seq("git")]);
      expect(stdout).toContain("the policy's own tests say otherwise");
      expect(stdout).toContain("expected ask or deny, found allow");
      const before = configuration();
      const written = await place.run(["policy", "allow", seq("git"), "--yes"]);
      place.write("p/femtoclaw.toml", before);
      expect(written.stdout).toContain("no host takes it before the tests above are changed as well");
    } finally {
      rmSync(tests);
    }
  });

  test("allow never writes for what is forbidden, built in, or was not decided", async () => {
    const before = configuration();
    for (const [name, reason] of [
      ["secret", "toml/deny.read/1 (femtoclaw.toml:12:9) forbids it"],
      ["own", "nothing can allow it"],
      ["missing", "no entry could allow this"],
      ["missing", "\nfix: Name a resource that exists"],
    ] as const) {
      const { code, value } = await allow(name, "--yes", "--unsafe");
      expect([code, value.written]).toEqual([1, false]);
      expect(value.reason).toContain(reason);
    }
    expect(configuration()).toBe(before);
  });

  test("why says of a call that no rule was asked about what would help it", async () => {
    const { stdout } = await place.run(["policy", "why", seq("missing")]);
    expect(stdout).toContain("now\n  no rule is asked about such a call\n  Name a resource that exists");
  });

  test("allow writes a shell only when it is said to be unsafe", async () => {
    const proposed = await place.run(["policy", "allow", seq("shell")]);
    expect(proposed.stderr).toContain("nothing was written; --yes --unsafe writes it");
    const { code, stderr } = await place.run(["policy", "allow", seq("shell"), "--yes"]);
    expect(code).toBe(64);
    expect(stderr).toContain("--unsafe");
    expect(configuration()).toBe(CONFIGURATION);
    const { value } = await allow("shell");
    expect(value.grants).toMatchObject([{ dangerous: true, line: expect.stringContaining("unsafe = true") }]);
  });

  test("allow writes into a trusted project, keeps it trusted, and the call is permitted then", async () => {
    const found = { env: { FEMTOCLAW_CONFIG: undefined } };
    const text = `# my project\r\n${CONFIGURATION.replaceAll("\n", "\r\n")}# end\r\n`;
    place.configure(text);
    const untrusted = await place.run(["policy", "allow", seq("write"), "--yes"], found);
    expect([untrusted.code, configuration()]).toEqual([78, text]);
    await place.run(["trust"], found);
    chmodSync(join(place.project, "femtoclaw.toml"), 0o600);
    const { code } = await place.run(["policy", "allow", seq("write"), "--yes"], found);
    expect(code).toBe(0);
    expect(configuration()).toBe(text.replace('write = ["out"]', 'write = ["out", "./new.txt"]'));
    expect(statSync(join(place.project, "femtoclaw.toml")).mode & 0o777).toBe(0o600);
    const { value } = await place.json<Why>(["policy", "why", seq("write")], found);
    expect(value.now).toMatchObject({ kind: "allowed", rules: ["toml/allow.write/2"] });
    place.configure(CONFIGURATION);
  });

  test("allow does not trust what was not trusted, and writes through no link", async () => {
    await place.run(["trust", "--revoke"], { env: { FEMTOCLAW_CONFIG: undefined } });
    const { code } = await place.run(["policy", "allow", seq("passwd"), "--yes"]);
    expect(code).toBe(0);
    const { value: trusted } = await place.json<unknown>(["trust", "--list"]);
    expect(JSON.stringify(trusted)).not.toContain(place.project);
    place.configure(CONFIGURATION);
    const file = join(place.project, "femtoclaw.toml");
    renameSync(file, join(place.root, "elsewhere.toml"));
    symlinkSync(join(place.root, "elsewhere.toml"), file);
    expect((await place.run(["policy", "allow", seq("passwd"), "--yes"])).code).toBe(78);
    expect(readFileSync(join(place.root, "elsewhere.toml"), "utf8")).toBe(CONFIGURATION);
    rmSync(file);
    place.configure(CONFIGURATION);
  });

  test("diff finds no change under the configuration of then, and every decision as it was recorded", async () => {
    expect(await diff("--against-journal")).toMatchObject({ code: 0, value: { changed: 0, undecidable: [] } });
    for (const journal of [[], [exported], [place.state]]) {
      const { code, value } = await diff("--against-journal", ...journal, "--recorded");
      expect([code, value.changed, value.undecidable]).toEqual([0, 0, []]);
      expect(value.calls).toBe(8);
    }
  });

  test("diff passes nothing that it cannot decide: a log of an older vocabulary is incomplete", async () => {
    for (const more of [[], ["--recorded"]]) {
      const { code, value } = await diff("--against-journal", GOLDEN, ...more);
      expect([code, value.changed]).toEqual([3, 0]);
      expect(value.undecidable.length).toBeGreaterThan(0);
    }
  });

  test("a log is held to the key that was kept", async () => {
    const { value } = await place.json<{ vkey: string }>(["keys", "show"]);
    const key = place.write("log.vkey", `${value.vkey}\n`);
    const golden = JSON.parse(readFileSync(join(GOLDEN, "../expected.json"), "utf8")) as { vkey: string };
    const other = place.write("other.vkey", golden.vkey);
    expect((await why("git", "--journal", exported, "--key", key)).code).toBe(0);
    expect((await diff("--against-journal", exported, "--recorded", "--key", key)).code).toBe(0);
    for (const args of [
      ["diff", "--against-journal", exported],
      ["why", seq("git"), "--journal", exported],
    ]) {
      expect([3, 70]).toContain((await place.run(["policy", ...args, "--key", other])).code);
    }
  });

  test("diff lists what a candidate would change, and exits with 1", async () => {
    const candidate = place.write(
      "p/candidate.toml",
      CONFIGURATION.replace('read = ["."]', 'read = ["other.txt", "secrets"]').replace(
        '[deny]\nread = ["secrets"]\n',
        "",
      ),
    );
    const { code, value } = await diff("--config", candidate, "--against-journal", exported);
    expect(code).toBe(1);
    expect(value.groups.map(({ was, now, tool }) => [was, now, tool]).sort()).toEqual([
      ["allowed", "denied", "fs_read"],
      ["denied", "allowed", "fs_read"],
    ]);
    const { stdout } = await place.run(["policy", "diff", "--config", candidate, "--against-journal", exported]);
    expect(stdout).toContain("allowed → denied");
    expect(stdout).toContain("secrets/token.txt");
  });

  test("a log that was tampered with is not decided again, one of another format neither", async () => {
    const copy = join(place.root, "tampered");
    cpSync(exported, copy, { recursive: true });
    const [bundle = ""] = readdirSync(join(copy, "tile", "entries"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    const edit = (change: (text: string) => string): void =>
      writeFileSync(bundle, change(readFileSync(join(exported, bundle.slice(copy.length)), "latin1")), "latin1");
    edit((text) => text.replace("toml/allow.read/1", "toml/allow.read/9"));
    for (const args of [
      ["policy", "diff", "--against-journal", copy],
      ["policy", "why", seq("git"), "--journal", copy],
      ["policy", "learn", "--journal", copy],
    ]) {
      const { code, value } = await place.json<{ verdict: string }>(args);
      expect([code, value.verdict]).toEqual([70, "tampered"]);
    }
    edit((text) => text.replaceAll('"v":1,"seq"', '"v":9,"seq"'));
    expect((await place.run(["policy", "diff", "--against-journal", copy])).code).not.toBe(0);
    expect((await place.run(["policy", "diff", "--against-journal", join(place.root, "nowhere")])).code).not.toBe(0);
  });

  test("learn drafts the narrowest entries, keeps the dangerous ones as comments, and overwrites nothing", async () => {
    const out = join(place.root, "draft.toml");
    expect((await place.run(["policy", "learn", "--out", out])).code).toBe(0);
    const text = readFileSync(out, "utf8");
    expect(text).toContain(`"/etc/passwd",`);
    expect(text).toContain(`{ word = "status", flags = ["--short"] },`);
    expect(text).toMatch(/^# {3}\[allow\] run = \{ (?:sh|dash) = \[\{ any = true, unsafe = true \}\] \}$/m);
    expect(text).toMatch(/^# {3}floor\/own-files/m);
    const draft = place.write("p/draft.toml", `${CONFIGURATION.slice(0, CONFIGURATION.indexOf("[allow]"))}${text}`);
    expect((await place.run(["--config", draft, "policy", "check"])).code).toBe(0);
    expect((await place.run(["policy", "learn", "--out", out])).code).toBe(70);
    expect(configuration()).toBe(CONFIGURATION);
  });
});

test("a call that waited for an operator is explained by what policy said last, and its yes is remembered in a draft", async () => {
  await using place = new Playground(`${CONFIGURATION}[ask]\nread = ["/etc/hostname", "/usr/share"]\n`);
  await place.up();
  const { execution_id, record } = await place.propose("fs_read", { path: "/etc/hostname" });
  const why = async (ref: string) => (await place.json<Why>(["policy", "why", ref])).value;
  const asked = await why(execution_id);
  expect(asked).toMatchObject({ decision: "asks", event: "asked", again: "same", now: { kind: "asks" }, remedy: null });
  expect(asked.rules.map(({ source }) => source)).toContain("femtoclaw.toml:18:9");
  // Whose entry asks about more than this call stays.
  const other = await place.propose("fs_read", { path: "/usr/share/doc" });
  const broad = await place.json<Allowed>(["policy", "allow", other.execution_id, "--yes"]);
  expect([broad.code, broad.value.written]).toEqual([1, false]);
  expect(broad.value.reason).toContain("toml/ask.read/2 (femtoclaw.toml:18:26) asks about more than this call");
  // Nothing is written without a person's yes, and the answer counts all the same.
  const { code, stdout: card } = await place.run(["approvals", "allow", String(record?.seq), "--rule"]);
  expect(code).toBe(0);
  expect(card).toContain("the entry of [ask] at femtoclaw.toml:18:9 would be taken away");
  expect(readFileSync(join(place.project, "femtoclaw.toml"), "utf8")).toContain('["/etc/hostname", "/usr/share"]');
  expect(await why(execution_id)).toMatchObject({ decision: "allowed", event: "permitted", again: "same" });
  expect(await why(String(record?.seq))).toMatchObject({ decision: "asks" });
  const { stdout } = await place.run(["policy", "learn"]);
  expect(stdout).toMatch(/^# {3}toml\/ask\.read\/1 \(femtoclaw\.toml:18:9\)/m);
  const found = await place.json<PolicyDifference>(["policy", "diff", "--against-journal", "--recorded"]);
  expect([found.code, found.value.calls]).toEqual([0, 3]);
  const moved = await place.json<Allowed>(["policy", "allow", String(record?.seq), "--yes"]);
  expect(moved.value).toMatchObject({ written: true, no_longer_asked: ["femtoclaw.toml:18:9"] });
  const text = readFileSync(join(place.project, "femtoclaw.toml"), "utf8");
  expect(text).toContain('read = [".", "/etc/hostname"]');
  expect(text).toContain('[ask]\nread = ["/usr/share"]');
  expect((await place.run(["reload"])).code).toBe(0);
  expect(await place.propose("fs_read", { path: "/etc/hostname" })).toMatchObject({ status: "completed" });
  expect(await place.propose("fs_read", { path: "/usr/share/doc" })).toMatchObject({ status: "pending" });
});
