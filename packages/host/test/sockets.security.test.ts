/** Whoever can connect to the agent's socket is taken for an attacker: raw connections against a real host. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LIMITS, type LogContinuation } from "@femtoclaw/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LaunchParts, LaunchVerbs } from "../src/endpoints/launch-verbs.ts";
import { type OperatorParts, operatorHandlers } from "../src/endpoints/operator-endpoint.ts";
import { CONFIGURATION, type Host, Playground, proposal, RawConnection, toolCall } from "./playground.ts";

let place: Playground;
let host: Host;
beforeAll(async () => {
  place = new Playground();
  host = await place.up();
});
afterAll(async () => {
  host.kill("SIGTERM");
  expect(await host.ended, host.log()).toBe(0);
  await place[Symbol.asyncDispose]();
});

const hello = (id: number): string => `${JSON.stringify(proposal(id, { message: { content: `hello ${id}` } }))}\n`;

/** The execution that runs now, once it does. */
async function pendingExecution(): Promise<string> {
  for (;;) {
    const pending = (await place.executions()).find(({ status }) => status === "pending");
    if (pending !== undefined) return pending.execution_id;
  }
}

describe("on the agent's socket", () => {
  // Whatever an operator may ask, also what is added later; both may follow the log.
  const parts = { launches: new LaunchVerbs({} as LaunchParts) } as OperatorParts;
  const verbs = Object.keys(operatorHandlers(parts).verbs).filter((verb) => verb !== "log.follow");

  test("the verbs of operators are known", () => {
    expect(verbs).toEqual(expect.arrayContaining(["stop", "approvals.answer", "capabilities.enable", "keys.rotate"]));
  });

  test.each([
    ...verbs,
    "approvals.allow",
    "policy.allow",
    "trust",
    "reload",
    "halt",
    "constructor",
    "toString",
    "hasOwnProperty",
    "PROPOSE",
    " propose",
    "",
    "\u001b[2J",
  ])("the verb %j does not exist", async (verb) => {
    using agent = await place.socket("agent");
    const answer = await agent.ask({ id: 1, verb, name: "fs_list", now: true, limit: 1, execution: "x" });
    expect(answer).toMatchObject({ id: 1, ok: false, error: { code: "FEMTO_VERB_UNKNOWN" } });
    expect(answer.error?.reason).not.toContain("\u001b");
    expect(await agent.ask(proposal(2, { message: { content: "still here" } }))).toMatchObject({ id: 2, ok: true });
  });

  test.each([
    ["no JSON", "nonsense"],
    ["an empty line", ""],
    ["an array", "[]"],
    ["a number", "7"],
    ["null", "null"],
    ["a duplicate key", '{"id":1,"id":2,"verb":"tools"}'],
    ["a prototype", '{"__proto__":{"verb":"tools"},"id":1}'],
    ["no id", '{"verb":"tools"}'],
    ["a text as id", '{"id":"1","verb":"tools"}'],
    ["a fraction as id", '{"id":1.5,"verb":"tools"}'],
    ["an id that no number holds", '{"id":9007199254740993,"verb":"tools"}'],
    ["too deep a line", `{"id":1,"verb":"tools","a":${"[".repeat(50)}${"]".repeat(50)}}`],
    ["too many values", `{"id":1,"verb":"tools","a":[${"0,".repeat(5_000)}0]}`],
    ["a lone surrogate", '{"id":1,"verb":"tools","a":"\\ud800"}'],
    ["no verb", '{"id":1}'],
    ["a verb that is no text", '{"id":1,"verb":["tools"]}'],
    ["an unknown field", '{"id":1,"verb":"tools","principal":"root"}'],
    ["a message that is no text", '{"id":1,"verb":"propose","message":{"message":{"content":"x"}}}'],
    ["a session of one's own choice", '{"id":1,"verb":"propose","message":"e30=","session":"x"}'],
    ["base64 with a line break", '{"id":1,"verb":"propose","message":"e30=\\n"}'],
    ["base64 with a space", '{"id":1,"verb":"propose","message":"e3 0="}'],
    ["base64 for addresses", '{"id":1,"verb":"propose","message":"_-__"}'],
    ["base64 without its end", '{"id":1,"verb":"propose","message":"e30"}'],
    ["base64 with bits to spare", '{"id":1,"verb":"propose","message":"e31="}'],
    ["a label that is no text", '{"id":1,"verb":"propose","message":"e30=","label":7}'],
    ["a log to be followed from nothing", '{"id":1,"verb":"log.follow","from":0}'],
    ["from less than nothing", '{"id":1,"verb":"log.follow","from":-1}'],
    ["from a part of a record", '{"id":1,"verb":"log.follow","from":1.5}'],
    ["from a size that no number holds", '{"id":1,"verb":"log.follow","from":9007199254740992}'],
    ["from what is no number", '{"id":1,"verb":"log.follow","from":NaN}'],
    ["from a text", '{"id":1,"verb":"log.follow","from":"1"}'],
    ["from no size", '{"id":1,"verb":"log.follow","from":null}'],
    ["a log to be followed to a size of one's own choice", '{"id":1,"verb":"log.follow","from":1,"to":2}'],
    ["a cancel without execution", '{"id":1,"verb":"cancel"}'],
  ])("%s is answered as an error, and the connection goes on", async (_name, line) => {
    using agent = await place.socket("agent");
    const answer = await agent.ask(line);
    expect(answer).toMatchObject({ ok: false, error: { code: "FEMTO_SOCKET_REQUEST", fix: expect.any(String) } });
    expect(answer.id === null || answer.id === 1).toBe(true);
    expect(await agent.ask({ id: 2, verb: "tools" })).toMatchObject({ id: 2, ok: true });
  });

  test.each([
    ["a lone surrogate", '{"a":"\\ud800","verb":"tools","id":5}', 5],
    ["too deep a line", `{"verb":"tools","a":${"[".repeat(50)}${"]".repeat(50)},"id":5}`, 5],
    ["too many values", `{"verb":"tools","a":[${"0,".repeat(5_000)}0],"id":5}`, 5],
    ["so much that parsing takes its time", `{"id":5,"verb":"tools","a":[${"[],".repeat(9_000)}0]}`, null],
    ["levels without an end", `{"id":5,"verb":"tools","a":${"[".repeat(100)}${"]".repeat(100)}}`, null],
    ["an id that may be two", '{"id":5,"verb":"tools","id":6}', null],
    ["an id that no number holds", '{"verb":"tools","a":"\\ud800","id":9007199254740993}', null],
    ["a list", '[{"id":5,"a":"\\ud800"}]', null],
  ])("a client learns which of its requests has %s", async (_name, line, id) => {
    using agent = await place.socket("agent");
    expect(await agent.ask(line)).toMatchObject({ id, ok: false, error: { code: "FEMTO_SOCKET_REQUEST" } });
  });

  test("a log is followed from what it has signed alone, and shows no record but those that change its key", async () => {
    using agent = await place.socket("agent");
    expect(await agent.ask(proposal(1, { message: { content: "a secret of mine" } }))).toMatchObject({ ok: true });
    for (const from of [1_000_000, Number.MAX_SAFE_INTEGER]) {
      const refused = await agent.ask({ id: 2, verb: "log.follow", from });
      expect(refused).toMatchObject({ ok: false, error: { code: "FEMTO_JOURNAL_UNSIGNED" } });
    }
    using operator = await place.socket("operator");
    for (const from of [{}, { from: 1 }]) {
      const answer = await agent.ask({ id: 3, verb: "log.follow", ...from });
      expect(await operator.ask({ id: 3, verb: "log.follow", ...from })).toEqual(answer);
      const { steps } = answer.value as LogContinuation;
      expect(steps.map((step) => Object.keys(step))).toEqual([["checkpoint", "consistency"]]);
    }
  });

  test("bytes that are no text, a byte order mark and a carriage return do no harm", async () => {
    using agent = await place.socket("agent");
    agent.write(Buffer.from([0xff, 0xfe, 0x00, 0x0a]));
    agent.write(Buffer.from([0xef, 0xbb, 0xbf]));
    agent.write('{"id":1,"verb":"tools"}\n');
    agent.write('{"id":2,"verb":"tools"}\r\n');
    expect((await agent.answers(3)).map(({ id, ok }) => [id, ok])).toEqual([
      [null, false],
      [null, false],
      [2, true],
    ]);
  });

  test("ids may repeat and be huge; each request has its own answer", async () => {
    using agent = await place.socket("agent");
    for (const id of [7, 7, -1, 0, Number.MAX_SAFE_INTEGER]) agent.write(hello(id));
    const answers = await agent.answers(5);
    expect(answers.map(({ id }) => id).toSorted()).toEqual([-1, 0, 7, 7, Number.MAX_SAFE_INTEGER].toSorted());
    const executions = answers.map(({ value }) => (value as { execution_id: string }).execution_id);
    expect(new Set(executions).size).toBe(5);
  });

  test("what one session proposed cannot be cancelled by another, nor seen by it", async () => {
    using victim = await place.socket("agent");
    using attacker = await place.socket("agent");
    victim.write(`${JSON.stringify(proposal(1, toolCall("process_exec", { bin: "sleep", argv: ["10"] })))}\n`);
    const execution = await pendingExecution();
    expect(await attacker.ask({ id: 1, verb: "cancel", execution })).toEqual({ id: 1, ok: true, value: false });
    expect(await attacker.ask(proposal(2, { message: { content: "now I have a session" } }))).toMatchObject({
      ok: true,
    });
    expect(await attacker.ask({ id: 3, verb: "cancel", execution })).toEqual({ id: 3, ok: true, value: false });
    const [answer] = await victim.answers(1);
    expect(answer).toMatchObject({ value: { status: "completed" } });
  });

  test("what one proposed oneself can be cancelled while it runs", async () => {
    using agent = await place.socket("agent");
    agent.write(`${JSON.stringify(proposal(1, toolCall("process_exec", { bin: "sleep", argv: ["60"] })))}\n`);
    const execution = await pendingExecution();
    agent.write(`${JSON.stringify({ id: 2, verb: "cancel", execution })}\n`);
    const answers = await agent.answers(2);
    expect(answers.find(({ id }) => id === 2)).toMatchObject({ value: true });
    expect(answers.find(({ id }) => id === 1)).toMatchObject({
      value: { status: "error", error: { code: "FEMTO_CAPABILITY_CANCELLED" } },
    });
  });

  test("a proposal without an answer is taken back by its request, and by its own connection alone", async () => {
    using agent = await place.socket("agent");
    using attacker = await place.socket("agent");
    const sleep = `${JSON.stringify(proposal(7, toolCall("process_exec", { bin: "sleep", argv: ["60"] })))}\n`;
    agent.write(sleep);
    agent.write(sleep);
    await pendingExecution();
    expect(await attacker.ask({ id: 1, verb: "cancel", request: 7 })).toEqual({ id: 1, ok: true, value: false });
    for (const request of ["7", null, [7]]) {
      const answer = await attacker.ask({ id: 2, verb: "cancel", request });
      expect(answer).toMatchObject({ ok: false, error: { code: "FEMTO_SOCKET_REQUEST" } });
    }
    expect(await agent.ask({ id: 8, verb: "cancel", request: 6 })).toMatchObject({ value: false });
    agent.write(`${JSON.stringify({ id: 9, verb: "cancel", request: 7 })}\n`);
    const answers = (await agent.answers(3, 1)).filter(({ id }) => id === 7);
    expect(answers).toHaveLength(2);
    // One may have been on its way to its effect yet.
    const ended = expect.stringMatching(/^FEMTO_(CAPABILITY_CANCELLED|EXECUTION_HALTED)$/);
    for (const { value } of answers) expect(value).toMatchObject({ error: { code: ended } });
    expect(await agent.ask({ id: 10, verb: "cancel", request: 7 })).toMatchObject({ value: false });
  });

  test("a client names itself before it proposes, and gains nothing by it", async () => {
    using agent = await place.socket("agent");
    for (const label of [undefined, 7, null, ["x"]]) {
      const answer = await agent.ask({ id: 1, verb: "introduce", label });
      expect(answer).toMatchObject({ ok: false, error: { code: "FEMTO_SOCKET_REQUEST" } });
    }
    const label = `operator\u001b[2J password=hunter2 ${"x".repeat(500)}`;
    expect(await agent.ask({ id: 2, verb: "introduce", label, channel: "operator" })).toMatchObject({ ok: false });
    expect(await agent.ask({ id: 3, verb: "introduce", label })).toEqual({ id: 3, ok: true, value: null });
    expect(await agent.ask({ id: 4, verb: "stop" })).toMatchObject({ error: { code: "FEMTO_VERB_UNKNOWN" } });
    expect(await agent.ask(proposal(5, { message: { content: "hello" } }))).toMatchObject({ ok: true });
    expect(await agent.ask({ id: 6, verb: "introduce", label: "late" })).toMatchObject({ ok: false });
    const { value } = await place.json<{ sessions: { agent: string | null; channel: string }[] }>(["status"]);
    const [own] = value.sessions.filter((session) => session.agent?.startsWith("operator"));
    expect(own).toMatchObject({ channel: "agent" });
    expect(own?.agent).not.toMatch(/\u001b|hunter2/);
    // What would act on a terminal is written out, which makes it longer.
    expect(own?.agent?.length).toBeLessThanOrEqual(LIMITS.labelChars * 2);
  });
});

describe("floods", () => {
  test("ten megabytes without a line end are skipped and answered once", async () => {
    using agent = await place.socket("agent");
    const megabyte = Buffer.alloc(1 << 20, "x");
    for (let count = 0; count < 10; count += 1) agent.write(megabyte);
    agent.write("\n");
    agent.write(hello(1));
    const [tooLong, after] = await agent.answers(2);
    expect(tooLong).toMatchObject({ id: null, ok: false, error: { code: "FEMTO_SOCKET_REQUEST" } });
    expect(tooLong?.error?.reason).toContain(String(LIMITS.socketLineBytes));
    expect(after).toMatchObject({ id: 1, ok: true });
  });

  test("a message that just fits its line but not the limit of a message is refused and recorded", async () => {
    using agent = await place.socket("agent");
    const answer = await agent.ask(proposal(1, "x".repeat(LIMITS.messageBytes + 1)));
    expect(answer).toMatchObject({ ok: true, value: { status: "error", error: { code: "FEMTO_PROTOCOL_TOO_LARGE" } } });
  });

  test("half a line is never a request, whole ones before it are answered after the client has said its last", async () => {
    using agent = await place.socket("agent");
    agent.socket.end(`${hello(1)}${hello(2)}${JSON.stringify(proposal(3, { message: { content: "never asked" } }))}`);
    await agent.closed;
    expect(agent.lines.map((line) => (JSON.parse(line) as { id: number }).id).toSorted()).toEqual([1, 2]);
    const contents = await place.json(["executions", "list"]);
    expect(JSON.stringify(contents.value)).not.toContain("never asked");
  });

  test("five hundred proposals of a client that reads nothing hold up nobody else, and are all answered when it reads", async () => {
    using flood = await place.socket("agent");
    flood.socket.pause();
    const before = memoryOf(host.pid);
    const big = `${"y".repeat(20_000)}`;
    for (let id = 0; id < 500; id += 1) {
      flood.write(
        `${JSON.stringify(proposal(id, toolCall("process_exec", { bin: "echo", argv: [], env: { A: big } })))}\n`,
      );
    }
    using other = await place.socket("agent");
    for (let id = 0; id < 5; id += 1) {
      const answer = await other.ask(proposal(id, toolCall("fs_read", { path: "notes.txt" })));
      expect(answer).toMatchObject({ ok: true, value: { status: "completed" } });
    }
    expect((await place.run(["status"])).code).toBe(0);
    expect(memoryOf(host.pid) - before).toBeLessThan(300 << 20);
    flood.socket.resume();
    const answers = await flood.answers(500);
    expect(answers).toHaveLength(500);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(500);
    const codes = answers.map(({ value }) => (value as { error: { code: string } }).error.code);
    for (const code of new Set(codes)) {
      expect(["FEMTO_POLICY_FORBIDDEN", "FEMTO_OVERLOADED", "FEMTO_SESSION_HALTED"]).toContain(code);
    }
  });

  test("three hundred connections are more than it takes; operators still get through, and places come free", async () => {
    const flood = await Promise.all(
      Array.from({ length: 300 }, () => RawConnection.open(join(place.runtime, "agent.sock"))),
    );
    try {
      for (const connection of flood) connection.write('{"id":1,"verb":"tools"}\n');
      const answered = (await Promise.all(flood.map((connection) => connection.answers(1)))).flat();
      // All have asked, and none of them leaves; whoever comes later is a newcomer, and has its turn.
      expect(answered.filter(({ ok }) => ok)).toHaveLength(LIMITS.socketConnections + LIMITS.socketNewcomers);
      expect((await place.run(["status"])).code).toBe(0);
      const refused: string[] = [];
      await expect
        .poll(async () => {
          const { code, stderr } = await place.run(["call", "process_exec", '{"bin":"echo"}']);
          if (code !== 0) refused.push(stderr);
          return code;
        })
        .toBe(0);
      // Whoever knows this log is told why, and not that it is another one.
      for (const stderr of refused) expect(stderr).toContain("FEMTO_OVERLOADED: 256 connections");
    } finally {
      for (const connection of flood) connection[Symbol.dispose]();
    }
    await expect.poll(async () => (await place.call("process_exec", { bin: "echo" })).code).toBe(0);
  });

  test("connections that say nothing leave no trace in the journal", async () => {
    const recordsOf = async (): Promise<number> => (await place.json<{ records: number }>(["status"])).value.records;
    const before = await recordsOf();
    for (let count = 0; count < 20; count += 1) {
      using agent = await place.socket("agent");
      expect(await agent.ask({ id: 1, verb: "cancel", execution: "x" })).toMatchObject({ value: false });
    }
    expect(await recordsOf()).toBe(before);
  });
});

test("a client that reads nothing cannot keep a host from ending", async () => {
  await using own = new Playground();
  const ownHost = await own.up();
  own.write("p/out/large.txt", "z".repeat(900_000));
  using deaf = await own.socket("agent");
  deaf.socket.pause();
  for (let id = 0; id < 100; id += 1) {
    deaf.write(`${JSON.stringify(proposal(id, toolCall("fs_read", { path: "out/large.txt" })))}\n`);
  }
  await expect.poll(async () => (await own.executions()).length).toBeGreaterThan(3);
  await own.down();
  expect(await ownHost.ended).toBe(0);
});

describe("on the operator's socket", () => {
  test("fields are checked as strictly", async () => {
    using operator = await place.socket("operator");
    const refused = [
      { verb: "status", verbose: true },
      { verb: "stop", now: "yes" },
      { verb: "capabilities.list", all: true },
      { verb: "capabilities.enable" },
      { verb: "capabilities.enable", name: 7 },
      { verb: "capabilities.enable", name: "fs_list", force: true },
      { verb: "executions.list" },
      { verb: "executions.list", limit: 0 },
      { verb: "executions.list", limit: 1e9 },
      { verb: "executions.list", limit: 1, status: 7 },
      { verb: "executions.show", execution: null },
      { verb: "executions.resolve", execution: "x", resolution: "done" },
      { verb: "executions.resolve", execution: "x", resolution: "maybe", reason: "r" },
      { verb: "executions.resolve", execution: "x", resolution: "done", reason: " " },
      { verb: "executions.resolve", execution: 7, resolution: "done", reason: "r" },
      { verb: "executions.resolve", execution: "x", resolution: "done", reason: "r", by: "root" },
      { verb: "policy.show", x: 1 },
      { verb: "policy.decision" },
      { verb: "policy.decision", ref: 7 },
      { verb: "policy.decision", ref: "7", policy: {} },
      { verb: "fork", seq: 1 },
      { verb: "fork", seq: "1", out: "/tmp/x" },
      { verb: "fork", seq: -1, out: "/tmp/x" },
      { verb: "fork", seq: 1, out: "relative" },
      { verb: "fork", seq: 1, out: "/tmp/x", stateDirectory: "/" },
      { verb: "replay", to: -1 },
      { verb: "replay", to: "0" },
    ];
    for (const request of refused) {
      expect(await operator.ask({ id: 1, ...request }), JSON.stringify(request)).toMatchObject({
        ok: false,
        error: { code: "FEMTO_SOCKET_REQUEST" },
      });
    }
    expect(await operator.ask(proposal(2, { message: { content: "x" } }))).toMatchObject({
      ok: false,
      error: { code: "FEMTO_VERB_UNKNOWN" },
    });
  });
});

describe("from inside the sandbox", () => {
  test("neither socket can be seen or connected to, however it is named", async () => {
    const python = "/usr/bin/python3";
    await using own = new Playground(
      CONFIGURATION.replace("run = { ", `run = { python3 = [{ any = true, unsafe = true }], ls = ["*"], `).replace(
        'read = ["."]',
        'read = [".", ".."]',
      ),
    );
    if ((await own.run(["policy", "check"])).code !== 0) throw new Error(`the test needs ${python}`);
    await own.up();
    const { value: listing } = await own.call("process_exec", { bin: "ls", argv: ["-la", own.runtime, own.root] });
    expect(listing).toMatchObject({ status: "completed" });
    expect(JSON.stringify(listing)).not.toContain(".sock");
    const script = `
import socket, sys, os
for path in sys.argv[1:]:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            s = socket.socket(socket.AF_UNIX, kind); s.connect(path); print("CONNECTED", path)
        except OSError as error: print("no", error.errno)
print("descriptors", sorted(os.listdir("/proc/self/fd")))
`;
    const paths = ["agent", "operator"].flatMap((name) => [
      join(own.runtime, `${name}.sock`),
      `/proc/1/root${own.runtime}/${name}.sock`,
      `/proc/${process.pid}/root${own.runtime}/${name}.sock`,
      `\0${own.runtime}/${name}.sock`.slice(1),
    ]);
    const { value } = await own.call("process_exec", { bin: "python3", argv: ["-c", script, ...paths] });
    expect(value).toMatchObject({ status: "completed", result: { exit_code: 0 } });
    expect(value.result?.["stdout"]).not.toContain("CONNECTED");
    expect(value.result?.["stdout"]).toContain("no ");
  });
});

/** Resident bytes, as the kernel counts them. */
function memoryOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}
