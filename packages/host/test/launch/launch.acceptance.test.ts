/** Agents that a person launches: what they see and reach, what their calls become, and how they end. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import type { ExecutionView } from "@femtoclaw/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { COMMAND, Playground } from "../playground.ts";
import { launch, launchConfiguration, MODEL_KEY, mcpScript, ran, said } from "./launch-place.ts";

let place: Playground;
let server: Server;
/** Connections that the server of the test has seen. */
let connections = 0;
const portOf = (): number => (server.address() as AddressInfo).port;

beforeAll(async () => {
  server = createServer((socket) => {
    connections += 1;
    socket.on("error", () => undefined).end("hello from the model\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  place = new Playground(launchConfiguration([`localhost:${portOf()}`]));
  await place.up();
});

afterAll(async () => {
  await place[Symbol.asyncDispose]();
  await new Promise((resolve) => server.close(resolve));
});

test("an agent works by calls alone, and its command ends as it did", async () => {
  const calls = [
    { name: "fs_write", arguments: { path: "out/made.txt", content: "made by a call", mode: "create" } },
    { name: "process_exec", arguments: { bin: "echo", argv: ["hello"] } },
    // What everybody may run, and its own table does not list.
    { name: "process_exec", arguments: { bin: "cat", argv: ["notes.txt"] } },
    { name: "fs_read", arguments: { path: "secrets/token.txt" } },
  ];
  const many = Array.from({ length: 200 }, (_, at) => `word ${at}`);
  const script = [
    'test "$#" = 200 && cat notes.txt',
    "cat secrets/token.txt || echo unseen",
    "echo mine > out/mine.txt || echo unwritten",
    'echo "key=$MODEL_KEY other=$OTHER"',
    mcpScript(calls),
    "exit 7",
  ].join("\n");
  const env = { MODEL_KEY, OTHER: "not for agents" };
  const { code, stdout, stderr } = await place.run(["run", "--", "script", "-c", script, "sh", ...many], { env });
  expect(code, stderr).toBe(7);
  const lines = stdout.trimEnd().split("\n");
  expect(lines.slice(0, 4)).toEqual(["some notes", "unseen", "unwritten", `key=${MODEL_KEY} other=`]);
  const answers = lines.slice(4).map((line) => JSON.parse(line) as { id: number; result: { isError?: boolean } });
  const failed = Object.fromEntries(answers.map(({ id, result }) => [id, result.isError ?? false]));
  expect(failed).toEqual({ 0: false, 1: false, 2: false, 3: true, 4: true });
  expect(stderr).toContain("script ended; calls: 2 done, 2 denied");
  expect(readFileSync(join(place.project, "out/made.txt"), "utf8")).toBe("made by a call");
  expect(existsSync(join(place.project, "out/mine.txt"))).toBe(false);

  const [own, ...others] = await place.executions();
  expect(own).toMatchObject({ tool: "agent_run", status: "completed", result: { exit_code: 7 } });
  expect(others.map(({ tool }) => tool).sort()).toEqual(["fs_read", "fs_write", "process_exec", "process_exec"]);
  expect(new Set(others.map(({ session }) => session))).toEqual(new Set([own?.session]));
  const shown = await place.json<{ records: { actor: unknown; body: unknown }[] }>([
    "executions",
    "show",
    String(own?.execution_id),
  ]);
  expect(shown.value.records[0]).toMatchObject({
    type: "execution.intent",
    actor: { principal: "coder", channel: "agent" },
  });
  // INVARIANT: I10: what it was given is in no record.
  expect(JSON.stringify(shown.value)).toContain('"MODEL_KEY"');
  expect(JSON.stringify(shown.value)).not.toContain(MODEL_KEY);
});

/** Asks the relay for a tunnel, and prints what comes. */
const dial = (target: string): string => `use IO::Socket::INET;
my $s = IO::Socket::INET->new("127.0.0.1:3128") or die;
print $s "CONNECT ${target} HTTP/1.1\\r\\n\\r\\n";
print while <$s>;`;

test("an agent reaches the host that is named for its program, and no other; each is decided and recorded", async () => {
  const named = await ran(place, "perl", "-e", dial(`localhost:${portOf()}`));
  expect(named.stdout, named.stderr).toContain("hello from the model");
  expect(connections).toBe(1);
  const other = await ran(place, "perl", "-e", dial(`127.0.0.1:${portOf()}`));
  expect(other.stdout).toContain("403");
  expect(connections).toBe(1);
  expect(other.reply?.result).toMatchObject({ refused: [{ host: `127.0.0.1:${portOf()}` }] });
  const { stdout } = await place.run(["executions", "show", String(named.reply?.execution_id)]);
  expect(stdout).toContain("execution.hop");
  // Nothing is named for the shell, which starts the same program.
  const unnamed = await ran(place, "script", "-c", `perl -e '${dial(`localhost:${portOf()}`).replaceAll("'", "")}'`);
  expect(unnamed.stdout).toContain("403");
  expect(connections).toBe(1);
});

test("a person's terminal is lent to it: what is typed, its size, an interrupt", async () => {
  const script = 'stty size; read name; echo "hello $name"; trap "echo interrupted" INT; echo ready; sleep 60; exit 3';
  const { operator } = await launch(place, "script", ["-c", script], { cols: 100, rows: 30 });
  await operator.launched.write(Buffer.from("you\r"));
  expect((await said(operator, "ready")).stdout).toMatch(/30 100[\s\S]*hello you/);
  await operator.launched.resize({ cols: 120, rows: 40 });
  await operator.launched.write(Buffer.from("\u0003"));
  const { stdout, ended } = await said(operator);
  expect(stdout).toContain("interrupted");
  expect(ended?.reply.result).toMatchObject({ exit_code: 3 });
  await operator.close();
});

test("on a terminal the command lends its own, and lets an agent only draw there", async () => {
  const agent = 'read name; printf "hello $name \\033]52;c;aGk=\\007\\033[1mbold\\033[0m"; exit 4';
  const words = [...COMMAND, "run", "--", "script", "-c", agent];
  const command = words.map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    cwd: place.project,
    env: { ...place.environment, SHELL: "/bin/sh" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  child.stdout.on("data", (piece: Buffer) => {
    shown += piece.toString();
  });
  child.stdin.write("you\r");
  const [code] = (await once(child, "close")) as [number];
  expect(code, shown).toBe(4);
  expect(shown).toContain("hello you");
  expect(shown).toContain("\u001b[1mbold");
  expect(shown).not.toContain("]52;");
  expect(shown).toContain("\u001b[?1049l");
});

test("a launch that draws nothing leaves the terminal's cursor where it is", async () => {
  const command = [...COMMAND, "run", "--", "script", "-c", "exit 3"].map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    cwd: place.project,
    env: { ...place.environment, SHELL: "/bin/sh" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  child.stdout.on("data", (piece: Buffer) => {
    shown += piece.toString();
  });
  const [code] = (await once(child, "close")) as [number];
  expect(code, shown).toBe(3);
  expect(shown).not.toContain("\u001b[?1049l");
});

test("an agent ends when somebody saves what is kept from it, and its operator is told why and what to do", async () => {
  const secrets = join(place.project, "secrets");
  const script = "echo runs; exec sleep 60";
  const running = place.run(["run", "--", "script", "-c", script], { env: { MODEL_KEY } });
  await place.untilRunning();
  await expect
    .poll(async () => {
      cpSync(secrets, `${secrets}.new`, { recursive: true });
      renameSync(secrets, `${secrets}.old`);
      renameSync(`${secrets}.new`, secrets);
      rmSync(`${secrets}.old`, { recursive: true });
      return (await place.executions())[0]?.status;
    })
    .toBe("error");
  const { code, stderr } = await running;
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /FEMTO_FILE_CHANGED: .*secrets.*, which is protected from programs, was replaced or created by somebody else/,
  );
  expect(stderr).toMatch(/fix: Launch the agent again\. .* write such files in place/);
});

test("an agent ends with the command that launched it, however that ends", async () => {
  const mark = `sleep 98${process.pid}`;
  const script = `trap "" TERM INT HUP; setsid sh -c 'trap "" TERM; ${mark}' & echo started; ${mark}`;
  const child = place.spawn(["run", "--", "script", "-c", script]);
  const [piece] = (await once(child.stdout, "data")) as [Buffer];
  expect(piece.toString()).toContain("started");
  const running = () => commands().filter((words) => words.replaceAll("\0", " ").startsWith(mark)).length;
  await expect.poll(running).toBe(2);
  child.kill("SIGKILL");
  await expect.poll(running).toBe(0);
  await expect
    .poll(async () => (await place.json<ExecutionView[]>(["executions", "list"])).value[0])
    .toMatchObject({ tool: "agent_run", status: "error", error: { code: "FEMTO_CAPABILITY_CANCELLED" } });
});

function commands(): string[] {
  return readdirSync("/proc").flatMap((name) => {
    try {
      return /^\d+$/.test(name) ? [readFileSync(`/proc/${name}/cmdline`, "utf8")] : [];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}
