/** The tools of a simulated agent, whose effects go wrong in every way in which third-party code can. */
import type { Capability, CapabilityCall, CapabilityOutcome } from "@femtoclaw/capabilities";
import type { Clock } from "@femtoclaw/journal";
import { LIMITS } from "@femtoclaw/protocol";

/** How an effect behaves. The request says it, so that a record tells what to expect. */
export const BEHAVIOURS = ["succeed", "wait", "fail", "throw", "hang", "deaf", "malformed", "oversized"] as const;
type Behaviour = (typeof BEHAVIOURS)[number];

/** Which tools may have an effect, and how calls of the others are decided. */
export const TOOLS = {
  act: "permitted",
  switched: "permitted",
  asked: "asked",
  agreed: "asked",
  unpermitted: "DENIED_POLICY_VIOLATION",
  locked: "DENIED_CAPABILITY_DISABLED",
  unknown: "DENIED_CAPABILITY_NOT_FOUND",
} as const;
/** How many different operators have to approve a call of the tool. */
export const OPERATORS_NEEDED: Readonly<Partial<Record<keyof typeof TOOLS, number>>> = { asked: 1, agreed: 2 };
export type ToolName = keyof typeof TOOLS;

export const CAPABILITY_SETTINGS = {
  act: true,
  switched: true,
  asked: true,
  agreed: true,
  unpermitted: true,
  locked: false,
} as const;
export const PERMIT = ["act", "switched", "locked"] as const;

const TIMEOUT_MS = 1_000;

/** Shared by all, so that each start compiles them once. */
const INPUT = {
  type: "object",
  additionalProperties: false,
  required: ["request", "how"],
  properties: { request: { type: "integer" }, how: { enum: [...BEHAVIOURS] }, padding: { type: "string" } },
};
const OUTPUT = { type: "object", additionalProperties: false, properties: { text: { type: "string" } } };

export interface EffectWatcher {
  readonly clock: Clock;
  /** Called for each effect before it does anything. */
  onEffect(tool: ToolName, request: number): void;
}

export function simulatedCapabilities(watcher: EffectWatcher): Capability[] {
  return (["act", "switched", "asked", "agreed", "unpermitted", "locked"] as const).map((name) => ({
    manifest: {
      name,
      version: "1.0.0",
      description: "simulated",
      effect: "write",
      idempotent: false,
      input: INPUT,
      output: OUTPUT,
      arguments: [],
      limits: { timeout_ms: TIMEOUT_MS, output_bytes: LIMITS.outputBytes },
    },
    isolation: "in-process",
    trusted: true,
    execute: (call) => {
      watcher.onEffect(name, Number(call.args["request"]));
      return behave(watcher.clock, call);
    },
  }));
}

async function behave(clock: Clock, { args, signal }: CapabilityCall): Promise<CapabilityOutcome> {
  switch (args["how"] as Behaviour) {
    case "succeed":
      return succeeded({ text: "done" });
    case "wait":
      await new Promise<void>((resolve) => void clock.after(Number(args["request"]) % 50, resolve));
      return succeeded({ text: "done later" });
    case "fail":
      return {
        event: "failed",
        code: "FEMTO_CAPABILITY_FAILED",
        sandbox: null,
        reason: "it was to fail",
        fix: "Ask for something else.",
      };
    case "throw":
      throw new Error("it was to throw");
    case "hang":
      return await new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      });
    case "deaf":
      return await new Promise(() => undefined);
    case "malformed":
      return { event: "succeeded", result: "no object" } as unknown as CapabilityOutcome;
    case "oversized":
      return succeeded({ text: "x".repeat(LIMITS.recordBytes) });
  }
}

function succeeded(result: { readonly text: string }): CapabilityOutcome {
  return { event: "succeeded", result, sandbox: null };
}
