/** The contract with scripts: what goes in, what comes out where, and with which exit code. */
import { validateReply } from "@femtoclaw/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONFIGURATION, Playground } from "./playground.ts";

let place: Playground;
beforeAll(async () => {
  place = new Playground();
  await place.up();
});
afterAll(() => place[Symbol.asyncDispose]());

describe("usage", () => {
  test.each([
    [["no-such-command"], "unknown command"],
    [["call"], "missing required argument"],
    [["call", "fs_read", "{}", "one too many"], "too many arguments"],
    [["call", "fs_read", "--timeout", "soon"], "number of milliseconds"],
    [["call", "fs_read", "--timeout", "2147483648"], "at most 2147483647"],
    [["--no-such-option", "status"], "unknown option"],
    [["executions", "list", "--state", "sideways"], "Allowed choices"],
    [["replay", "--to", "-1"], "sequence number"],
    [["fork", "", "--out", "elsewhere"], "sequence number"],
    [["fork", "3", "--out", ""], "name of a file or folder"],
    [["install", "--user", "--dry-run", "--prefix", ""], "name of a file or folder"],
    [["status", "--state", ""], "name of a file or folder"],
    [["inspect", ""], "name of a file or folder"],
    [["stat"], "FEMTO_USAGE: unknown command 'stat'; did you mean one of chat, status?"],
    [["help", "statsu"], "FEMTO_USAGE: unknown command 'statsu'; did you mean status?"],
    [["help", "approvals", "alow"], "FEMTO_USAGE: unknown command 'alow'; did you mean allow?"],
    [["approvals", "help", "nope"], "fix: `femtoclaw approvals --help` shows how it is used."],
    [["help", "status", "nope"], "FEMTO_USAGE: unknown command 'nope'"],
    [["approvals", "alow"], "fix: `femtoclaw approvals --help` shows how it is used."],
    [["call", "fs_read", "{}", "\u001b[2J"], "\\u{1b}[2J"],
    [["init", "--preset", "everything"], "read-only, node, python, git"],
    [["bench", "no-such-preset"], "no preset is called"],
    [["conformance", "--bin", "/no/such/file"], "/no/such/file cannot be run: ENOENT\n  fix: Name an executable"],
    [
      ["audit", "check-proof", "/no/such/file", "--record", "r", "--key", "k"],
      "cannot be read: ENOENT\n  fix: Name a file",
    ],
    [[], "Usage"],
  ])("femtoclaw %j is told what is wrong, with exit code 64", async (args, expected) => {
    const { code, stdout, stderr } = await place.run(args);
    expect({ code, stdout }).toEqual({ code: 64, stdout: "" });
    expect(stderr).toContain(expected);
  });

  test("with --json, what is wrong is JSON on stdout as well", async () => {
    const { code, stdout } = await place.run(["status", "--no-such-option", "--json"]);
    expect(code).toBe(64);
    const error = { code: "FEMTO_USAGE", reason: "unknown option '--no-such-option'" };
    expect(JSON.parse(stdout)).toMatchObject({ error });
  });

  test("a list of nothing says so on stderr", async () => {
    const { code, stdout, stderr } = await place.run(["secrets", "list"]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: "no secret is stored\n" });
  });

  test("a capability is shown with the names of its arguments, the optional ones in brackets", async () => {
    const { stdout } = await place.run(["capabilities", "show", "fs_read"]);
    expect(stdout).toMatch(/^ {2}arguments +path \[offset\] \[length\] \[encoding\]$/m);
  });

  test("a group describes its help as the program does", async () => {
    const [all, group] = await Promise.all([place.run(["--help"]), place.run(["approvals", "--help"])]);
    expect(all.stdout).toMatch(/help \[options\] \[command\.\.\.\] +print the help of a command/);
    expect(group.stdout).toMatch(/help \[options\] \[command\.\.\.\] +print the help of a command/);
  });

  test("help follows words to the command that they lead to", async () => {
    const [asked, option] = await Promise.all([
      place.run(["help", "approvals", "allow"]),
      place.run(["approvals", "allow", "--help"]),
    ]);
    expect(asked).toEqual({ ...option, code: 0 });
  });

  test("help and version go to stdout with exit code 0", async () => {
    const [help, version] = await Promise.all([place.run(["call", "--help"]), place.run(["--version"])]);
    expect(help.code).toBe(0);
    expect(help.stdout).toMatch(/^Examples?:$/m);
    expect(version).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: "" });
  });
});

describe("call", () => {
  test.each([
    ["process_exec", { bin: "echo", argv: ["hello"] }, 0, "completed", "AUTHORIZED"],
    ["process_exec", { bin: "cat", argv: ["no-such-file"] }, 0, "completed", "AUTHORIZED"],
    ["fs_write", { path: "out/a.txt", content: "x", mode: "create" }, 0, "completed", "AUTHORIZED"],
    ["fs_write", { path: "out/a.txt", content: "x", mode: "create" }, 1, "error", "AUTHORIZED"],
    ["fs_read", { path: "secrets/token.txt" }, 77, "denied", "DENIED_POLICY_VIOLATION"],
    ["process_exec", { bin: "sh", argv: ["-c", "id"] }, 77, "denied", "DENIED_POLICY_VIOLATION"],
    ["fs_list", { path: "." }, 77, "denied", "DENIED_CAPABILITY_DISABLED"],
    ["rm_rf", {}, 77, "denied", "DENIED_CAPABILITY_NOT_FOUND"],
    ["FS_READ", { path: "notes.txt" }, 77, "denied", "DENIED_CAPABILITY_NOT_FOUND"],
    ["fs_read", { file: "notes.txt" }, 65, "denied", "DENIED_ARGUMENT_INVALID"],
    ["fs_read", { path: "no-such-file" }, 65, "denied", "DENIED_ARGUMENT_INVALID"],
  ] as const)("%s %j ends with %i", async (tool, args, code, status, decision) => {
    const called = await place.call(tool, args);
    expect(validateReply(called.value), JSON.stringify(validateReply.errors)).toBe(true);
    expect(called).toMatchObject({ code, value: { status, decision, record: { seq: expect.any(Number) } } });
    expect("result" in called.value).toBe(status === "completed");
    expect("error" in called.value).toBe(status !== "completed");
  });

  test.each(["{", "[]", '{"a":1},"tool":"fs_read"', '{"path":"notes.txt","path":"x"}', ""])(
    "arguments that are no JSON object are a protocol error: %j",
    async (text) => {
      const { code, stdout } = await place.run(["--json", "call", "fs_read", text]);
      expect(code).toBe(65);
      const reply: unknown = JSON.parse(stdout);
      expect(validateReply(reply)).toBe(true);
      expect(reply).toMatchObject({ status: "error", decision: null, error: { error_type: "ProtocolError" } });
    },
  );

  test("reads its arguments from stdin for -, and keeps the label", async () => {
    const { code, stdout } = await place.run(["--json", "call", "fs_read", "-", "--label", "my \u202e label"], {
      input: '{"path":"notes.txt"}',
    });
    expect(code).toBe(0);
    const reply = JSON.parse(stdout) as { execution_id: string };
    expect(reply).toMatchObject({ result: { content: "some notes\n" } });
    const { value } = await place.json<{ label: string }>(["executions", "show", reply.execution_id]);
    expect(value.label).toBe("my \\u{202e} label");
  });

  test("arguments from stdin are bounded", async () => {
    const { code, stderr } = await place.run(["call", "fs_read", "-"], { input: Buffer.alloc(2_000_000, " ") });
    expect(code).toBe(65);
    expect(stderr).toContain("FEMTO_PROTOCOL_TOO_LARGE");
  });

  test("--timeout ends the waiting and not the call", async () => {
    const { code, stdout, stderr } = await place.run([
      "--json",
      "call",
      "process_exec",
      '{"bin":"sleep","argv":["1.5"]}',
      "--timeout",
      "200",
      "--label",
      "patience",
    ]);
    expect({ code, stdout }).toEqual({ code: 75, stdout: "null\n" });
    expect(stderr).toContain("the call continues");
    await expect
      .poll(async () => (await place.executions()).find(({ label }) => label === "patience")?.status)
      .toBe("completed");
  });

  test("a person can read what was decided, by which rule, and where it is recorded", async () => {
    const done = await place.run(["call", "process_exec", '{"bin":"echo","argv":["one\\ntwo\\u001b[31m"]}']);
    expect(done.stdout).toMatch(/^AUTHORIZED {2}toml\/allow\.run\.echo\/1 {2}record \d+\n/);
    expect(done.stdout).toContain("stdout:\n  one\n  two\\u{1b}[31m\n");
    const denied = await place.run(["call", "fs_read", '{"path":"secrets/token.txt"}']);
    expect(denied.stdout).toMatch(/^DENIED_POLICY_VIOLATION {2}toml\/deny\.read\/1 {2}record \d+\n/);
    expect(denied.stdout).toContain("fix: ");
    expect(`${done.stdout}${denied.stdout}`).not.toContain("\u001b");
    expect(done.stderr + denied.stderr).toBe("");
  });
});

describe("send", () => {
  test("answers 500 lines in order, without exceeding what the host takes", async () => {
    const lines = Array.from({ length: 500 }, (_, index) => JSON.stringify({ message: { content: `line ${index}` } }));
    const { code, stdout } = await place.run(["send"], { input: `${lines.join("\n")}\n` });
    expect(code).toBe(0);
    const replies = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { execution_id: string; status: string });
    expect(replies.map(({ status }) => status)).toEqual(Array(500).fill("completed"));
    const ids = replies.map(({ execution_id }) => execution_id);
    const kept = await Promise.all([0, 250, 499].map((index) => place.json(["executions", "show", ids[index] ?? ""])));
    expect(kept.map(({ value }) => (value as { records: { body: unknown }[] }).records[0]?.body)).toEqual(
      [0, 250, 499].map((index) => ({ content: `line ${index}` })),
    );
  });

  test("gives each line its reply: empty, over-long, not UTF-8, ambiguous, too deep, without an end", async () => {
    const ok = '{"message":{"content":"ok"}}';
    const deep = `{"message":${'{"a":'.repeat(100)}1${"}".repeat(100)}}`;
    const input = Buffer.concat([
      Buffer.from(`${ok}\n\n`),
      Buffer.alloc(3_000_000, "x"),
      Buffer.from("\n"),
      Buffer.from([0x22, 0xff, 0xfe, 0x22, 0x0a]),
      Buffer.from('{"message":{"content":"a"},"tool_call":{"tool":"b","args":{}}}\n'),
      Buffer.from(`${deep}\n${ok}\r\n${ok}`),
    ]);
    const { code, stdout } = await place.run(["send"], { input });
    expect(code).toBe(0);
    const replies = stdout
      .trimEnd()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    for (const reply of replies) expect(validateReply(reply)).toBe(true);
    const error = (name: string): unknown =>
      expect.objectContaining({
        status: "error",
        decision: null,
        error: expect.objectContaining({ error_type: "ProtocolError", code: `FEMTO_PROTOCOL_${name}` }),
        record: { seq: expect.any(Number) },
      });
    const completed: unknown = expect.objectContaining({ status: "completed", decision: null });
    expect(replies).toEqual([
      completed,
      error("SYNTAX"),
      error("TOO_LARGE"),
      error("NOT_UTF8"),
      error("SHAPE"),
      error("TOO_DEEP"),
      completed,
      completed,
    ]);
  });

  test("answers a line while it waits for the next one", async () => {
    const child = place.spawn(["send"]);
    child.stdin.write('{"message":{"content":"first"}}\n');
    const [chunk] = (await new Promise((resolve) => child.stdout.once("data", (data) => resolve([data])))) as [Buffer];
    expect(JSON.parse(chunk.toString())).toMatchObject({ status: "completed" });
    child.stdin.end();
    await new Promise((resolve) => child.once("close", resolve));
    expect(child.exitCode).toBe(0);
  });
});

describe("executions", () => {
  test("list and show give replies with what they were replies to", async () => {
    const { value: reply } = await place.call("process_exec", { bin: "echo", argv: ["listed"] });
    const views = await place.executions();
    const view = views.find(({ execution_id }) => execution_id === reply.execution_id);
    expect(view).toMatchObject({
      ...reply,
      tool: "process_exec",
      session: expect.any(String),
      subject: "echo listed",
      requested_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      duration_ms: expect.any(Number),
    });
    for (const { tool, session, label, subject, requested_at, duration_ms, ...asReply } of views) {
      expect(validateReply(asReply), JSON.stringify([asReply, validateReply.errors])).toBe(true);
    }
    const shown = await place.json<{ records: { type: string }[] }>(["executions", "show", reply.execution_id]);
    expect(shown.value).toMatchObject({
      ...reply,
      records: [{ type: "execution.intent" }, { type: "execution.outcome" }],
    });
    const seqs = views.map(({ record }) => record?.seq ?? -1);
    expect(seqs).toEqual(seqs.toSorted((left, right) => right - left));
  });

  test("the list can be narrowed by status and session", async () => {
    await place.call("fs_read", { path: "secrets/token.txt" });
    const denied = await place.json<{ status: string; session: string }[]>(["executions", "list", "--state", "denied"]);
    expect(new Set(denied.value.map(({ status }) => status))).toEqual(new Set(["denied"]));
    const session = denied.value[0]?.session ?? "";
    const ofSession = await place.json<unknown[]>(["executions", "list", "--session", session]);
    expect(ofSession.value).toHaveLength(1);
  });

  test("an unknown execution is answered with 1, also when the identifier is strange", async () => {
    for (const id of ["00000000-0000-0000-0000-000000000000", "../..", "x".repeat(10_000), "\u001b[2J"]) {
      const { code, stderr } = await place.run(["executions", "show", id]);
      expect(code).toBe(1);
      expect(stderr).toContain("FEMTO_EXECUTION_NOT_FOUND");
      expect(stderr).not.toContain("\u001b");
    }
  });

  test("a person can read the list and one execution", async () => {
    await place.call("process_exec", { bin: "echo", argv: ["seen"] });
    const list = await place.run(["executions", "list"]);
    expect(list.stdout).toMatch(/^record +date +time UTC +tool +call +status +decision +took +execution\n/);
    const id = /(\S+)$/m.exec(list.stdout.split("\n")[1] ?? "")?.[1] ?? "";
    const { stdout } = await place.run(["executions", "show", id]);
    expect(stdout).toContain("execution.intent");
    expect(stdout).toMatch(/args +bin echo · argv|args\.argv +seen/);
  });
});

describe("capabilities", () => {
  test("what the configuration locks stays off, unknown names are refused", async () => {
    expect(await place.run(["capabilities", "enable", "fs_list"])).toMatchObject({
      code: 77,
      stderr: expect.stringContaining("FEMTO_CAPABILITY_DISABLED"),
    });
    expect(await place.run(["capabilities", "disable", "no_such"])).toMatchObject({ code: 77 });
    const { value } = await place.json<{ name: string; locked: boolean; enabled: boolean }[]>(["capabilities", "list"]);
    expect(value.find(({ name }) => name === "fs_list")).toMatchObject({ locked: true, enabled: false });
  });
});

describe("what a command says where", () => {
  test("faults go to stderr with code and fix, and to stdout as JSON only when asked", async () => {
    const env = { FEMTOCLAW_CONFIG: "/no/such/file.toml" };
    const plain = await place.run(["status"], { env });
    expect(plain).toMatchObject({ code: 78, stdout: "" });
    expect(plain.stderr).toMatch(/^femtoclaw: FEMTO_CONFIG_NOT_FOUND: .*FEMTOCLAW_CONFIG.*\n {2}fix: .+\n$/);
    const json = await place.run(["--json", "status"], { env });
    expect(JSON.parse(json.stdout)).toEqual({
      error: {
        code: "FEMTO_CONFIG_NOT_FOUND",
        error_type: "ConfigurationError",
        reason: expect.any(String),
        fix: expect.any(String),
      },
    });
  });

  test("every command says the same of a configuration that is missing, whether a host runs or not", async () => {
    const commands = [
      ["executions", "list"],
      ["executions", "show", "x"],
      ["replay"],
      ["down"],
      ["policy", "show"],
      ["send"],
    ];
    for (const args of commands) {
      expect(await place.run(args, { env: { FEMTOCLAW_CONFIG: "/no/such/file.toml" } })).toMatchObject({ code: 78 });
    }
  });

  test("FORCE_COLOR colours and NO_COLOR does not", async () => {
    const plain = await place.run(["capabilities", "list"], { env: { NO_COLOR: "1" } });
    expect(plain.stdout).not.toContain("\u001b");
    expect(plain.stdout).toContain("process_exec");
  });

  test("a reader that goes away ends a command quietly", async () => {
    const child = place.spawn(["policy", "show"]);
    child.stdout.destroy();
    const stderr: Buffer[] = [];
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    await new Promise((resolve) => child.once("close", resolve));
    expect(Buffer.concat(stderr).toString()).toBe("");
  });
});

describe("without a host", () => {
  test("commands that need one end with 69 and say how to start it; --embedded needs none", async () => {
    await using alone = new Playground();
    for (const args of [["status"], ["call", "fs_read", "{}"], ["send"], ["capabilities", "list"]]) {
      const { code, stderr } = await alone.run(args);
      expect(code).toBe(69);
      expect(stderr).toContain("femtoclaw up --detach");
    }
    expect(await alone.run(["down"])).toMatchObject({ code: 69, stderr: expect.stringContaining("nothing to stop") });
    expect(await alone.run(["executions", "list"])).toMatchObject({ code: 70 });
    const embedded = await alone.json(["call", "process_exec", '{"bin":"echo","argv":["alone"]}', "--embedded"]);
    expect(embedded).toMatchObject({ code: 0, value: { status: "completed", result: { stdout: "alone\n" } } });
    const sent = await alone.run(["send", "--embedded"], { input: '{"message":{"content":"one"}}\nnonsense\n' });
    expect(sent.code).toBe(0);
    expect(sent.stdout.trimEnd().split("\n")).toHaveLength(2);
    expect(await alone.executions()).toHaveLength(3);
    expect(await alone.run(["policy", "check"])).toMatchObject({ code: 0, stdout: expect.stringContaining("valid") });
  });

  test("--config, --state and FEMTOCLAW_CONFIG say which host is meant", async () => {
    await using alone = new Playground();
    const other = alone.write(
      "q/femtoclaw.toml",
      CONFIGURATION.replace("../run", "../run2").replace('write = ["out"]', ""),
    );
    const state = `${alone.root}/elsewhere`;
    const { value } = await alone.json<{ pid: number }>(["--config", other, "--state", state, "up", "--detach"]);
    const status = await alone.json(["--config", other, "status"], { cwd: "/" });
    expect(status).toMatchObject({ code: 0, value: { pid: value.pid, state_directory: state } });
    expect(await alone.run(["status"])).toMatchObject({ code: 69 });
    expect(await alone.run(["--config", other, "down"])).toMatchObject({ code: 0 });
  });
});
