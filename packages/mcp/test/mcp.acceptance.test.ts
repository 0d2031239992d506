/** MCP clients of both eras, over stdio and HTTP, against a real host. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RuntimeStatus } from "@femtoclaw/runtime";
import type { CallToolResult } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ERAS, type Era, type HttpPlace, httpClient, type McpClient, McpPlace } from "./mcp-place.ts";

let place: McpPlace;
let http: HttpPlace;
beforeAll(async () => {
  place = new McpPlace();
  await place.up();
  http = await place.http(["--wait", "20000"]);
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

const NOTE = { path: "out/note", content: "once\n", mode: "append" };
const note = (): string | null => {
  const path = join(place.project, "out/note");
  return existsSync(path) ? readFileSync(path, "utf8") : null;
};
const text = ({ content }: CallToolResult): string =>
  content.map((part) => (part.type === "text" ? part.text : "")).join();

type Way = "stdio" | "http";
const WAYS = ERAS.flatMap((era): [Way, Era][] => [
  ["stdio", era],
  ["http", era],
]);
const open = (way: Way, era: Era, args: string[] = []): Promise<McpClient> =>
  way === "stdio" ? place.stdio(era, args) : httpClient(era, http);

describe.each(WAYS)("over %s in the era of %s", (way, era) => {
  test("tools are listed, called and denied, and the client's name is recorded", async () => {
    await using client = await open(way, era);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["femtoclaw_wait", "fs_list", "fs_read", "fs_write", "process_exec"]);
    expect(tools.find(({ name }) => name === "fs_read")).toMatchObject({
      inputSchema: { required: ["path"], additionalProperties: false },
      annotations: { readOnlyHint: true, destructiveHint: false },
    });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const _meta = { traceparent, tracestate: 7, "claudecode/toolUseId": "toolu_1" };
    const read = await client.callTool({ name: "fs_read", arguments: { path: "notes.txt" }, _meta });
    expect(read).toMatchObject({ structuredContent: { content: "some notes\n", bytes: 11 } });
    expect(read.isError ?? false).toBe(false);
    expect(text(read)).toContain("content:\nsome notes\n");
    const [recorded] = await place.executions();
    expect(recorded).toMatchObject({ tool: "fs_read", label: "call toolu_1" });
    const shown = await place.json<object>(["executions", "show", recorded?.execution_id ?? ""]);
    expect(JSON.stringify(shown.value)).toContain(`"trace":{"traceparent":"${traceparent}","ignored":["tracestate"]}`);
    expect(read._meta).toMatchObject({
      "dev.femtoclaw/record": recorded?.record,
      "dev.femtoclaw/execution_id": recorded?.execution_id,
    });
    await using operator = await place.operator();
    const { sessions } = (await operator.status()) as unknown as RuntimeStatus;
    expect(sessions).toContainEqual(expect.objectContaining({ agent: "probe 1.2.3", channel: "agent" }));

    const denied = await client.callTool({ name: "fs_read", arguments: { path: "secrets/token.txt" } });
    expect(denied).toMatchObject({
      isError: true,
      structuredContent: {
        status: "denied",
        decision: "DENIED_POLICY_VIOLATION",
        error: { code: "FEMTO_POLICY_FORBIDDEN", reason: expect.any(String), fix: expect.any(String) },
        policy: { rules: ["toml/deny.read/1"] },
        record: { seq: expect.any(Number) },
      },
    });
    expect(text(denied)).toMatch(
      /DENIED_POLICY_VIOLATION: .*other uses[\s\S]*FEMTO_POLICY_FORBIDDEN[\s\S]*toml\/deny\.read\/1/,
    );
    expect(JSON.stringify(denied)).not.toContain("hunter2");
    const unknown = await client.callTool({ name: "rm", arguments: {} });
    expect(unknown).toMatchObject({ isError: true, structuredContent: { decision: "DENIED_CAPABILITY_NOT_FOUND" } });
    const invalid = await client.callTool({ name: "fs_read", arguments: { file: 1 } });
    expect(invalid).toMatchObject({ isError: true, structuredContent: { error: { code: "FEMTO_ARGUMENTS_INVALID" } } });
  });

  test("a call that waits for an operator is held, and answered once he has said yes", async () => {
    const before = note() ?? "";
    await using client = await open(way, era, ["--wait", "20000"]);
    const held = client.callTool({ name: "fs_write", arguments: NOTE });
    const question = await place.question();
    expect(question.agent).toBe("probe 1.2.3");
    expect(note() ?? "").toBe(before);
    await place.answer(question);
    expect(await held).toMatchObject({ structuredContent: { bytes: 5 } });
    expect(note()).toBe(`${before}once\n`);
  });
});

test("a call that is under way shows signs of life, or what its program wrote last, in every way and era", async () => {
  const clients = await Promise.all(WAYS.map(([way, era]) => open(way, era)));
  place.write("p/log.txt", `first\n\u001b[31m${"last ".repeat(100)}\n\n`);
  const messages = await Promise.all(
    clients.map(async (client) => {
      const [silent, talking] = await Promise.all([
        firstSign(client, { bin: "sleep", argv: ["60"] }),
        firstSign(client, { bin: "tail", argv: ["-f", "log.txt"] }),
      ]);
      await client.close();
      return [silent, talking];
    }),
  );
  const shown = `output: \\u{1b}[31m${"last ".repeat(39)}…`;
  expect(messages).toEqual(WAYS.map(() => ["under way", shown]));
});

/** The first thing that a client hears of a call, which is then cancelled. */
async function firstSign(client: McpClient, args: Record<string, unknown>): Promise<string | undefined> {
  const running = new AbortController();
  const alive = Promise.withResolvers<string | undefined>();
  const onprogress = ({ message }: { message?: string | undefined }) => alive.resolve(message);
  const call = { name: "process_exec", arguments: args };
  const ended = client.callTool(call, { signal: running.signal, onprogress }).catch(() => undefined);
  const message = await alive.promise;
  running.abort();
  await ended;
  return message;
}

test.each(ERAS)("a call that waits too long gets a ticket, and femtoclaw_wait its outcome (%s)", async (era) => {
  const before = note() ?? "";
  // A client that says yes to whatever it is asked is not asked.
  let asked = 0;
  await using client = await place.stdio(era, ["--wait", "50"], { capabilities: { elicitation: { form: {} } } });
  client.setRequestHandler("elicitation/create", () => {
    asked += 1;
    return { action: "accept" as const, content: { approve: true } };
  });
  const pending = await client.callTool({ name: "fs_write", arguments: NOTE });
  expect(pending).toMatchObject({
    structuredContent: {
      status: "pending",
      approval: { id: expect.any(String) },
      next: expect.stringContaining("femtoclaw_wait"),
    },
  });
  const { execution_id } = pending.structuredContent as { execution_id: string };
  expect(text(pending)).toContain(execution_id);
  const wait = () => client.callTool({ name: "femtoclaw_wait", arguments: { execution_id } });
  for (let round = 0; round < 3; round += 1)
    expect(await wait()).toMatchObject({ structuredContent: { status: "pending" } });
  expect([asked, note() ?? ""]).toEqual([0, before]);

  // Somebody else's ticket is none, whether it was guessed or told.
  await using other = await place.stdio(era, ["--wait", "50"]);
  for (const id of [execution_id, "x", "", 7, null]) {
    const forged = await other.callTool({ name: "femtoclaw_wait", arguments: { execution_id: id } });
    expect(forged).toMatchObject({
      isError: true,
      structuredContent: { error: { code: "FEMTO_EXECUTION_NOT_FOUND" } },
    });
  }
  await place.answer();
  // Told twice; a journal may take longer to be read than this client waits.
  for (let told = 0; told < 2; told += 1) await expect.poll(wait).toMatchObject({ structuredContent: { bytes: 5 } });
  expect(note()).toBe(`${before}once\n`);
});

test.each(WAYS)("a client that cancels takes its call back, over %s in the era of %s", async (way, era) => {
  await using client = await open(way, era, ["--wait", "20000"]);
  const asking = new AbortController();
  const asked = client.callTool({ name: "fs_write", arguments: NOTE }, { signal: asking.signal });
  const { execution_id } = await place.question();
  asking.abort();
  await expect(asked).rejects.toThrow();
  const error = async () => (await place.executions()).find((one) => one.execution_id === execution_id)?.error?.code;
  await expect.poll(error).toBe("FEMTO_EXECUTION_HALTED");
  expect(await place.questions()).toEqual([]);

  const sleeping = new AbortController();
  const slept = client.callTool(
    { name: "process_exec", arguments: { bin: "sleep", argv: ["60"] } },
    { signal: sleeping.signal },
  );
  const newest = async () => (await place.executions())[0];
  await expect.poll(newest).toMatchObject({ tool: "process_exec", status: "pending" });
  sleeping.abort();
  await expect(slept).rejects.toThrow();
  await expect.poll(newest).toMatchObject({ error: { code: "FEMTO_CAPABILITY_CANCELLED" } });
});

test("a tool that is switched off is told of, and not listed any more", async () => {
  const told: number[] = [];
  await using client = await place.stdio("2025-11-25", [], {
    listChanged: { tools: { onChanged: () => told.push(1) } },
  });
  await client.listTools();
  await using operator = await place.operator();
  await operator.switchCapability("fs_list", "disable");
  const off = await client.callTool({ name: "fs_list", arguments: { path: "." } });
  expect(off).toMatchObject({ isError: true, structuredContent: { decision: "DENIED_CAPABILITY_DISABLED" } });
  await expect.poll(() => told).toEqual([1]);
  expect((await client.listTools()).tools.map(({ name }) => name)).not.toContain("fs_list");
  await operator.switchCapability("fs_list", "enable");
});

test.each(WAYS.filter(([way, era]) => way === "stdio" || era === "2025-11-25"))(
  "a client that merely leaves takes nothing back, over %s in the era of %s",
  async (way, era) => {
    const before = note() ?? "";
    const client = await open(way, era, ["--wait", "20000"]);
    const left = client.callTool({ name: "fs_write", arguments: NOTE }).catch(() => "left");
    const question = await place.question();
    await client.close();
    expect(await left).toBe("left");
    expect(await place.questions()).toHaveLength(1);
    await place.answer(question);
    await expect.poll(note).toBe(`${before}once\n`);
  },
);
