/** What a capability is to the runtime: a manifest that it declares, and one effect that it performs when told to. */
import type { Authority, CapabilityManifest, ErrorCode, JsonValue } from "@femtoclaw/protocol";
import type { SandboxView } from "@femtoclaw/sandbox";
import type { BoundArguments, BoundHost } from "./facts/bound-arguments.ts";

export type JsonObject = { [key: string]: JsonValue };

/** Where the effect happens: in a sandboxed child, by the host on what the facts hold open, or in third-party code. */
export type Isolation = "sandbox" | "host" | "in-process";

export interface Capability {
  readonly manifest: CapabilityManifest;
  readonly isolation: Isolation;
  /** Called for permitted calls only. What goes wrong in the effect is an outcome; a throw is a bug. */
  execute(call: CapabilityCall): Promise<CapabilityOutcome>;
}

export interface CapabilityCall {
  /** Valid against the manifest's input schema. */
  readonly args: JsonObject;
  /** What the facts resolved and the policy decided on: the only way to the files and programs of the call. */
  readonly bound: BoundArguments;
  readonly signal: AbortSignal;
  readonly limits: { readonly timeoutMs: number; readonly outputBytes: number };
  readonly authority: Authority;
  /** Null where this machine has no sandbox; a capability that needs one then refuses. */
  readonly sandbox: SandboxView | null;
  /** Asks the gate whether the effect may go on to another URL. What it says is durable before it answers. */
  readonly goOn: (next: NextHop) => Promise<HopAnswer>;
}

/** What would be sent next. */
export interface NextHop {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly hasBody: boolean;
}

/** Where the effect may go on, and to these addresses only; or why not. */
export type HopAnswer =
  | { readonly ok: true; readonly host: BoundHost }
  | { readonly ok: false; readonly reason: string };

export type CapabilityOutcome =
  | { readonly event: "succeeded"; readonly result: JsonObject; readonly sandbox: string | null }
  | {
      readonly event: "failed" | "timedOut" | "cancelled" | "contained";
      readonly code: ErrorCode;
      readonly reason: string;
      /** What the reader can do next. */
      readonly fix: string;
      readonly sandbox: string | null;
    };
