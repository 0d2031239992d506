/** Turns of the agent against a real runtime: what its model wants is decided, and its end has a name. */
import { Agent, scriptedModel, type TurnEvent } from "@femtoclaw/agent";
import { FemtoError } from "@femtoclaw/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AgentPlace } from "./agent-place.ts";

let place: AgentPlace;
beforeAll(async () => {
  place = await AgentPlace.start();
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

type Steps = Parameters<typeof scriptedModel>[0];
type Options = Omit<ConstructorParameters<typeof Agent>[0], "model">;

function agentOf(steps: Steps, options: Options = {}): Agent {
  return new Agent({ model: scriptedModel(steps), ...options });
}

const write = (folder: string) => ({
  tool: "fs_write",
  args: { path: `${folder}/a`, content: "x", mode: "overwrite" },
});
const read = (path: string) => ({ tool: "fs_read", args: { path } });

/** What the model was told, as far as answers have texts. */
function told(events: readonly TurnEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.type !== "answer") return [];
    const { answer } = event;
    return "reply" in answer ? [answer.reply.error?.code ?? answer.reply.status] : [answer.fault.code];
  });
}

test("a turn goes on until its model wants nothing more, and all of it is in the journal", async () => {
  const events: TurnEvent[] = [];
  const agent = agentOf([
    { text: "I look at the notes.", calls: [read("notes.txt"), read("secrets/key.txt")] },
    { calls: [{ tool: "fs_delete", args: { path: "notes.txt" } }, write("out")] },
    { text: "Milk is to be bought." },
  ]);
  const end = await agent.turn(place.gate(), "What do the notes say?", { onEvent: (event) => events.push(event) });
  expect(end).toMatchObject({ stop: { kind: "answered" }, used: { calls: 4 }, text: "Milk is to be bought." });
  expect(end.used.tokens).toBeGreaterThan(100);
  expect(told(events)).toEqual(["completed", "FEMTO_POLICY_FORBIDDEN", "FEMTO_CAPABILITY_DISABLED", "completed"]);
  const spoken = events.map((event) => (event.type === "text" ? event.text : "")).join("");
  expect(spoken).toBe("I look at the notes.Milk is to be bought.");
  const recorded = (await place.executions()).map(({ tool, status }) => [tool, status]).toReversed();
  expect(recorded).toEqual([
    [null, "completed"],
    ["fs_read", "completed"],
    ["fs_read", "denied"],
    ["fs_delete", "denied"],
    ["fs_write", "completed"],
    [null, "completed"],
  ]);
});

/** An agent whose model also writes down what it is asked. */
function heardAgent(steps: Steps, asked: string[], options: Options = {}): Agent {
  const model = scriptedModel(steps);
  const doStream: typeof model.doStream = async (question) => {
    asked.push(JSON.stringify(question.prompt));
    return await model.doStream(question);
  };
  return new Agent({ model: { ...model, doStream }, ...options });
}

test("the model is told results, and of refusals why and what to do instead", async () => {
  const asked: string[] = [];
  const steps = [{ calls: [read("notes.txt"), read("secrets/key.txt")] }, { text: "done" }];
  const agent = heardAgent(steps, asked);
  await agent.turn(place.gate(), "Go on.");
  expect(asked).toHaveLength(2);
  expect(asked[1]).toContain("buy oat milk");
  expect(asked[1]).toContain("DENIED_POLICY_VIOLATION");
  expect(asked[1]).toContain("rules: toml/deny.read/1");
  expect(asked[1]).toContain("what to do: ");
  expect(asked[1]).not.toContain("hunter2");
});

test.each([
  ["granted", "completed"],
  ["refused", "FEMTO_APPROVAL_REFUSED"],
] as const)("a call that waits for an operator goes on in the same turn once it is %s", async (answer, outcome) => {
  const events: TurnEvent[] = [];
  const turn = agentOf([{ calls: [write("asked")] }, { text: "done" }]).turn(place.gate(), "Write it.", {
    onEvent: (event) => events.push(event),
  });
  await expect.poll(async () => (await place.questions()).length).toBe(1);
  expect(events.at(-1)).toMatchObject({ type: "asked", reply: { status: "pending" } });
  await place.answer(answer);
  expect((await turn).stop).toEqual({ kind: "answered" });
  expect(told(events)).toEqual([outcome]);
});

test("a question that nobody answers within the limit is taken back, and nothing happens later", async () => {
  const events: TurnEvent[] = [];
  const asked: string[] = [];
  const agent = heardAgent([{ calls: [write("asked")] }, { text: "Nobody was there." }], asked, { waitMs: 20 });
  const end = await agent.turn(place.gate(), "Write it.", { onEvent: (event) => events.push(event) });
  expect(end.stop).toEqual({ kind: "answered" });
  expect(told(events)).toEqual(["FEMTO_EXECUTION_HALTED"]);
  expect(events).toContainEqual(expect.objectContaining({ answer: expect.objectContaining({ unanswered: true }) }));
  // It learns why, and not that it should send the call again.
  expect(asked.at(-1)).toContain("no operator answered in time, so the call was withdrawn");
  expect(asked.at(-1)).not.toContain("if it is still wanted");
  expect(await place.questions()).toEqual([]);
});

test("a turn that is cancelled takes its question back, and the conversation goes on from there", async () => {
  const cancelling = new AbortController();
  const agent = agentOf([{ calls: [write("asked"), read("notes.txt")] }, { text: "As you wish." }]);
  const turn = agent.turn(place.gate(), "Write it.", { signal: cancelling.signal });
  await expect.poll(async () => (await place.questions()).length).toBe(1);
  cancelling.abort();
  expect(await turn).toMatchObject({ stop: { kind: "cancelled" }, used: { calls: 1 } });
  expect(await place.questions()).toEqual([]);
  expect(await agent.turn(place.gate(), "Leave it.")).toMatchObject({
    stop: { kind: "answered" },
    text: "As you wish.",
  });
});

test("a turn ends by its name: calls, tokens, time, cancelled, context", async () => {
  const forever = Array.from({ length: 100 }, () => ({ calls: [read("notes.txt"), read("notes.txt")] }));
  const gate = place.gate();
  const calls = await agentOf(forever, { budget: { calls: 3 } }).turn(gate, "Read.");
  expect(calls).toMatchObject({ stop: { kind: "calls" }, used: { calls: 3 } });
  const tokens = await agentOf(forever, { budget: { tokens: 3_000 } }).turn(gate, "Read.");
  expect(tokens).toMatchObject({ stop: { kind: "tokens" } });
  const slow = [{ text: "late", after_ms: 600_000 }];
  expect(await agentOf(slow, { budget: { ms: 20 } }).turn(gate, "Say it.")).toMatchObject({ stop: { kind: "time" } });
  const cancelled = await agentOf(slow).turn(gate, "Say it.", { signal: AbortSignal.timeout(20) });
  expect(cancelled).toMatchObject({ stop: { kind: "cancelled" } });
  const context = await agentOf([], { contextChars: 1_000 }).turn(gate, "x".repeat(1_001));
  expect(context).toMatchObject({ stop: { kind: "context" }, used: { calls: 0 } });
});

test("a host that goes away, or takes nothing more, ends the turn with its reason", async () => {
  const away = new FemtoError("FEMTO_HOST_NOT_RUNNING", "the connection was lost");
  const agent = agentOf([{ calls: [read("notes.txt"), read("notes.txt")] }]);
  let proposed = 0;
  const lost = place.gate({
    propose: () => {
      proposed += 1;
      return Promise.reject(away);
    },
  });
  expect((await agent.turn(lost, "Read.")).stop).toMatchObject({ kind: "host", reason: "the connection was lost" });
  expect(proposed).toBe(1);
  const unlisted = place.gate({ tools: () => Promise.reject(away) });
  expect((await agent.turn(unlisted, "Read.")).stop).toMatchObject({ kind: "host" });
});

test("what was said to an agent stays within its limit, by leaving out whole turns and then old results", async () => {
  const asked: string[] = [];
  const model = scriptedModel([]);
  const long = "y".repeat(2_000);
  const agent = new Agent({
    contextChars: 12_000,
    model: {
      ...model,
      doStream: (options) => {
        const text = JSON.stringify(options.prompt);
        asked.push(text);
        const reads = { calls: [read("long.txt")] };
        const again = options.prompt.at(-1)?.role === "tool" ? options.prompt.length < 20 : text.includes("often");
        return scriptedModel(Array.from({ length: 99 }, () => (again ? reads : { text: long }))).doStream(options);
      },
    },
  });
  for (let number = 0; number < 12; number += 1) await agent.turn(place.gate(), `Turn ${number}.`);
  expect(Math.max(...asked.map((text) => text.length))).toBeLessThan(14_000);
  expect(asked.at(-1)).toContain("turns of this conversation do not fit any more");
  expect(asked.at(-1)).not.toContain("Turn 1.");
  expect(asked.at(-1)).toContain("Turn 11.");
  asked.length = 0;
  expect((await agent.turn(place.gate(), "Read it often.")).stop).toEqual({ kind: "answered" });
  expect(asked.at(-1)).toContain("this result is left out");
  // Each call has its result in every question, or providers would refuse it.
  for (const text of asked) {
    expect(text.split('"type":"tool-result"').length).toBe(text.split('"type":"tool-call"').length);
  }
});

test.each(["asking", "text", "call", "answer"] as const)(
  "who fails to hear of %s is told so, and not that the model failed",
  async (type) => {
    const agent = agentOf([{ text: "I look.", calls: [read("notes.txt")] }, { text: "done" }]);
    const onEvent = (event: TurnEvent): void => {
      if (event.type === type) throw new Error("the screen is gone");
    };
    await expect(agent.turn(place.gate(), "Read it.", { onEvent })).rejects.toThrow("the screen is gone");
  },
);
