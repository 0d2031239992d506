/** `terminal_write`: types text on a terminal. */
import { type CapabilityManifest, LIMITS } from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome } from "../capability.ts";
import { contentAt } from "../facts/arguments.ts";
import { hostOutcome } from "../outcome.ts";
import { TERMINAL_ARGUMENT, TERMINAL_ID } from "./terminal-argument.ts";

const manifest: CapabilityManifest = {
  name: "terminal_write",
  version: "1.0.0",
  description:
    "Types text into an open terminal. A line ends with a carriage return; ^C is the character U+0003. What was written is not recorded unless the operator wants it.",
  input: {
    type: "object",
    additionalProperties: false,
    required: ["terminal_id", "data"],
    properties: {
      terminal_id: TERMINAL_ID,
      data: {
        type: "string",
        minLength: 1,
        maxLength: LIMITS.terminalInputBytes,
        description: "The characters, control characters among them.",
        // People type passwords, which nothing tells from other input.
        "x-secret": true,
      },
    },
  },
  output: {
    type: "object",
    additionalProperties: false,
    required: ["bytes"],
    properties: { bytes: { type: "integer", minimum: 0, description: "Bytes that were taken: all or none." } },
  },
  arguments: [TERMINAL_ARGUMENT],
  effect: "execute",
  idempotent: false,
  limits: { timeout_ms: 30_000, output_bytes: 4_096 },
};

export const terminalWrite: Capability = { manifest, isolation: "host", execute };

async function execute({ args, bound, signal }: CapabilityCall): Promise<CapabilityOutcome> {
  return await hostOutcome(signal, async () => {
    const { terminal } = bound.terminal(TERMINAL_ARGUMENT.pointer);
    return { bytes: terminal.write(contentAt(args, "/data")) };
  });
}
