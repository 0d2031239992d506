/** What MCP servers of others say beside their answers: it reaches whom it is about, as what they say, and nobody else. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentClient } from "@femtoclaw/client";
import type { AskKind, LogLevel, OutputPart, Reply, UpstreamNotice, WatchedChanges } from "@femtoclaw/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveFixture } from "../conformance/conformance-fixture.ts";
import { ERAS, type HttpPlace, httpClient, type McpClient } from "../mcp-place.ts";
import { GatewayPlace } from "./gateway-place.ts";

let place: GatewayPlace;
let fixture: Awaited<ReturnType<typeof serveFixture>>;
let http: HttpPlace;
/** Two sessions: the second one is there for what must not reach it. */
let agent: AgentClient;
let other: AgentClient;

beforeAll(async () => {
  fixture = await serveFixture();
  place = new GatewayPlace(
    `[mcp.servers.relay]
command = ["node", "relay.mjs"]
may_ask = ["elicitation"]
[mcp.servers.fixture]
url = "${fixture.url}"
[mcp.servers.asking]
url = "${fixture.url}"
may_ask = ["elicitation", "sampling", "roots"]
tools = [${["elicitation", "multi_round", "multiple_inputs", "request_state"].map((one) => `"test_input_required_result_${one}"`)}]`,
    `[allow.tools]
relay__speak = ["*"]
relay__mcp_prompt_get = [{ with = { name = ["ask"] } }]
relay__mcp_resource_read = ["*"]
"fixture__*" = ["*"]
"asking__*" = ["*"]
[deny.tools]
relay__mcp_resource_read = [{ with = { uri = ["docs://secret/*"] } }]`,
  );
  copyFileSync(join(import.meta.dirname, "relay-server.mjs"), join(place.project, "relay.mjs"));
  await place.up();
  http = await place.http();
  [agent, other] = [await place.agent(), await place.agent()];
});
afterAll(async () => {
  await Promise.all([agent.close(), other.close()]);
  await place[Symbol.asyncDispose]();
  await fixture[Symbol.asyncDispose]();
});

interface Told {
  readonly reply: Reply;
  readonly notices: UpstreamNotice[];
}

async function told(client: AgentClient, tool: string, args: object, logLevel?: LogLevel): Promise<Told> {
  const notices: UpstreamNotice[] = [];
  const onOutput = ({ notice }: OutputPart): void => void (notice === undefined || notices.push(notice));
  const message = Buffer.from(JSON.stringify({ tool_call: { tool, args } }));
  const reply = await client.propose(message, { onOutput, ...(logLevel === undefined ? {} : { logLevel }) });
  return { reply, notices };
}

const speak = (client: AgentClient, what: string, logLevel?: LogLevel, ms = 100): Promise<Told> =>
  told(client, "relay__speak", { what, ms }, logLevel);
const read = async (args: object, client = agent): Promise<string> => {
  const { reply } = await told(client, "relay__mcp_resource_read", args);
  return reply.error?.code ?? reply.status;
};
const changesOf = async (client: AgentClient, from: number): Promise<WatchedChanges> => await client.changes(from, 0);

async function bodyOf(type: string, found: (body: Record<string, unknown>) => boolean): Promise<unknown> {
  await using operator = await place.operator();
  for (let from = 0; ; ) {
    const { records } = await operator.records(from);
    if (records.length === 0) return undefined;
    from += records.length;
    const one = records.find(
      (record) => record.type === type && found(record.body as unknown as Record<string, unknown>),
    );
    if (one !== undefined) return one.body;
  }
}

test("what a server says is plain, cut, without secrets, and said to be its own", async () => {
  const { reply, notices } = await speak(agent, "progress");
  expect(notices).toEqual([
    { kind: "progress", server: "relay", progress: 0, total: 100, message: null },
    expect.objectContaining({
      progress: 50,
      message: expect.stringMatching(/^\\u\{202e\}done\\u\{7\}\\u\{a\}\[MCP server bank/),
    }),
    expect.objectContaining({ progress: 20, message: `${"x".repeat(200)}…` }),
  ]);
  const { reply: logged, notices: lines } = await speak(agent, "log", "info");
  expect(lines.map((line) => line.kind === "log" && [line.level, line.logger])).toEqual([
    ["info", "audit\\u{7}"],
    ["error", null],
  ]);
  const text = JSON.stringify(lines);
  expect(text).toContain("[redacted:github-token]");
  expect(text.length).toBeLessThan(6_000);
  expect((await speak(agent, "log")).notices).toEqual([]);
  await using operator = await place.operator();
  const relayedOf = async ({ execution_id }: Reply): Promise<unknown> => {
    const { records } = await operator.execution(execution_id);
    const [outcome] = records.filter((record) => record.type === "execution.outcome");
    return outcome?.body.relayed;
  };
  expect(await relayedOf(reply)).toEqual({ progress: 3, messages: 0, dropped: 0, said: [] });
  expect(await relayedOf(logged)).toMatchObject({ messages: 2, said: [{ level: "info" }, { level: "error" }] });
});

test("a line of a log that belongs to no call goes to nobody once several sessions were served", async () => {
  const held = await holding();
  const [own, theirs] = await Promise.all([speak(agent, "log", "debug"), speak(other, "others", "debug")]);
  await held();
  expect([own.notices, theirs.notices].flat().filter(({ kind }) => kind === "log")).toEqual([]);
  // What names the call of another one is that call's, and reaches no other; what names none reaches nobody.
  expect(theirs.notices).toEqual([]);
  expect((await speak(agent, "log", "debug")).notices).toEqual([]);
  const [late] = [await speak(agent, "progress")];
  expect(JSON.stringify(late.notices)).not.toContain("too late");
});

test("a flood is told up to a limit and counted beyond it, and others go on", async () => {
  const [{ reply, notices }, { notices: theirs }] = await Promise.all([
    speak(agent, "flood"),
    speak(other, "progress"),
  ]);
  expect(reply.status).toBe("completed");
  expect(notices.length).toBeGreaterThan(100);
  expect(notices.length).toBeLessThan(300);
  expect(theirs).toHaveLength(3);
  const { relayed } = (await bodyOf("execution.outcome", (body) => Number(Object(body["relayed"]).dropped) > 0)) as {
    relayed: { progress: number; dropped: number };
  };
  expect(relayed.progress + relayed.dropped).toBe(300);
});

test("completions are decided like getting what is completed, and are plain and few", async () => {
  const complete = { argument: "who", value: "a" };
  const { reply } = await told(agent, "relay__mcp_prompt_get", { name: "ask", complete, arguments: { a: "b" } });
  const { values } = Object(reply.result?.["structured_content"]) as { values: string[] };
  expect(values).toHaveLength(100);
  expect(values[0]).toMatch(/^\\u\{202e\}done\\u\{7\}/);
  expect(JSON.parse(values[1] ?? "")).toMatchObject({
    ref: { type: "ref/prompt", name: "ask" },
    argument: { name: "who", value: "a" },
    context: { arguments: { a: "b" } },
  });
  const code = async (tool: string, args: object): Promise<string> => {
    const { reply: one } = await told(agent, tool, args);
    return one.error?.code ?? one.status;
  };
  expect(await code("relay__mcp_prompt_get", { name: "hidden", complete })).toBe("FEMTO_POLICY_NO_PERMIT");
  expect(await code("relay__mcp_prompt_get", { name: "none", complete })).toBe("FEMTO_ARGUMENTS_INVALID");
  expect(await code("relay__mcp_resource_read", { uri: "docs://page/{n}", complete })).toBe("completed");
  expect(await code("relay__mcp_resource_read", { uri: "docs://page/1", complete })).toBe("FEMTO_ARGUMENTS_INVALID");
  expect(await code("relay__mcp_prompt_get", { name: "ask", complete: { ...complete, value: "x".repeat(600) } })).toBe(
    "FEMTO_ARGUMENTS_INVALID",
  );
});

test("subscriptions are decided like reading, have a limit, and are their session's alone", async () => {
  const { next } = await agent.changes(null, 0);
  const { next: theirs } = await other.changes(null, 0);
  for (let page = 0; page < 32; page += 1) {
    expect(await read({ uri: `docs://page/${page}`, subscribe: true })).toBe("completed");
  }
  expect(await read({ uri: "docs://page/32", subscribe: true })).toBe("FEMTO_SUBSCRIPTION_LIMIT");
  expect(await read({ uri: "docs://page/0", subscribe: true })).toBe("completed");
  expect(await read({ uri: "docs://secret/a", subscribe: true })).toBe("FEMTO_POLICY_FORBIDDEN");
  expect(await read({ uri: "docs://page/refused", subscribe: true }, other)).toBe("FEMTO_UPSTREAM_FAILED");
  await speak(other, "updated");
  const told = await changesOf(agent, next);
  expect(told.updated.map(({ uri }) => uri).sort()).toEqual(
    Array.from({ length: 32 }, (_, page) => `docs://page/${page}`).sort(),
  );
  expect(await changesOf(other, theirs)).toMatchObject({ updated: [], ended: [] });
  // Nobody ends what is another's; who ends its own is told no more of it.
  expect(await other.unsubscribe("relay", "docs://page/0")).toBe(false);
  expect(await agent.unsubscribe("relay", "docs://page/0")).toBe(true);
  await speak(other, "updated");
  const later = await changesOf(agent, told.next);
  expect(later.updated).toHaveLength(31);
  expect(later.updated.map(({ uri }) => uri)).not.toContain("docs://page/0");
});

test("a lease ends with what permitted it, and nothing is told after that", async () => {
  const { next } = await agent.changes(null, 0);
  await using operator = await place.operator();
  await operator.switchCapability("mcp_relay", "disable");
  await operator.switchCapability("mcp_relay", "enable");
  const { ended, next: after } = await changesOf(agent, next);
  expect(ended).toHaveLength(31);
  expect(ended[0]?.reason).toBe("its capability was disabled");
  await speak(other, "updated");
  expect(await changesOf(agent, after)).toMatchObject({ updated: [], ended: [] });
  // With its session.
  const leaving = await place.agent();
  expect(await read({ uri: "docs://page/1", subscribe: true }, leaving)).toBe("completed");
  await leaving.close();
  await expect
    .poll(() => bodyOf("subscription.ended", ({ why }) => why === "session"))
    .toMatchObject({
      server: "relay",
      uri: "docs://page/1",
      updates: 0,
    });
});

test("a server that dies in the middle takes its calls and leases with it, and nobody else", async () => {
  expect(await read({ uri: "docs://page/1", subscribe: true })).toBe("completed");
  const { next } = await agent.changes(null, 0);
  const { reply, notices } = await speak(other, "die");
  expect(reply.error?.code).toBe("FEMTO_UPSTREAM_FAILED");
  expect(notices).toMatchObject([{ message: "last words" }]);
  await expect.poll(async () => (await changesOf(agent, next)).ended).toMatchObject([{ uri: "docs://page/1" }]);
  expect(await bodyOf("subscription.ended", ({ why }) => why === "server")).toMatchObject({ uri: "docs://page/1" });
  // It is started anew, and nobody is subscribed to anything there.
  expect(JSON.stringify((await speak(agent, "none")).reply.result)).toContain('\\"subscribed\\":[]');
});

test.each(ERAS)("an MCP client of %s hears progress, logs, changes and completions of its own", async (era) => {
  await using client: McpClient = await httpClient(era, http);
  const [changed, lines]: [string[], unknown[]] = [[], []];
  client.setNotificationHandler("notifications/resources/updated", async ({ params }) => void changed.push(params.uri));
  client.setNotificationHandler("notifications/message", async ({ params }) => void lines.push(params));
  const uri = "test://watched-resource";
  const isModern = era === "2026-07-28";
  const subscription = isModern ? await client.listen({ resourceSubscriptions: [uri, "test://none"] }) : null;
  if (subscription === null) await client.subscribeResource({ uri });
  else expect(subscription.honoredFilter.resourceSubscriptions).toEqual([uri]);
  await expect
    .poll(() => {
      fixture.changed(uri);
      return changed.length;
    })
    .toBeGreaterThan(0);
  const told: { progress: number; message?: string | undefined }[] = [];
  await client.callTool(
    { name: "fixture__test_tool_with_progress", arguments: {} },
    { onprogress: (one) => told.push(one) },
  );
  expect(told.map(({ progress, message }) => [progress, message])).toEqual(
    [0, 50, 100].map((value) => [value, "[MCP server fixture]"]),
  );
  const level = "info";
  if (!isModern) await client.setLoggingLevel(level);
  const meta = isModern ? { _meta: { "io.modelcontextprotocol/logLevel": level } } : {};
  await client.callTool({ name: "fixture__test_tool_with_logging", arguments: {}, ...meta });
  expect(lines).toMatchObject(
    [0, 1, 2].map((step) => ({ logger: "MCP server fixture", data: `Tool execution, step ${step}` })),
  );
  const { completion } = await client.complete({
    ref: { type: "ref/prompt", name: "fixture__test_prompt_with_arguments" },
    argument: { name: "arg1", value: "park" },
  });
  expect(completion.values).toEqual(["parking"]);
  if (subscription === null) await client.unsubscribeResource({ uri });
  else await subscription.close();
  await expect
    .poll(() => bodyOf("subscription.ended", ({ server, why }) => server === "fixture" && why === "closed"))
    .toBeDefined();
});

/** A call whose questions are heard as they come. */
function asking(client: AgentClient, what: string, canAnswer: readonly AskKind[] = ["elicitation"]) {
  const questions: (UpstreamNotice & { readonly kind: "question" })[] = [];
  const onOutput = ({ notice }: OutputPart): void => void (notice?.kind === "question" && questions.push(notice));
  const message = Buffer.from(JSON.stringify({ tool_call: { tool: "relay__speak", args: { what, ms: 200 } } }));
  return { questions, reply: client.propose(message, { onOutput, canAnswer }) };
}

test("what a server may ask is asked of its caller, as the server's word, and answered once by that caller", async () => {
  const { questions, reply } = asking(agent, "ask");
  await expect.poll(() => questions).toHaveLength(1);
  const [heard] = questions;
  const question = heard?.question ?? "";
  const [name = "", asked] = Object.entries(heard?.questions ?? {})[0] ?? [];
  expect(asked?.params["message"]).toMatch(
    /^\[The MCP server relay asks, not FemtoClaw\] \\u\{202e\}done\\u\{7\}\\u\{a\}\[MCP server bank/,
  );
  const yes = { [name]: { action: "accept", content: { name: "Ada" }, more: "dropped" } };
  await expect(other.answer(question, yes)).rejects.toThrow("no question");
  for (const wrong of [{}, { [name]: { action: "allow" } }, { [name]: { action: "accept", content: [1] } }]) {
    await expect(agent.answer(question, wrong)).rejects.toThrow("no proper answer");
  }
  await agent.answer(question, yes);
  expect(JSON.stringify((await reply).result)).toContain(
    JSON.stringify(JSON.stringify({ action: "accept", content: { name: "Ada" } })).slice(1, -1),
  );
  await expect(agent.answer(question, yes)).rejects.toThrow("no question");
  expect(await bodyOf("upstream.answered", ({ server }) => server === "relay")).toMatchObject({
    by: "client",
    answers: [{ kind: "elicitation", answer: '{"action":"accept","content":{"name":"Ada"}}' }],
  });
});

/** A call of the other session that is at the server, until it is told to end. */
async function holding(): Promise<() => Promise<void>> {
  const isThere = Promise.withResolvers<void>();
  const message = Buffer.from(JSON.stringify({ tool_call: { tool: "relay__speak", args: { what: "hold" } } }));
  const reply = other.propose(message, { onOutput: () => isThere.resolve() });
  await isThere.promise;
  return async () => {
    await speak(agent, "release");
    expect((await reply).status).toBe("completed");
  };
}

test("what a server may not ask, asks badly, too often, or of nobody in particular, is asked of nobody", async () => {
  const refused = asking(agent, "refused");
  const said = JSON.stringify((await refused.reply).result);
  expect(refused.questions).toEqual([]);
  for (const id of ["r1", "r2", "r3", "r4", "r5"]) expect(said).toContain(`\\"${id}\\":-32601`);
  // Its client can be asked nothing.
  expect(JSON.stringify((await asking(agent, "ask", []).reply).result)).toContain("-32601");
  // Two calls are under way: nobody knows which of them it means.
  const held = await holding();
  const second = asking(agent, "ask");
  expect(JSON.stringify((await second.reply).result)).toContain("-32601");
  expect(second.questions).toEqual([]);
  await held();
  const often = asking(agent, "often");
  expect((await often.reply).status).toBe("completed");
  expect(often.questions).toHaveLength(8);
  // The call is over, and with it what was asked in it.
  await expect(agent.answer(often.questions[0]?.question ?? "", {})).rejects.toThrow("no question");
});

test.each(ERAS)("a client of %s is asked by name, and one that cannot be asked is not", async (era) => {
  await using client = await httpClient(era, http, { capabilities: { elicitation: {}, sampling: {}, roots: {} } });
  const asked: string[] = [];
  client.setRequestHandler("elicitation/create", async ({ params }) => {
    asked.push(params.message);
    return { action: "accept", content: { name: "Ada", color: "blue" } };
  });
  client.setRequestHandler("sampling/createMessage", async ({ params }) => {
    asked.push(params.systemPrompt ?? "");
    return { role: "assistant", content: { type: "text", text: "bonjour" }, model: "m" };
  });
  client.setRequestHandler("roots/list", async () => ({ roots: [{ uri: "file:///here" }] }));
  const round = await client.callTool({ name: "asking__test_input_required_result_multi_round", arguments: {} });
  expect(JSON.stringify(round.content)).toContain("blue");
  const three = await client.callTool({ name: "asking__test_input_required_result_multiple_inputs", arguments: {} });
  expect(JSON.stringify(three.content)).toMatch(/Ada.*bonjour.*file:/);
  expect(asked).toHaveLength(4);
  for (const words of asked) expect(words).toMatch(/^\[The MCP server asking asks, not FemtoClaw\]/);
  // The operator lets this one ask nothing; and of a client that can answer nothing nothing is asked.
  const name = "test_input_required_result_elicitation";
  const denied = await client.callTool({ name: `fixture__${name}`, arguments: {} });
  expect(JSON.stringify(denied)).toContain("FEMTO_UPSTREAM_ASKS");
  await using mute = await httpClient(era, http);
  const called = mute.callTool({ name: `asking__${name}`, arguments: {} });
  if (era === "2026-07-28") await expect(called).rejects.toMatchObject({ code: -32_021 });
  else expect(JSON.stringify(await called)).toContain("FEMTO_UPSTREAM_ASKS");
  expect(asked).toHaveLength(4);
});

test("a state goes on with its own call, once, and with nothing else", async () => {
  const post = async (params: object): Promise<{ result?: Record<string, unknown>; error?: { code: number } }> => {
    const meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": { elicitation: {} },
    };
    const { name } = params as { name: string };
    const response = await fetch(http.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": name,
        authorization: `Bearer ${http.token}`,
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { ...params, _meta: meta } }),
    });
    const text = await response.text();
    return JSON.parse(text.startsWith("{") ? text : (/^data: (\{.*)$/m.exec(text)?.[1] ?? "{}"));
  };
  const call = { name: "asking__test_input_required_result_elicitation", arguments: {} };
  const begun = await post(call);
  expect(begun.result).toMatchObject({ resultType: "input_required" });
  const requestState = String(begun.result?.["requestState"]);
  const answered = { inputResponses: { user_name: { action: "accept", content: { name: "Ada" } } } };
  for (const other of [
    { ...call, ...answered, requestState: `${requestState}x` },
    { ...call, ...answered, requestState, arguments: { a: 1 } },
    { name: "asking__test_input_required_result_request_state", arguments: {}, ...answered, requestState },
  ]) {
    expect((await post(other)).error?.code).toBe(-32_602);
  }
  expect((await post({ ...call, ...answered, requestState })).result).toMatchObject({ resultType: "complete" });
  expect((await post({ ...call, ...answered, requestState })).error?.code).toBe(-32_602);
});

test("the journal holds, and its text tells no secret", async () => {
  await place.down();
  expect((await place.json<{ verdict: string }>(["audit", "verify"])).value.verdict).toBe("verified");
});
