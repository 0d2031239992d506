/** Adds a capability: a manifest that says what it takes and gives, and one function that does it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Capability } from "@femtoclaw/capabilities";
import { createRuntime, resolveConfiguration } from "@femtoclaw/runtime";

const wordCount: Capability = {
  // It runs in this process, so every record of it says so.
  isolation: "in-process",
  manifest: {
    name: "word_count",
    version: "1.0.0",
    description: "Counts the words of a text.",
    input: {
      type: "object",
      additionalProperties: false,
      required: ["text"],
      properties: { text: { type: "string", maxLength: 10_000 } },
    },
    output: {
      type: "object",
      additionalProperties: false,
      required: ["words"],
      properties: { words: { type: "integer" } },
    },
    arguments: [], // none of its arguments names a file, a program or a host
    effect: "none",
    idempotent: true,
    limits: { timeout_ms: 1_000, output_bytes: 1_024 },
  },
  execute: async ({ args }) => {
    const words = String(args["text"]).split(/\s+/).filter(Boolean).length;
    return { event: "succeeded", result: { words }, sandbox: null };
  },
};

const home = mkdtempSync(join(tmpdir(), "femtoclaw-example-"));
const configuration = resolveConfiguration({
  configuration: { capabilities: { word_count: true }, memory: { path: "state" } },
  baseDirectory: home,
  environment: process.env,
});
{
  await using runtime = await createRuntime({ configuration, capabilities: [wordCount], permit: ["word_count"] });
  await using session = runtime.openSession({ channel: "library", label: "custom-capability" });
  const text = "inference proposes and the runtime decides";
  for (const args of [{ text }, { text, language: "en" }]) {
    const { decision, result, error } = await session.propose({ tool_call: { tool: "word_count", args } });
    console.log(`${decision}: ${error?.reason ?? JSON.stringify(result)}`);
  }
}
rmSync(home, { recursive: true });
