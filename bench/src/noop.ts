/** A capability that does nothing and a configuration for it, to measure everything but the effect. */
import type { Capability } from "@femtoclaw/capabilities";
import { type ResolvedConfiguration, resolveConfiguration, type Session } from "@femtoclaw/runtime";
import { noopFolders } from "./noop-folders.ts";

export const noop: Capability = {
  isolation: "in-process",
  trusted: true,
  manifest: {
    name: "noop",
    version: "1.0.0",
    description: "Does nothing.",
    input: {
      type: "object",
      additionalProperties: false,
      required: ["n"],
      properties: { n: { type: "integer" }, text: { type: "string" } },
    },
    output: { type: "object", additionalProperties: false, properties: {} },
    arguments: [],
    effect: "none",
    idempotent: true,
    limits: { timeout_ms: 1_000, output_bytes: 1_024 },
  },
  execute: async () => ({ event: "succeeded", result: {}, sandbox: null }),
};

/** Proposes the call number `n`, which differs from all others. */
export async function proposeNoop(session: Session, n: number): Promise<void> {
  const message = { tool_call: { tool: "noop", args: { n, text: `request number ${n} of this run` } } };
  const { status, error } = await session.propose(message);
  if (status !== "completed") throw new Error(`an execution ended as ${status}: ${error?.code}: ${error?.reason}`);
}

/** A policy of twenty rules, for decisions of a realistic cost. */
export function noopConfiguration(directory: string, capabilities: readonly string[] = []): ResolvedConfiguration {
  return resolveConfiguration({
    configuration: {
      workspace: "workspace",
      capabilities: Object.fromEntries(["noop", ...capabilities].map((name) => [name, true])),
      allow: noopFolders(directory),
      limits: { queue: 4_096 },
      memory: { path: "state" },
    },
    baseDirectory: directory,
    environment: process.env,
  });
}
