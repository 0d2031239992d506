/** `terminal_resize`: changes the size of a terminal, of which its program is told. */
import type { CapabilityManifest } from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome } from "../capability.ts";
import { valueAt } from "../facts/arguments.ts";
import { hostOutcome } from "../outcome.ts";
import { COLS, ROWS, TERMINAL_ARGUMENT, TERMINAL_ID } from "./terminal-argument.ts";

const manifest: CapabilityManifest = {
  name: "terminal_resize",
  version: "1.0.0",
  description: "Gives an open terminal another size and tells its program.",
  input: {
    type: "object",
    additionalProperties: false,
    required: ["terminal_id", "cols", "rows"],
    properties: { terminal_id: TERMINAL_ID, cols: COLS, rows: ROWS },
  },
  output: {
    type: "object",
    additionalProperties: false,
    required: ["cols", "rows"],
    properties: { cols: { type: "integer" }, rows: { type: "integer" } },
  },
  arguments: [TERMINAL_ARGUMENT],
  effect: "execute",
  idempotent: true,
  limits: { timeout_ms: 30_000, output_bytes: 4_096 },
};

export const terminalResize: Capability = { manifest, isolation: "host", execute };

async function execute({ args, bound, signal }: CapabilityCall): Promise<CapabilityOutcome> {
  return await hostOutcome(signal, async () => {
    const size = { cols: Number(valueAt(args, "/cols")), rows: Number(valueAt(args, "/rows")) };
    bound.terminal(TERMINAL_ARGUMENT.pointer).terminal.resize(size);
    return size;
  });
}
