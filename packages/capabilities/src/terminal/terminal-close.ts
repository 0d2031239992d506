/** `terminal_close`: ends a terminal with everything that runs on it, and discards unread output. */
import type { CapabilityManifest } from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome } from "../capability.ts";
import { hostOutcome } from "../outcome.ts";
import { TERMINAL_ARGUMENT, TERMINAL_ID } from "./terminal-argument.ts";

const manifest: CapabilityManifest = {
  name: "terminal_close",
  version: "1.0.0",
  description:
    "Ends an open terminal with everything that runs on it, and throws away what was not read. The programs are asked to end before they are killed.",
  input: {
    type: "object",
    additionalProperties: false,
    required: ["terminal_id"],
    properties: { terminal_id: TERMINAL_ID },
  },
  output: {
    type: "object",
    additionalProperties: false,
    required: ["exit_code", "signal", "bytes_in", "bytes_out"],
    properties: {
      exit_code: { type: ["integer", "null"], description: "128 + N for a program that signal N ended." },
      signal: { type: ["string", "null"] },
      bytes_in: { type: "integer", minimum: 0, description: "All that was written to it." },
      bytes_out: { type: "integer", minimum: 0, description: "All that its programs wrote." },
    },
  },
  arguments: [TERMINAL_ARGUMENT],
  effect: "execute",
  idempotent: false,
  limits: { timeout_ms: 30_000, output_bytes: 4_096 },
};

export const terminalClose: Capability = { manifest, isolation: "host", execute };

async function execute({ bound, signal, terminals }: CapabilityCall): Promise<CapabilityOutcome> {
  return await hostOutcome(signal, async () => {
    const { id, terminal } = bound.terminal(TERMINAL_ARGUMENT.pointer);
    await terminals.close(id);
    const { exitCode, signal: endedBy } = await terminal.whenEnded;
    return { exit_code: exitCode, signal: endedBy, bytes_in: terminal.bytesIn, bytes_out: terminal.bytesOut };
  });
}
