/** What runs, seen from outside while it runs: by its own client, by operators, and by those who should not see it. */
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import type { OutputPart } from "@femtoclaw/protocol";
import type { RuntimeStatus } from "@femtoclaw/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CONFIGURATION, Playground, proposal, toolCall } from "./playground.ts";

let place: Playground;
beforeAll(async () => {
  const programs = 'yes = ["*"], perl = [{ any = true, unsafe = true }] }\n[ask]\nrun = { date = ["*"] }';
  place = new Playground(CONFIGURATION.replace(/ \}\n\[deny\]/, `, ${programs}\n[deny]`));
  place.write(
    "p/talk.pl",
    '$| = 1; print "begun \\e]0;title\\a\\n"; print STDERR "a warning\\n"; print "key: AKIA";\n' +
      'select(undef, undef, undef, 0.02) until -e "out/$ARGV[0]";\nprint "B2" x 8, "\\nover";\n',
  );
  await place.up();
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

const talk = (go: string) => ({ bin: "perl", argv: ["talk.pl", go] });

/** A command that goes on, with what it has said so far. */
function going(args: readonly string[]) {
  const child = place.spawn(args);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (piece) => {
      said += String(piece);
    });
  }
  return { said: () => said, ended: once(child, "close"), stop: () => child.kill("SIGINT") };
}

test("people follow a program by three commands, and see no secret of it and nothing that acts on their terminal", async () => {
  const list = going(["executions", "list", "--follow", "--output"]);
  await expect.poll(list.said).toContain("following");
  const call = going(["call", "process_exec", JSON.stringify(talk("a")), "--stream"]);
  await expect.poll(call.said).toContain("a warning");
  const [running] = await place.executions();
  const id = running?.execution_id ?? "";
  const [follow, json] = [going(["executions", "follow", id]), going(["--json", "executions", "follow", id])];
  await expect.poll(follow.said).toContain("a warning");
  await expect.poll(json.said).toContain("a warning");
  await expect.poll(list.said).toContain("a warning");
  // All of them look while the secret is half there.
  for (const one of [list, call, follow, json]) expect(one.said()).not.toContain("AKIA");
  place.write("p/out/a", "");
  expect(await Promise.all([call, follow, json].map(({ ended }) => ended))).toEqual([
    [0, null],
    [0, null],
    [0, null],
  ]);
  await expect.poll(list.said).toMatch(/over\n[\s\S]*completed {4}AUTHORIZED/);
  list.stop();
  await list.ended;
  for (const one of [list, call, follow]) {
    expect(one.said()).toContain("begun \\u{1b}]0;title\\u{7}");
    expect(one.said()).toContain("key: [redacted:aws-key]");
    expect(one.said()).not.toMatch(/[\u0007\u001b]/);
  }
  expect(follow.said()).toMatch(/over\nAUTHORIZED {2}toml\/allow\.run\.perl\/1 {2}record \d+\nexit_code 0/);
  // What the proposer gets in the end is all of it, as without anybody who looks.
  expect(call.said()).toContain(`key: AKIA${"B2".repeat(8)}`);
  const lines = json
    .said()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.at(-1)).toMatchObject({ execution_id: id, status: "completed" });
  expect(
    lines
      .slice(0, -1)
      .map(({ output }: { output: OutputPart }) => output.text)
      .join(""),
  ).toMatch(/^begun[\s\S]*over$/);
});

test("an agent looks at the calls of its own connection and at nothing else", async () => {
  using own = await place.socket("agent");
  using other = await place.socket("agent");
  const watch = { verb: "watch", from: 0, wait_ms: 0 };
  const before = (await place.executions()).length;
  expect(await own.ask({ id: 1, ...watch, execution: "x" })).toMatchObject({
    error: { code: "FEMTO_EXECUTION_NOT_FOUND" },
  });
  own.write(`${JSON.stringify(proposal(2, toolCall("process_exec", talk("b"))))}\n`);
  const first = await own.ask({ id: 3, ...watch, request: 2, wait_ms: 10_000 });
  const { execution } = first.value as { execution: string };
  expect(execution).toMatch(/^[0-9a-f-]{36}$/);
  expect(await other.ask({ id: 1, ...watch, execution })).toMatchObject({
    error: { code: "FEMTO_EXECUTION_NOT_FOUND" },
  });
  expect(await other.ask({ id: 2, ...watch, request: 2 })).toMatchObject({
    error: { code: "FEMTO_EXECUTION_NOT_FOUND" },
  });
  expect(await other.ask({ id: 3, verb: "executions.watch", from: 0, wait_ms: 0, execution })).toMatchObject({
    error: { code: "FEMTO_VERB_UNKNOWN" },
  });
  const wrong = [
    { execution, request: 2 },
    {},
    { execution: 7 },
    { execution, from: -1 },
    { execution, from: 0.5 },
    { execution, wait_ms: 10_001 },
    { execution, wait_ms: "1" },
    { execution, from: 2 ** 53 },
    { execution, more: 1 },
  ];
  for (const fields of wrong) {
    expect(await own.ask({ id: 4, ...watch, ...fields })).toMatchObject({ error: { code: "FEMTO_SOCKET_REQUEST" } });
  }
  const nobody = await other.ask({ id: 5, ...watch, request: "2" });
  expect(nobody.ok).toBe(false);
  place.write("p/out/b", "");
  await expect
    .poll(async () => (await own.ask({ id: 6, ...watch, execution })).value)
    .toMatchObject({ state: "ended" });
  // Whoever only looked has left no session in the journal.
  expect((await place.executions()).length).toBe(before + 1);
});

test("a hundred readers that never read slow neither a flood nor anybody else", async () => {
  await using client = await place.agent();
  await using operator = await place.operator();
  const named = Promise.withResolvers<void>();
  const parts: OutputPart[] = [];
  const flood = client.propose(Buffer.from(JSON.stringify(toolCall("process_exec", { bin: "yes" }))), {
    onOutput: (part) => {
      parts.push(part);
      named.resolve();
    },
  });
  await named.promise;
  const [{ execution_id: execution = "" } = {}] = await place.executions();
  const request = `${JSON.stringify({ id: 1, verb: "executions.watch", execution, from: 0, wait_ms: 10_000 })}\n`;
  const readers = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const socket = connect(join(place.runtime, "operator.sock")).on("error", () => undefined);
      await once(socket, "connect");
      socket.write(request.repeat(20));
      return socket;
    }),
  );
  expect(await flood).toMatchObject({ status: "completed", result: { truncated: true, signal: "SIGKILL" } });
  expect(parts.map(({ text, skipped }) => text.length + skipped).reduce((sum, one) => sum + one)).toBeGreaterThan(
    1_000_000,
  );
  expect((await place.propose("fs_read", { path: "notes.txt" })).status).toBe("completed");
  // Half of them are gone without a word while the next call runs.
  for (const socket of readers.slice(50)) socket.destroy();
  expect((await client.propose(Buffer.from(JSON.stringify(toolCall("process_exec", { bin: "echo" }))))).status).toBe(
    "completed",
  );
  const { sessions } = (await operator.status()) as unknown as RuntimeStatus;
  expect(JSON.stringify(sessions).length).toBeLessThan(10_000);
  for (const socket of readers) socket.destroy();
});

test("what waits for an operator is followed through the answer; what a journal knows has ended, what it does not is nothing", async () => {
  await using client = await place.agent();
  await using operator = await place.operator();
  const heard: OutputPart[] = [];
  const message = Buffer.from(JSON.stringify(toolCall("process_exec", { bin: "date", argv: ["+said"] })));
  const pending = await client.propose(message, { onOutput: (part) => void heard.push(part) });
  expect([pending.status, heard]).toEqual(["pending", []]);
  const { execution_id: execution } = pending;
  expect(await operator.watchOutput(execution, 0, 0)).toMatchObject({ state: "waiting", parts: [], next: 0 });
  const output = (async () => {
    const parts: string[] = [];
    for await (const { text } of client.output(execution)) parts.push(text);
    return parts.join("");
  })();
  const [question] = await operator.approvals();
  const { id: approval = "", digest = "" } = question ?? {};
  await operator.answerApproval({ approval, digest, answer: "granted", scope: "once" });
  expect(await output).toBe("said\n");
  expect((await client.wait(execution)).result).toMatchObject({ stdout: "said\n" });
  const denied = await place.propose("fs_read", { path: "secrets/token.txt" });
  expect(await operator.watchOutput(denied.execution_id, 0, 10_000)).toMatchObject({ state: "ended", parts: [] });
  await expect(operator.watchOutput("nothing", 0, 0)).rejects.toMatchObject({ code: "FEMTO_EXECUTION_NOT_FOUND" });
});

test("a proposer that is slow to hear misses some, and still gets its reply", async () => {
  await using client = await place.agent();
  const heard: OutputPart[] = [];
  const message = Buffer.from(JSON.stringify(toolCall("process_exec", { bin: "yes" })));
  const reply = await client.propose(message, {
    onOutput: (part) => {
      heard.push(part);
      throw new Error("what listens breaks off");
    },
  });
  expect(reply).toMatchObject({ status: "completed", result: { truncated: true } });
  expect(heard).toHaveLength(1);
});
