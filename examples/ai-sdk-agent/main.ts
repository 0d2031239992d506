/**
 * An agent of your own on the ai SDK, whose tools only FemtoClaw executes. The SDK says what the model wants; each call is
 * proposed, and the model is told what became of it. The model is a script here, so that this runs without a key:
 * `modelAt({ provider: "anthropic", model: "…", key })` gives a real one, and any model of the SDK will do.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GateTools, scriptedModel } from "@femtoclaw/agent";
import { createRuntime, resolveConfiguration } from "@femtoclaw/runtime";
import { generateText, type ModelMessage, type ToolModelMessage } from "ai";

const home = mkdtempSync(join(tmpdir(), "femtoclaw-example-"));
mkdirSync(join(home, "workspace", "secrets"), { recursive: true });
writeFileSync(join(home, "workspace", "notes.txt"), "buy oat milk\n");
writeFileSync(join(home, "workspace", "secrets", "key.txt"), "do not show me\n");

const configuration = resolveConfiguration({
  configuration: {
    workspace: "workspace",
    capabilities: { fs_read: true },
    allow: { read: ["workspace"] },
    deny: { read: ["workspace/secrets"] },
    memory: { path: "state" },
  },
  baseDirectory: home,
  environment: process.env,
});

const model = scriptedModel([
  { text: "I look at the notes.", calls: [{ tool: "fs_read", args: { path: "notes.txt" } }] },
  { calls: [{ tool: "fs_read", args: { path: "secrets/key.txt" } }] },
  { text: "Buy oat milk; the key is none of my business." },
]);

/** LIMIT: answers of the model; a loop that is yours needs an end that is yours. `Agent` brings budgets of its own. */
const ANSWERS_MAX = 10;

{
  await using runtime = await createRuntime({ configuration });
  await using session = runtime.openSession({ channel: "library", label: "ai-sdk-agent" });
  // With a running host instead: `AgentClient.connect(runtimeDirectory)` of @femtoclaw/client is a gate as it stands.
  const gate = await GateTools.of({
    tools: () => runtime.tools(),
    propose: (message, options) => session.propose(message, options),
    wait: (execution) => session.wait(execution),
    cancel: (execution) => session.cancel(execution),
  });

  const messages: ModelMessage[] = [{ role: "user", content: "What is to be done today?" }];
  for (let answers = 0; answers < ANSWERS_MAX; answers += 1) {
    const { text, toolCalls, response } = await generateText({ model, tools: gate.tools, messages });
    if (text !== "") console.log(`model: ${text}`);
    if (toolCalls.length === 0) break;
    const told = await gate.answer(toolCalls);
    messages.push(...response.messages.filter(({ role }) => role === "assistant"), told);
    show(told);
  }
}
rmSync(home, { recursive: true });

/** Prints what the model is told of each of its calls. */
function show({ content }: ToolModelMessage): void {
  for (const part of content) {
    if (part.type !== "tool-result" || !("value" in part.output)) continue;
    console.log(`gate: ${part.toolName}`);
    for (const line of String(part.output.value).trim().split("\n")) console.log(`  ${line}`);
  }
}
