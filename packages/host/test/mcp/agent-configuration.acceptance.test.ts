/** What is printed for an agent is run as that agent would run it: with next to no variables, in a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { pathToFileURL } from "node:url";
import toml from "toml";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { CONFIGURATION, Playground } from "../playground.ts";

let place: Playground;
beforeAll(async () => {
  // The sockets lie where the user's own shells have them.
  place = new Playground(CONFIGURATION.replace(/\[host\][\s\S]*$/, ""));
  await place.up();
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

async function printed(kind: string): Promise<string> {
  const { code, stdout, stderr } = await place.run(["mcp", "--print-config", kind]);
  expect([code, stderr.includes("start")]).toEqual([0, true]);
  return stdout;
}

/** All that agents hand on. */
const bare = () => ({ HOME: place.environment["HOME"], PATH: place.environment["PATH"] });

interface Server {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const SERVERS: [kind: string, read: (text: string) => Server][] = [
  ["claude", (text) => (JSON.parse(text) as { mcpServers: { femtoclaw: Server } }).mcpServers.femtoclaw],
  ["codex", (text) => (toml.parse(text) as { mcp_servers: { femtoclaw: Server } }).mcp_servers.femtoclaw],
  [
    "opencode",
    (text) => {
      const { mcp, tools } = JSON.parse(text);
      expect(tools).toMatchObject({ bash: false, write: false, read: false, task: false });
      const [command, ...args] = mcp.femtoclaw.command;
      return { command, args, env: mcp.femtoclaw.environment };
    },
  ],
];

test.each(SERVERS)("what %s is given starts a server that finds the host", async (kind, read) => {
  const { command, args, env } = read(await printed(kind));
  const server = spawn(command, args, { cwd: "/", env: { ...bare(), ...env }, stdio: ["pipe", "pipe", "inherit"] });
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: kind, version: "1" } };
  const call = { name: "fs_read", arguments: { path: "notes.txt" } };
  const lines = [
    { jsonrpc: "2.0", id: 1, method: "initialize", params },
    { jsonrpc: "2.0", id: 2, method: "tools/call", params: call },
  ];
  server.stdin.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  expect(await said(server)).toContain("some notes");
});

async function said(server: ChildProcess): Promise<string> {
  const chunks: Buffer[] = [];
  server.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(server, "close");
  return Buffer.concat(chunks).toString();
}

interface PiTool {
  readonly name: string;
  execute(id: string, params: object, signal?: AbortSignal): Promise<{ content: { text: string }[]; details: object }>;
}

test("the extension for pi offers the tools, with denials as errors", async () => {
  const file = place.write("femtoclaw-pi.mjs", await printed("pi"));
  // What it starts has the environment of this process, and would remember the log in the home of whoever runs the tests.
  vi.stubEnv("HOME", place.environment["HOME"]);
  vi.stubEnv("XDG_STATE_HOME", undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
  const { default: extension } = (await import(pathToFileURL(file).href)) as { default: (pi: object) => Promise<void> };
  const tools = new Map<string, PiTool>();
  let shutdown: () => void = () => undefined;
  await extension({
    registerTool: (tool: PiTool) => void tools.set(tool.name, tool),
    on: (_event: string, listener: () => void) => {
      shutdown = listener;
    },
  });
  expect([...tools.keys()]).toEqual(["femtoclaw_wait", "fs_read", "fs_write", "process_exec"]);
  const read = tools.get("fs_read");
  expect(await read?.execute("1", { path: "notes.txt" })).toMatchObject({ details: { content: "some notes\n" } });
  await expect(read?.execute("2", { path: "secrets/token.txt" })).rejects.toThrow("toml/deny.read/1");
  const sleeping = new AbortController();
  const slept = tools.get("process_exec")?.execute("3", { bin: "sleep", argv: ["60"] }, sleeping.signal);
  await expect.poll(async () => (await place.executions())[0]?.status).toBe("pending");
  sleeping.abort();
  await expect(slept).rejects.toThrow("cancelled");
  shutdown();
});
