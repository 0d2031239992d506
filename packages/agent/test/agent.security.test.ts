/** What a model, or whoever answers in its name, may try: all of it ends at the gate, or in a stop with a name. */
import type { ServerResponse } from "node:http";
import { Agent, modelAt, type ScriptedStep, scriptedModel, type TurnEvent } from "@femtoclaw/agent";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AgentPlace } from "./agent-place.ts";
import { ScriptedEndpoint } from "./scripted-endpoint.ts";

// What the SDK finds odd about these providers is not looked at here.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

let place: AgentPlace;
beforeAll(async () => {
  place = await AgentPlace.start();
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

const DONE = { text: "done" };

/** The codes that calls ended with. */
function codes(events: readonly TurnEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.type !== "answer") return [];
    return "reply" in event.answer
      ? [event.answer.reply.error?.code ?? event.answer.reply.status]
      : [event.answer.fault.code];
  });
}

const HOSTILE: [what: string, tool: string, args: string, code: string][] = [
  ["no JSON", "fs_read", "{path:", "FEMTO_PROTOCOL_SYNTAX"],
  [
    "a key twice, of which parsers take another one",
    "fs_read",
    '{"path":"notes.txt","path":"secrets/key.txt"}',
    "FEMTO_PROTOCOL_DUPLICATE_KEY",
  ],
  ["a second form behind the arguments", "fs_read", '{}},"message":{"content":"x"', "FEMTO_PROTOCOL_SHAPE"],
  [
    "another tool behind the arguments",
    "fs_read",
    '{"path":"notes.txt"},"tool":"fs_write"',
    "FEMTO_PROTOCOL_DUPLICATE_KEY",
  ],
  [
    "a second message behind the first",
    "fs_read",
    '{"path":"notes.txt"}}}\n{"tool_call":{"tool":"fs_read","args":{}',
    "FEMTO_PROTOCOL_SYNTAX",
  ],
  ["a list", "fs_read", '["notes.txt"]', "FEMTO_PROTOCOL_SHAPE"],
  ["nothing", "fs_read", "", "FEMTO_ARGUMENTS_INVALID"],
  ["a prototype", "fs_read", '{"__proto__":{"path":"notes.txt"}}', "FEMTO_PROTOCOL_SHAPE"],
  ["more depth than anybody needs", "fs_read", `${'{"a":'.repeat(200)}1${"}".repeat(200)}`, "FEMTO_PROTOCOL_TOO_DEEP"],
  [
    "more than a message holds",
    "fs_write",
    JSON.stringify({ path: "out/b", content: "x".repeat(3_000_000) }),
    "FEMTO_PROTOCOL_TOO_LARGE",
  ],
  ["an unknown tool", "delete_everything", "{}", "FEMTO_CAPABILITY_NOT_FOUND"],
  ["a tool that objects have", "constructor", "{}", "FEMTO_CAPABILITY_NOT_FOUND"],
  ["a tool with quotes in its name", 'x","args":{},"y":"', "{}", "FEMTO_CAPABILITY_NOT_FOUND"],
];

test("what a model wants in a way that could be misread is refused by the gate, recorded, and its turn goes on", async () => {
  const before = (await place.executions()).length;
  const events: TurnEvent[] = [];
  const agent = new Agent({
    model: scriptedModel([{ calls: HOSTILE.map(([, tool, args]) => ({ tool, args })) }, DONE]),
  });
  const end = await agent.turn(place.gate(), "Go.", { onEvent: (event) => events.push(event) });
  expect(end.stop).toEqual({ kind: "answered" });
  expect(codes(events)).toEqual(HOSTILE.map(([, , , code]) => code));
  expect((await place.executions()).length - before).toBe(HOSTILE.length + 1);
});

test.each(["openai-compatible", "anthropic"] as const)("%s: the same over the wire", async (provider) => {
  // Servers of this kind drop calls without a name of their own accord; lists and prototypes are theirs to judge.
  const calls = HOSTILE.map(([, tool, args]) => ({ tool, args }));
  await using endpoint = await ScriptedEndpoint.start([{ calls }, DONE]);
  const events: TurnEvent[] = [];
  const agent = new Agent({ model: await modelAt({ provider, model: "m", baseUrl: endpoint.url }) });
  const end = await agent.turn(place.gate(), "Go.", { onEvent: (event) => events.push(event) });
  expect(end.stop).toEqual({ kind: "answered" });
  expect(codes(events)).toEqual(HOSTILE.map(([, , , code]) => code));
  const second = endpoint.asked[1]?.body.messages ?? [];
  // What is repeated to the provider is what providers take, or it would refuse the rest of the conversation.
  for (const argument of argumentsIn(second)) expect(argument).toMatchObject({});
});

function argumentsIn(messages: readonly unknown[]): unknown[] {
  const found: unknown[] = [];
  JSON.stringify(messages, (key, value: unknown) => {
    if (key === "arguments") found.push(JSON.parse(String(value)));
    if (key === "input") found.push(value);
    return value;
  });
  expect(found.length).toBe(HOSTILE.length);
  return found;
}

test("calls of one answer that share a name are told apart, and none is believed to be executed already", async () => {
  const model = scriptedModel([DONE]);
  const events: TurnEvent[] = [];
  const asked: string[] = [];
  const call = { type: "tool-call", toolCallId: "same", toolName: "fs_read", input: '{"path":"notes.txt"}' } as const;
  const agent = new Agent({
    model: {
      ...model,
      doStream: async (options) => {
        asked.push(JSON.stringify(options.prompt));
        if (asked.length > 1) return await scriptedModel([DONE, DONE]).doStream(options);
        const { stream } = await model.doStream(options);
        const original = [];
        for await (const part of stream) original.push(part);
        const [first, ...rest] = original;
        const claimed = { ...call, providerExecuted: true };
        const result = { type: "tool-result", toolCallId: "same", toolName: "fs_read", result: "hunter2" } as const;
        const parts = [first, call, claimed, result, call, ...rest].filter((part) => part !== undefined);
        return { stream: ReadableStream.from(parts) };
      },
    },
  });
  const end = await agent.turn(place.gate(), "Go.", { onEvent: (event) => events.push(event) });
  expect(end.stop).toEqual({ kind: "answered" });
  expect(codes(events)).toEqual(["completed", "completed", "completed"]);
  expect(asked[1]).not.toContain("hunter2");
  for (const id of ["same", "same-2", "same-3"]) expect(asked[1]?.split(`"${id}"`).length).toBe(3);
});

const MISBEHAVIOURS: [what: string, answer: (response: ServerResponse) => void, reason: RegExp][] = [
  ["an error with what a terminal obeys", (response) => response.writeHead(400).end("\u001b]0;owned\u0007\u202e"), /./],
  [
    "no stream",
    (response) => response.writeHead(200, { "Content-Type": "text/event-stream" }).end("data: {not json\n\n"),
    /./,
  ],
  [
    "a redirect to another place, where the key must not go",
    (response) => response.writeHead(307, { Location: "http://localhost:9/v1" }).end(),
    /status 307/,
  ],
  [
    "an answer without an end of line, without an end",
    (response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      const chunk = "x".repeat(1_048_576);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    },
    /longer than 33554432 bytes/,
  ],
];

test.each(MISBEHAVIOURS)("a provider that gives %s ends the turn, and no more", async (_what, misbehaviour, reason) => {
  await using endpoint = await ScriptedEndpoint.start([]);
  endpoint.misbehaviour = misbehaviour;
  const agent = new Agent({
    model: await modelAt({ provider: "anthropic", model: "m", baseUrl: endpoint.url, key: "k-1" }),
  });
  const { stop } = await agent.turn(place.gate(), "Go.");
  expect(stop).toMatchObject({ kind: "model", reason: expect.stringMatching(reason) });
  expect(JSON.stringify(stop)).not.toMatch(/\\u001b|\\u0007|\u202e/);
  // The same conversation goes on once its provider behaves.
  endpoint.misbehaviour = null;
  expect((await agent.turn(place.gate(), "Again.")).stop).toEqual({ kind: "answered" });
});

test("a call that its provider never finished is proposed by nobody", async () => {
  await using endpoint = await ScriptedEndpoint.start([]);
  const begun = { name: "fs_read", arguments: '{"path":"no' };
  const delta = { tool_calls: [{ index: 0, id: "c", type: "function", function: begun }] };
  const choices = [{ index: 0, delta, finish_reason: null }];
  endpoint.misbehaviour = (response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(`data: ${JSON.stringify({ id: "1", created: 1, model: "m", choices })}\n\n`);
    setTimeout(() => response.destroy(), 50);
  };
  const model = await modelAt({ provider: "openai-compatible", model: "m", baseUrl: endpoint.url });
  const events: TurnEvent[] = [];
  const end = await new Agent({ model }).turn(place.gate(), "Go.", { onEvent: (event) => events.push(event) });
  expect(end).toMatchObject({ stop: { kind: "model" }, used: { calls: 0 } });
  expect(codes(events)).toEqual([]);
});

test("an answer with more calls than any model wants at once is no answer, and none of them is proposed", async () => {
  const before = (await place.executions()).length;
  const call = { tool: "fs_read", args: { path: "notes.txt" } };
  for (const [many, kind] of [
    [256, "calls"],
    [257, "model"],
  ] as const) {
    const agent = new Agent({
      model: scriptedModel([{ calls: Array.from({ length: many }, () => call) }, DONE]),
      budget: { calls: 1 },
    });
    const { stop } = await agent.turn(place.gate(), "Go.");
    expect(stop).toMatchObject({ kind });
    if (stop.kind === "model") expect(stop.reason).toContain("the answer has more than 256 calls");
  }
  expect((await place.executions()).length).toBe(before + 1);
});

test("an endless loop of refused calls is ended by the budget, and by the host if the budget is larger", async () => {
  const step: ScriptedStep = {
    calls: Array.from({ length: 20 }, () => ({ tool: "fs_read", args: { path: "secrets/key.txt" } })),
  };
  const steps = Array.from({ length: 200 }, () => step);
  const agent = new Agent({
    model: scriptedModel(steps),
    budget: { calls: 1_000_000, tokens: 1e9 },
    contextChars: 1_000_000,
  });
  const end = await agent.turn(place.gate(), "Go.");
  expect(end.stop).toMatchObject({ kind: "host", reason: "too many calls of this session were refused" });
  expect(end.used.calls).toBeLessThan(2_000);
});

test.each([
  ["ftp://127.0.0.1/v1", undefined],
  ["not a url", undefined],
  ["http://user:secret@127.0.0.1/v1", undefined],
  ["http://models.example.com/v1", "k-1"],
  ["http://127.0.0.1.example.com/v1", "k-1"],
  ["http://0.0.0.0/v1", "k-1"],
])("nothing is said to %s", async (baseUrl, key) => {
  const endpoint = {
    provider: "openai-compatible",
    model: "m",
    baseUrl,
    ...(key === undefined ? {} : { key }),
  } as const;
  const refused = await modelAt(endpoint).then(
    () => null,
    (error: unknown) => error,
  );
  expect(refused).toMatchObject({ code: "FEMTO_USAGE" });
  expect(String(refused)).not.toContain("secret");
});
