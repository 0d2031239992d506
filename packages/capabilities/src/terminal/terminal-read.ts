/** `terminal_read`: returns what a terminal has shown since the last read. */
import { type CapabilityManifest, LIMITS } from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome } from "../capability.ts";
import { valueAt } from "../facts/arguments.ts";
import { hostOutcome } from "../outcome.ts";
import { TERMINAL_ARGUMENT, TERMINAL_ID } from "./terminal-argument.ts";

/** Bytes of one answer if the call names no number; a screen drawn anew has fewer. */
const DEFAULT_BYTES = 65_536;

const manifest: CapabilityManifest = {
  name: "terminal_read",
  version: "1.0.0",
  description:
    "Returns what an open terminal has shown since the last read: text with the escape sequences of the screen. The program is held up while much is unread. Also tells how a program has ended.",
  input: {
    type: "object",
    additionalProperties: false,
    required: ["terminal_id"],
    properties: {
      terminal_id: TERMINAL_ID,
      timeout_ms: {
        type: "integer",
        minimum: 0,
        maximum: 60_000,
        description: "How long to wait where nothing is there yet. Default: 0.",
      },
      bytes: {
        type: "integer",
        minimum: 1,
        maximum: LIMITS.terminalUnreadBytes,
        description: `The most to return; more stays for the next read. Default: ${DEFAULT_BYTES}.`,
      },
      latest: {
        type: "boolean",
        description: "Return the newest bytes and drop what is older, for a screen that changes all the time.",
      },
    },
  },
  output: {
    type: "object",
    additionalProperties: false,
    required: ["data", "bytes", "dropped_bytes", "unread_bytes", "running", "exit_code", "signal"],
    properties: {
      data: { type: "string", description: "Bytes that are no UTF-8 appear as replacement characters." },
      bytes: { type: "integer", minimum: 0 },
      dropped_bytes: { type: "integer", minimum: 0, description: "Output before `data` that nobody gets any more." },
      unread_bytes: { type: "integer", minimum: 0, description: "What is left for the next read." },
      running: { type: "boolean" },
      exit_code: { type: ["integer", "null"], description: "128 + N for a program that signal N ended." },
      signal: { type: ["string", "null"] },
    },
  },
  arguments: [TERMINAL_ARGUMENT],
  effect: "read",
  idempotent: false,
  limits: { timeout_ms: 65_000, output_bytes: LIMITS.outputCeilingBytes },
};

export const terminalRead: Capability = { manifest, isolation: "host", execute };

/** Milliseconds of the call's time that are reserved for its answer. */
const ANSWER_MS = 100;

async function execute({ args, bound, signal, limits }: CapabilityCall): Promise<CapabilityOutcome> {
  return await hostOutcome(signal, async () => {
    const { terminal } = bound.terminal(TERMINAL_ARGUMENT.pointer);
    const { text, bytes, dropped, left } = await terminal.read({
      bytesMax: Math.max(1, Math.min(Number(valueAt(args, "/bytes") ?? DEFAULT_BYTES), limits.outputBytes)),
      latest: valueAt(args, "/latest") === true,
      timeoutMs: Math.min(Number(valueAt(args, "/timeout_ms") ?? 0), limits.timeoutMs - ANSWER_MS),
      signal,
    });
    const { end } = terminal;
    return {
      data: text,
      bytes,
      dropped_bytes: dropped,
      unread_bytes: left,
      running: end === null,
      exit_code: end?.exitCode ?? null,
      signal: end?.signal ?? null,
    };
  });
}
