/** What an embedder is handed to look at: however it is used, nothing that is in force or folded changes by it. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { replay, type TelemetrySource } from "@femtoclaw/runtime";
import { DEFAULT_SEARCH_PATH } from "@femtoclaw/runtime/configuration";
import { expect, onTestFinished, test } from "vitest";
import { proposed, told } from "./capability-packages/package-place.ts";
import { call, capability, holding, recordsOf, startRuntime, temporaryHome } from "./runtime-fixture.ts";

/** Does it as code without types does; whatever is refused is refused by a `TypeError`. */
function spoil(what: string, change: () => unknown): void {
  try {
    change();
  } catch (error) {
    expect(error, what).toBeInstanceOf(TypeError);
  }
}

/** Every member of an object and of its classes, private ones excepted. */
function membersOf(value: object): string[] {
  const names = new Set<string>();
  for (let at: unknown = value; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Reflect.ownKeys(at as object)) names.add(String(name));
  }
  names.delete("constructor");
  return [...names].sort();
}

/** Changes everything in plain data that can be changed. */
function spoilAll(what: string, value: unknown): void {
  if (value instanceof Map) {
    for (const one of value.values()) spoilAll(what, one);
    spoil(what, () => value.clear());
    return;
  }
  if (Object(value) !== value || typeof value === "function") return;
  for (const [name, member] of Object.entries(value as object)) {
    spoilAll(what, member);
    spoil(what, () => Object.assign(value as object, { [name]: "spoilt" }));
    spoil(what, () => Reflect.deleteProperty(value as object, name));
  }
  spoil(what, () => (value as unknown[]).push?.("spoilt"));
}

test("the fold cannot be moved, nor its state be changed, by who looks at it", async () => {
  const { holds, full } = holding();
  const runtime = await startRuntime({
    capabilities: [capability("echo"), holds],
    configuration: { capabilities: { fs_write: true }, ask: { write: ["workspace"] } },
  });
  await runtime.switchCapability({ name: "echo", enabled: false, by: "uid:0" });
  await using session = runtime.openSession({ channel: "library" });
  const held = session.propose(call("holds"));
  await full.reached;
  await session.propose(call("fs_write", { path: "note", content: "x", mode: "create" }));
  await session.propose(call("nothing"));
  await runtime.checkpoint();
  const { projection } = runtime;
  const before = projection.snapshot();
  for (const forbidden of ["apply", "takeOver", "holders"]) expect(membersOf(projection)).not.toContain(forbidden);
  for (const part of [projection.sessions, projection.terminals, projection.pins]) {
    expect(membersOf(part)).not.toContain("apply");
  }
  const [question] = projection.questions.values();
  const [open] = projection.open.values();
  expect([question?.tool, open?.tool]).toEqual(["fs_write", "holds"]);
  for (const name of ["lifecycle", "memory", "registry", "policy", "observability"] as const) {
    spoilAll(name, projection.machine(name));
  }
  for (const [name, value] of Object.entries({
    host: projection.host,
    counters: projection.counters,
    open: projection.open,
    unresolved: projection.unresolved,
    questions: projection.questions,
    capabilities: projection.capabilities,
    overrides: projection.overrides,
    session: projection.sessions.of(session.id),
    sessions: projection.sessions.state,
    terminals: projection.terminals.open,
    snapshot: projection.snapshot(),
    status: runtime.status(),
  })) {
    spoilAll(name, value);
  }
  expect(projection.snapshot()).toEqual(before);
  expect((await replay(runtime.reader)).projection.snapshot()).toEqual(before);
  full.open();
  expect((await held).status).toBe("completed");
  expect(projection.counters.completed).toBe(1);
  expect(runtime.status().deployment).toMatchObject({ digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
});

test("a runtime hands out what its types say, and no way past the gate or into the log", async () => {
  const sources: TelemetrySource[] = [];
  const telemetry = {
    kind: "otlp",
    start: async (given: TelemetrySource) => {
      sources.push(given);
      return 0;
    },
    wake: () => undefined,
    stop: async () => 0,
  } as const;
  const runtime = await startRuntime({ telemetry });
  const READER = ["size", "read", "readBackwards", "prunedBefore", "readFrom", "readStored", "withValues", "blob"];
  const FOUND = [...READER, "locate", "latestSnapshot", "oldestSnapshot", "snapshotAt", "snapshots"];
  const TREE = [
    "hashes",
    "checkpoints",
    "checkpointAt",
    "latestCheckpoint",
    "checkpointFrom",
    "rotationFrom",
    "rotations",
  ];
  expect(sources.map(({ reader }) => membersOf(reader))).toEqual([FOUND.sort()]);
  expect(membersOf(runtime.reader)).toEqual([...FOUND, ...TREE].sort());
  expect(membersOf(runtime.growth)).toEqual(["until"]);
  expect(membersOf(runtime.secrets)).toEqual(["add", "list", "remove"]);
  expect(membersOf(runtime.terminals)).toEqual(["list", "watch"]);
  expect(membersOf(runtime.outputs)).toEqual(["follow", "watch"]);
  expect(membersOf(runtime.packages)).toEqual(["accept", "list", "reset"]);
  expect(membersOf(runtime.upstreams)).toEqual([
    "accept",
    "capabilities",
    "compared",
    "list",
    "reset",
    "settled",
    "start",
  ]);
  expect((await recordsOf(runtime.reader)).length).toBe(runtime.reader.size);
});

test("a session that was spoilt still ends with its runtime", async () => {
  const runtime = await startRuntime({ capabilities: [capability("echo")] });
  const session = runtime.openSession({ channel: "library" });
  const { propose } = session;
  spoilAll("a session", session);
  await runtime.close();
  await expect(propose(call("echo"))).rejects.toThrow("the session is closed");
});

test("a started runtime is not started again, and a closed one not at all", async () => {
  const home = temporaryHome();
  const runtime = await home.start({ capabilities: [capability("echo")] });
  await runtime.start();
  await using session = runtime.openSession({ channel: "library" });
  expect((await session.propose(call("echo"))).status).toBe("completed");
  await runtime.close();
});

test("the default search path is what it is", () => {
  spoil("the path", () => (DEFAULT_SEARCH_PATH as string[]).unshift("/tmp"));
  expect(DEFAULT_SEARCH_PATH[0]).toBe("/usr/local/bin");
});

test("a tool that no operator accepted stays quarantined, whatever is done to the view of its server", async () => {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { id, method } = request.method === "POST" ? JSON.parse(body) : {};
    const tool = { name: "look", description: "looks", inputSchema: { type: "object" } };
    const results: Readonly<Record<string, object>> = {
      initialize: {
        protocolVersion: "2025-06-18",
        capabilities: { tools: {} },
        serverInfo: { name: "s", version: "1" },
      },
      "tools/list": { tools: [tool] },
      "tools/call": { content: [{ type: "text", text: "looked" }] },
    };
    const result = results[method];
    if (result === undefined) return void response.writeHead(request.method === "POST" ? 202 : 405).end();
    response.setHeader("content-type", "application/json").end(JSON.stringify({ jsonrpc: "2.0", id, result }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  const runtime = await startRuntime({
    configuration: { mcp: { servers: { other: { url, pins: "operator" } } }, allow: { tools: { "other__*": ["*"] } } },
  });
  runtime.upstreams.start();
  await runtime.upstreams.settled();
  const views = runtime.upstreams.list();
  expect(views).toMatchObject([{ server: "other", tools: [{ name: "look", state: "new" }] }]);
  for (const { tools } of views) {
    for (const tool of tools) spoil("a tool", () => Object.assign(tool, { state: "offered", pinned: tool.sha256 }));
  }
  const refused = await proposed(runtime, "other__look");
  expect(refused.error).toMatchObject({
    code: "FEMTO_TOOL_QUARANTINED",
    fix: expect.stringContaining("accept it with `femtoclaw mcp pins accept other`"),
  });
  const [view] = views;
  await runtime.upstreams.accept(
    "other",
    (view?.tools ?? []).map(({ name, sha256 }) => ({ name, sha256: sha256 ?? "" })),
    "uid:0",
  );
  spoilAll("the tools of agents", runtime.tools());
  spoilAll("the views of operators", runtime.upstreams.list());
  expect(runtime.tools()).toMatchObject([{ name: "other__look", input: { type: "object" } }]);
  expect(told(await proposed(runtime, "other__look"))).toContain("completed");
});
