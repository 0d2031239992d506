/** Hosts that are not there, go away in the middle of a call, come back, and are started by whoever needs one. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { expect, test } from "vitest";
import { CONFIGURATION, ERAS, type McpClient, McpPlace } from "./mcp-place.ts";

const READ = { name: "fs_read", arguments: { path: "notes.txt" } };
const NOTE = { name: "fs_write", arguments: { path: "out/note", content: "once\n", mode: "append" } };
const AWAY = { isError: true, structuredContent: { error: { code: "FEMTO_HOST_NOT_RUNNING" }, record: null } };
const DONE = { structuredContent: { content: "some notes\n" } };

/** What the client's server process has open. */
function openFiles({ transport }: McpClient): string[] {
  const folder = `/proc/${(transport as StdioClientTransport).pid}/fd`;
  return readdirSync(folder).map((descriptor) => {
    try {
      return readlinkSync(join(folder, descriptor));
    } catch {
      // It was closed meanwhile.
      return "";
    }
  });
}

test("without a host each call says so, none is started, and the one that comes is found and told of", async () => {
  await using place = new McpPlace();
  const told: number[] = [];
  const listChanged = { tools: { onChanged: () => told.push(1), autoRefresh: false } };
  await using client = await place.stdio("2025-11-25", [], { listChanged });
  await expect(client.listTools()).rejects.toMatchObject({
    message: expect.stringContaining("femtoclaw up --detach"),
    data: { code: "FEMTO_HOST_NOT_RUNNING" },
  });
  expect(await client.callTool(READ)).toMatchObject(AWAY);
  expect(existsSync(place.state)).toBe(false);
  await place.up();
  expect(await client.callTool(READ)).toMatchObject(DONE);
  await expect.poll(() => told).toEqual([1]);
  expect((await client.listTools()).tools).toHaveLength(5);
});

test("a call that is held outlives kill -9 of the host, and is executed once after the yes", async () => {
  await using place = new McpPlace();
  let host = await place.up();
  await using client = await place.stdio("2025-11-25", ["--wait", "60000"]);
  const held = client.callTool(NOTE);
  await place.question();
  host.kill("SIGKILL");
  await host.ended;
  // What runs when the host dies is not sent again: nobody knows what became of it.
  host = await place.up();
  const slept = client.callTool({ name: "process_exec", arguments: { bin: "sleep", argv: ["60"] } });
  await expect
    .poll(async () => (await place.executions())[0])
    .toMatchObject({ tool: "process_exec", status: "pending" });
  host.kill("SIGKILL");
  await host.ended;
  expect(await slept).toMatchObject(AWAY);
  expect(JSON.stringify(await slept)).toContain("may or may not have been executed");
  await place.up();
  expect(await client.callTool(READ)).toMatchObject(DONE);
  expect((await place.executions()).filter(({ tool }) => tool === "process_exec")).toMatchObject([
    { status: "interrupted" },
  ]);
  await place.answer();
  expect(await held).toMatchObject({ structuredContent: { bytes: 5 } });
  expect(readFileSync(join(place.project, "out/note"), "utf8")).toBe("once\n");
});

test("many clients that need a host at once start one, where the configuration says so", async () => {
  await using place = new McpPlace(`${CONFIGURATION}autostart = true\n`);
  const clients = await Promise.all(ERAS.flatMap((era) => [place.stdio(era), place.stdio(era)]));
  try {
    const answers = await Promise.all(clients.map((client) => client.callTool(READ)));
    expect(answers).toMatchObject(clients.map(() => DONE));
    // Each may have to start hosts as long as it lives.
    expect(clients.flatMap(openFiles).filter((path) => path.endsWith("host.log"))).toEqual([]);
    await using operator = await place.operator();
    expect(await operator.status()).toMatchObject({ boots: 1 });
  } finally {
    // Who started it has no say over it: it outlives its clients.
    for (const client of clients) await client.close();
    expect((await place.run(["down"])).code).toBe(0);
  }
});

test("a host that does not come up is told of with its own fault", async () => {
  await using place = new McpPlace(`${CONFIGURATION}autostart = true\n[observability]\notlp = "http://127.0.0.1:1"\n`);
  await using client = await place.stdio("2025-11-25");
  // Between the start of the client and its first call the policy got a fault.
  place.write("p/policy/bad.cedar", "permit (principal, action, resource)");
  const answer = await client.callTool(READ);
  expect(answer).toMatchObject({ isError: true, structuredContent: { error: { code: "FEMTO_POLICY_INVALID" } } });
});
