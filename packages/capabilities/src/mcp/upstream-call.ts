/** A call that an MCP server answers: to one of its tools, or for its resources and prompts. */
import { FemtoError, holdsInexact, LIMITS } from "@femtoclaw/protocol";
import type { SandboxView } from "@femtoclaw/sandbox";
import type { CapabilityCall, CapabilityOutcome, JsonObject } from "../capability.ts";
import { outcomeOf } from "../outcome.ts";
import type { CallRelay } from "./upstream-notice.ts";
import { tooLarge } from "./upstream-transport.ts";

/** What a server needs to be asked on behalf of one call, in the view of the session that calls. */
export interface UpstreamUse {
  readonly view: SandboxView | null;
  readonly signal: AbortSignal;
  /** LIMIT: bytes of an answer that the caller takes. */
  readonly bytesMax: number;
  /** Receives what the server says beside the answer. */
  readonly relay: CallRelay | null;
}

interface Decided {
  /** Whether the server runs in the sandbox; otherwise it is reached over HTTP. */
  readonly isSandboxed: boolean;
  /** Digest of what is called, which has to match what was decided on. */
  readonly sha256: string;
  readonly call: CapabilityCall;
}

export async function upstreamOutcome(
  { isSandboxed, sha256, call }: Decided,
  ask: (use: UpstreamUse) => Promise<JsonObject>,
): Promise<CapabilityOutcome> {
  const { bound, sandbox: view, signal, limits, relay = null } = call;
  // The name used in records; null for a server that is reached over HTTP.
  const sandbox = isSandboxed ? (view?.rung.name ?? null) : null;
  return await outcomeOf(signal, sandbox, async () => {
    // INVARIANT: what is called is what was decided on.
    if (bound.mcpTool().definition !== sha256) {
      throw new FemtoError("FEMTO_UPSTREAM_FAILED", "what the server offers has changed since the call was decided");
    }
    const bytesMax = Math.min(limits.outputBytes, LIMITS.resultBytes);
    const result = await ask({ view, signal, bytesMax, relay });
    if (holdsInexact(result)) {
      const reason = "a number in the server's answer cannot be held exactly, so the answer is not passed on";
      throw new FemtoError("FEMTO_UPSTREAM_FAILED", `${reason}; a server can write such a number as a text`);
    }
    if (Buffer.byteLength(JSON.stringify(result)) > bytesMax) throw tooLarge(bytesMax);
    return { event: "succeeded", result, sandbox };
  });
}
