/** Both protocols of providers, over real HTTP on this machine, with the same script. */
import { Agent, modelAt, type ProviderName, type TurnEvent } from "@femtoclaw/agent";
import { expect, test } from "vitest";
import { AgentPlace } from "./agent-place.ts";
import { ScriptedEndpoint } from "./scripted-endpoint.ts";

// The name of this model tells the SDK nothing, and it says so.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

const STEPS = [
  {
    text: "I look.",
    calls: [
      { tool: "fs_read", args: { path: "notes.txt" } },
      { tool: "fs_read", args: { path: "secrets/key.txt" } },
    ],
  },
  { text: "Oat milk." },
];

test.each([
  ["openai-compatible", "/v1/chat/completions", "authorization", "Bearer k-1"],
  ["anthropic", "/v1/messages", "x-api-key", "k-1"],
] as [ProviderName, string, string, string][])(
  "%s: calls, results and the key go where they belong",
  async (provider, path, header, key) => {
    await using place = await AgentPlace.start();
    await using endpoint = await ScriptedEndpoint.start(STEPS);
    const agent = new Agent({
      model: await modelAt({ provider, model: "m", baseUrl: `${endpoint.url}/`, key: "k-1" }),
    });
    const events: TurnEvent[] = [];
    const end = await agent.turn(place.gate(), "What is to be bought?", { onEvent: (event) => events.push(event) });
    expect(end).toMatchObject({ stop: { kind: "answered" }, text: "Oat milk.", used: { calls: 2 } });
    const decisions = events.map((event) =>
      event.type === "answer" && "reply" in event.answer ? event.answer.reply.decision : null,
    );
    expect(decisions.filter((decision) => decision !== null)).toEqual(["AUTHORIZED", "DENIED_POLICY_VIOLATION"]);
    expect(endpoint.asked.map((asked) => [asked.path, asked.headers[header]])).toEqual([
      [path, key],
      [path, key],
    ]);
    const [first, second] = endpoint.asked;
    expect(JSON.stringify(first?.body.tools)).toContain("fs_write");
    expect(JSON.stringify(second?.body.messages)).toContain("buy oat milk");
    expect(JSON.stringify(second?.body.messages)).toContain("toml/deny.read/1");
    // Tokens are those that the provider counted.
    expect(end.used.tokens).toBeGreaterThanOrEqual(220);
  },
);
