/** Agents that want more than calls, and operators' sockets that are asked for more than a launch. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Playground, proposal, RawConnection, toolCall } from "../playground.ts";
import { launch, launchConfiguration, MODEL_KEY, mcpLines, mcpScript, ran, said } from "./launch-place.ts";

let place: Playground;

beforeAll(async () => {
  place = new Playground(launchConfiguration(["localhost:9"]));
  await place.up();
});
afterAll(() => place[Symbol.asyncDispose]());

test("no agent can launch one: not by its socket, not by a call, not from inside a launch", async () => {
  const args = { bin: "sh", argv: ["-c", "id"], variables: [], terminal: false };
  using agent = await RawConnection.open(join(place.runtime, "agent-coder.sock"));
  const verbs = ["start", "read", "write", "resize", "end"].map((verb) => `launch.${verb}`);
  for (const [id, verb] of verbs.entries()) {
    expect(await agent.ask({ id, verb, name: "script", argv: [] })).toMatchObject({
      error: { code: "FEMTO_VERB_UNKNOWN" },
    });
  }
  const denied = { decision: "DENIED_CAPABILITY_NOT_FOUND", error: { code: "FEMTO_CAPABILITY_NOT_FOUND" } };
  expect(await agent.ask(proposal(9, toolCall("agent_run", args)))).toMatchObject({ value: denied });
  const tools = await agent.ask({ id: 10, verb: "tools" });
  expect(JSON.stringify(tools)).toContain("process_exec");
  expect(JSON.stringify(tools)).not.toContain("agent_run");
  const { stdout } = await ran(place, "script", "-c", mcpScript([{ name: "agent_run", arguments: args }]));
  expect(stdout).toContain("DENIED_CAPABILITY_NOT_FOUND");
});

test("what it says at its way to the host is MCP, and of its own session", async () => {
  const others = await place.propose("fs_read", { path: "notes.txt" });
  const wait = { name: "femtoclaw_wait", arguments: { execution_id: others.execution_id } };
  const verbs = [
    { id: 1, verb: "status" },
    { id: 2, verb: "stop", now: true },
    { id: 3, verb: "launch.start", name: "script", argv: [], variables: {}, size: null },
    { jsonrpc: "2.0", id: 4, method: "stop", params: { now: true } },
  ];
  const { stdout, reply } = await ran(place, "script", "-c", `${mcpLines(...verbs)}; ${mcpScript([wait])}`);
  const lines = stdout.trimEnd().split("\n");
  const answers = lines.map(
    (line) => JSON.parse(line) as { id?: unknown; error?: object; result?: { isError?: boolean } },
  );
  expect(
    answers.slice(0, 4).every(({ error }) => error !== undefined),
    stdout,
  ).toBe(true);
  expect(answers.find(({ id, result }) => id === 1 && result !== undefined)?.result?.isError, stdout).toBe(true);
  expect(stdout).not.toContain("some notes");
  expect(reply?.status).toBe("completed");
  await using operator = await place.operator();
  expect((await operator.status())["phase"]).not.toBe("draining");
});

/** Each line is one attempt, and what the kernel says of it. */
const ATTEMPTS = `use Socket; use IO::Socket::INET;
sub said { print "$_[0]: ", ($_[1] ? "done" : $!{EPERM} ? "EPERM" : $!{ENOENT} ? "ENOENT" : $!{EROFS} ? "EROFS" : $!{ECONNREFUSED} ? "ECONNREFUSED" : $!), "\\n" }
said("unix", socket(my $u, AF_UNIX, SOCK_STREAM, 0));
said("netlink", socket(my $n, 16, SOCK_RAW, 0));
said("operator", -e "RUN/operator.sock");
said("journal", -e "STATE");
said("host", -e "/proc/HOST");
said("write", open(my $w, ">", "out/x"));
said("port", IO::Socket::INET->new("127.0.0.1:22"));
print "descriptors: ", join(" ", grep { (readlink("/proc/self/fd/$_") // "/dev/null") ne "/dev/null" } 0..1024), "\\n";`;

test("it finds no other way out: no sockets but its relay's, no files of the host, no descriptor of it", async () => {
  const script = ATTEMPTS.replaceAll("RUN", place.runtime)
    .replaceAll("STATE", place.state)
    .replaceAll("HOST", String((await status())["pid"] ?? 1_000_000));
  const { stdout, stderr } = await ran(place, "perl", "-e", script);
  expect(stdout, stderr).toMatch(
    /^unix: EPERM\nnetlink: EPERM\noperator: ENOENT\njournal: ENOENT\nhost: ENOENT\nwrite: EROFS\nport: ECONNREFUSED\ndescriptors: 0 1 2\n$/,
  );
  const { stdout: read } = await ran(place, "script", "-c", "cat femtoclaw.toml; echo end");
  expect(read).toBe("end\n");
});

async function status(): Promise<Record<string, unknown>> {
  await using operator = await place.operator();
  return await operator.status();
}

const CONNECT = `use IO::Socket::INET;
my $s = IO::Socket::INET->new("127.0.0.1:3128") or die;
print $s "CONNECT femtoclaw.invalid:1 HTTP/1.1\\r\\n\\r\\n";
my $l = <$s>; print $l;`;

test("the way to the host is an agent's alone, and few clients use it at once", async () => {
  const called = await place.propose("process_exec", { bin: "perl", argv: ["-e", CONNECT] });
  expect(called.result?.["stdout"]).toContain("403");
  const many = `use IO::Socket::INET; my @s;
for (1..9) { my $s = IO::Socket::INET->new("127.0.0.1:3128"); print $s "CONNECT femtoclaw.invalid:1 HTTP/1.1\\r\\n\\r\\n"; push @s, $s; my $l = <$s>; print substr($l, 9, 3), " "; }`;
  const { stdout } = await ran(place, "perl", "-e", many);
  expect(stdout).toBe("200 200 200 200 200 200 200 200 403 ");
});

test("a launch gives what its table lists, once for each connection, and on no command line", async () => {
  await using operator = await place.operator();
  const request = { name: "script", argv: ["-c", "echo up; sleep 60"], variables: {}, size: null };
  const refused = { code: "FEMTO_SOCKET_REQUEST" };
  await expect(operator.launched.read(0)).rejects.toMatchObject(refused);
  await expect(operator.launched.start({ ...request, variables: { LD_PRELOAD: "x" } })).rejects.toMatchObject(refused);
  await expect(operator.launched.start({ ...request, variables: { MODEL_KEY: "a\0PATH=/x" } })).rejects.toMatchObject(
    refused,
  );
  await expect(operator.launched.start({ ...request, size: { cols: 0, rows: 9 } })).rejects.toMatchObject(refused);
  await expect(operator.launched.start({ ...request, name: "sh" })).rejects.toMatchObject({ code: "FEMTO_USAGE" });
  await operator.launched.start({ ...request, variables: { MODEL_KEY } });
  await expect(operator.launched.start(request)).rejects.toMatchObject(refused);
  expect((await said(operator, "up")).stdout).toBe("up\n");
  expect(filesOf("cmdline").filter((text) => text.includes(MODEL_KEY))).toEqual([]);
  expect(filesOf("cmdline").filter((text) => text.includes("/dev/femtoclaw/variables"))).not.toEqual([]);
});

test("a halt, a capability that is disabled, and a host that drains end it", async () => {
  await using watching = await place.operator();
  const ends = {
    halted: async (session: string) => void (await watching.halt(session, "enough")),
    disabled: () => watching.switchCapability("agent_run", "disable"),
  };
  for (const [how, end] of Object.entries(ends)) {
    const { operator, session } = await launch(place, "script", ["-c", "echo up; sleep 60"]);
    await said(operator, "up");
    await end(session);
    const { ended } = await said(operator);
    expect(ended?.reply, how).toMatchObject({ status: "error", error: { code: "FEMTO_CAPABILITY_CANCELLED" } });
    await operator.close();
  }
  const { reply } = await ran(place, "script", "-c", "echo never");
  expect(reply).toMatchObject({ decision: "DENIED_CAPABILITY_DISABLED" });
  const { code, stderr } = await place.run(["run", "--", "script", "-c", "echo never"]);
  expect(code, stderr).toBe(77);
  await watching.switchCapability("agent_run", "enable");
  const { operator } = await launch(place, "script", ["-c", "echo up; sleep 60"]);
  await said(operator, "up");
  expect((await place.run(["down", "--now"])).code).toBe(0);
  expect((await place.run(["audit", "verify"])).code).toBe(0);
  await operator.close();
});

/** Of every process of this machine. */
function filesOf(name: string): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/${name}`, "utf8")] : [];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}
