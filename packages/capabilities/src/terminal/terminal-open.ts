/** `terminal_open`: starts a program on a terminal of its own inside the sandbox; it goes on after the call. */
import { type CapabilityManifest, FemtoError } from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome } from "../capability.ts";
import { valueAt } from "../facts/arguments.ts";
import { outcomeOf } from "../outcome.ts";
import { decidedCommand, PROGRAM_ARGUMENT, PROGRAM_PROPERTIES } from "../process/program-arguments.ts";
import { Terminal } from "./terminal.ts";
import { COLS, ROWS } from "./terminal-argument.ts";

const DEFAULT_SIZE = { cols: 80, rows: 24 };
/** The terminal type in the program's `TERM`, which most programs know. */
const TERM = "xterm-256color";

const manifest: CapabilityManifest = {
  name: "terminal_open",
  version: "1.0.0",
  description:
    "Starts one program on a terminal of its own inside a sandbox, for programs that talk to a person: shells, editors, debuggers. Returns a terminal_id for terminal_write, terminal_read, terminal_resize and terminal_close. The terminal belongs to this session and ends with it.",
  input: {
    type: "object",
    additionalProperties: false,
    required: ["bin"],
    properties: { ...PROGRAM_PROPERTIES, cols: COLS, rows: ROWS },
  },
  output: {
    type: "object",
    additionalProperties: false,
    required: ["terminal_id", "cols", "rows", "sandbox"],
    properties: {
      terminal_id: { type: "string" },
      cols: { type: "integer" },
      rows: { type: "integer" },
      sandbox: { type: "string" },
    },
  },
  arguments: [PROGRAM_ARGUMENT],
  effect: "execute",
  idempotent: false,
  // LIMIT: milliseconds for the program to start; what it does then is subject to the limits of terminals.
  limits: { timeout_ms: 30_000, output_bytes: 4_096 },
};

export const terminalOpen: Capability = { manifest, isolation: "sandbox", execute };

async function execute(call: CapabilityCall): Promise<CapabilityOutcome> {
  const confinedBy = call.sandbox?.rung.name ?? null;
  return await outcomeOf(call.signal, confinedBy, async () => {
    const { args, bound, signal, sandbox } = call;
    // INVARIANT: no program runs without a sandbox.
    if (sandbox === null)
      throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", "this machine has no sandbox to run programs in");
    const decided = decidedCommand(bound);
    const command = { ...decided, environment: { TERM, ...decided.environment } };
    const size = {
      cols: Number(valueAt(args, "/cols") ?? DEFAULT_SIZE.cols),
      rows: Number(valueAt(args, "/rows") ?? DEFAULT_SIZE.rows),
    };
    const limits = call.limits.child;
    const id = await call.terminals.open({ view: sandbox, command, limits, size, signal }, (request) =>
      Terminal.start(request),
    );
    return { event: "succeeded", result: { terminal_id: id, ...size, sandbox: confinedBy }, sandbox: confinedBy };
  });
}
