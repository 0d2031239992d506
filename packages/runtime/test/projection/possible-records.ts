/** Records as a history is made of them, and whole starts, so that a test can put histories together. */
import type { RecordEntry, TypedRecord } from "@femtoclaw/protocol";
import { Projection } from "@femtoclaw/runtime";

export const HASH = "0".repeat(64);
const FACTS = { questions: [{ kind: "tool" }] } as const;

export type Entry = {
  [K in RecordEntry["type"]]: Omit<Extract<RecordEntry, { type: K }>, "session" | "execution">;
}[RecordEntry["type"]] & {
  readonly execution?: string | null;
  readonly session?: string;
  readonly boot?: string;
};

export const lifecycle = (event: string, from: string, to: string): Entry => ({
  type: "lifecycle.changed",
  body: { event, from: from as "idle", to: to as "idle" },
});
export const boot = (id: string, changes: object = {}): Entry => ({
  type: "boot.started",
  boot: id,
  body: {
    version: "0.1.0",
    node: "v26",
    platform: "linux-x64",
    pid: 1,
    uid: 0,
    integrity: "unverified",
    previous_boot: null,
    previous_end: "none",
    configuration: { path: null, sha256: HASH, changed: false },
    ...changes,
  },
});
export const registered = (name: string, locked = false) => ({
  name,
  version: "1.0.0",
  sha256: HASH,
  enabled: false,
  source: "default",
  isolation: "host",
  locked,
});
export const loaded: Entry = {
  type: "registry.loaded",
  body: { capabilities: [registered("open"), registered("shut", true)] as never },
};
export const switched = (name: string, on: boolean): Entry => ({
  type: on ? "capability.enabled" : "capability.disabled",
  body: { name },
});
const activated: Entry = {
  type: "policy.activated",
  body: { revision: HASH, engine: "cedar", schema_sha256: HASH, rules: [] },
};
export const exporting: Entry = {
  type: "observability.started",
  body: { exporter: "none", cursor: 0, state: "exporting" },
};
export const changed = (state: "exporting" | "degraded"): Entry => ({
  type: "observability.changed",
  body: { state, cursor: 1, reason: "r" },
});
export const crashed = (
  subsystem: "policy" | "observability",
  atMs: number,
  decision: "restart" | "give-up" = "restart",
): Entry => ({
  type: "supervision.crashed",
  body: { subsystem, code: "FEMTO_POLICY_ERROR", reason: "it broke", at_ms: atMs, decision },
});
export const restarted = (subsystem: "policy" | "observability"): Entry => ({
  type: "supervision.restarted",
  body: { subsystem },
});
export const intent = (execution: string | null = "e1"): Entry => ({
  type: "execution.intent",
  execution,
  body: {
    tool: "open",
    capability: "1",
    args: {},
    label: null,
    input_sha256: HASH,
    facts: FACTS as never,
    revision: HASH,
    rules: [],
    received_us: 0,
  },
});
export const outcome = (number: number, event = "succeeded", began = true, execution = "e1"): Entry => ({
  type: "execution.outcome",
  execution,
  body: { intent: number, event: event as "succeeded", duration_us: 1, sandbox: null, began },
});
export const interrupted = (number: number, changes: object = {}): Entry => ({
  type: "execution.interrupted",
  execution: "e1",
  body: { intent: number, tool: "open", boot: "b1", ...changes },
});
export const resolved = (number: number, changes: object = {}): Entry => ({
  type: "execution.resolved",
  execution: "e1",
  body: { interrupted: number, tool: "open", resolution: "done", reason: "r", ...changes },
});
export const hop = (number: number): Entry => ({
  type: "execution.hop",
  execution: "e1",
  body: { intent: number, hop: 1, location: "https://a", allowed: true, facts: null, revision: HASH, rules: [] },
});
export const said: Entry = {
  type: "approval.answered",
  execution: "e1",
  body: {
    ...{ question: 11, tool: "open", digest: HASH, answer: "granted", complete: false },
    ...{ scope: "once", reason: null, self_approvable: true },
  },
};
export const refused: Entry = {
  type: "execution.refused",
  execution: "e1",
  body: {
    ...{ tool: "open", request: { bytes: 2, head: "{}", payload: null }, label: null, event: "denied" },
    ...{ decision: "DENIED_POLICY_VIOLATION", facts: null, input_sha256: null, revision: HASH, rules: [] },
    ...{ error: { error_type: "AuthorizationError", code: "FEMTO_POLICY_NO_PERMIT" } as never, approval: 10 },
  },
};
export const terminal: Entry = {
  type: "terminal.opened",
  execution: "e1",
  body: { terminal: "t1", program: "sh", columns: 80, rows: 24 } as never,
};
export const message: Entry = { type: "message.recorded", execution: "m1", body: { content: "" } };

export const UNTIL_MEMORY: readonly Entry[] = [
  lifecycle("integrity.verified", "verifyingIntegrity", "loadingConfiguration"),
  lifecycle("configuration.loaded", "loadingConfiguration", "openingMemory"),
];
export const FROM_MEMORY: readonly Entry[] = [
  lifecycle("memory.ready", "openingMemory", "loadingRegistry"),
  loaded,
  lifecycle("registry.ready", "loadingRegistry", "loadingPolicy"),
  activated,
  lifecycle("policy.ready", "loadingPolicy", "startingObservability"),
  exporting,
  lifecycle("observability.ready", "startingObservability", "idle"),
];
export const created: Entry = {
  type: "log.created",
  boot: "b1",
  body: { origin: "femtoclaw/0", vkey: "vkey", format: 1, version: "0.1.0", parent: null },
};
export const FIRST: readonly Entry[] = [created, boot("b1")];
export const PARENT = { origin: "femtoclaw/1", vkey: "vkey", size: 7, root: "root", reason: "fork" } as const;
export const child: Entry = { type: "log.created", boot: "b1", body: { ...created.body, parent: PARENT } as never };
export const epoch = (...disabled: string[]): Entry => ({
  type: "epoch.opened",
  body: { disabled, state: { covers: 6, sha256: HASH } },
});
export const inherited = (execution: string | null = "e1"): Entry => ({
  type: "execution.inherited",
  execution,
  body: { record: 3, tool: "open" },
});
/** One whole start, eleven records. */
export const START: readonly Entry[] = [...FIRST, ...UNTIL_MEMORY, ...FROM_MEMORY];
export const AGAIN = { previous_boot: "b1", previous_end: "crash" };
/** Record 15 leaves an execution open. */
export const INTERRUPTED: readonly Entry[] = [...START, intent(), boot("b2", AGAIN), ...UNTIL_MEMORY, interrupted(11)];

export function fold(entries: readonly Entry[]): Projection {
  const projection = new Projection();
  let current = "b1";
  entries.forEach((entry, seq) => {
    if (entry.type === "boot.started") current = entry.boot ?? "";
    const frame = {
      v: 1,
      seq,
      at: "2026-01-01T00:00:00.000000Z",
      mono_us: seq,
      actor: null,
      session: "s1",
      execution: null,
    };
    projection.apply({ ...frame, boot: current, ...entry } as unknown as TypedRecord);
  });
  return projection;
}
