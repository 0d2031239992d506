/** The runtimes of the golden history: their configuration, and capabilities that end in every way. */
import type { Capability, CapabilityOutcome, JsonObject } from "@femtoclaw/capabilities";
import { newOperatorKey } from "@femtoclaw/journal";
import type { Configuration } from "@femtoclaw/protocol";
import {
  createRuntime,
  type ResolvedConfiguration,
  type Runtime,
  type RuntimeOptions,
  resolveConfiguration,
} from "@femtoclaw/runtime";

const SNAPSHOT_EVERY = 60;
/** More than fits into a record, which therefore only commits to it. */
const LARGE_CHARS = 5_000;

/** Answers a question by a signature. */
export const OPERATOR = newOperatorKey("golden", null);

export async function start(
  root: string,
  state: string,
  more: readonly Capability[],
  telemetry?: RuntimeOptions["telemetry"],
): Promise<Runtime> {
  const refusal = { code: "FEMTO_FILE_EXISTS", reason: "it is there", fix: "Name another.", sandbox: null } as const;
  const capabilities: Capability[] = [
    capability("quick", async (args) => succeeded({ got: args["n"] ?? null })),
    capability("large", async () => succeeded({ text: "x".repeat(LARGE_CHARS) })),
    capability("fails", async () => ({ event: "failed", ...refusal })),
    capability("throws", () => {
      throw new Error("boom");
    }),
    capability("off", async () => succeeded({})),
    // Asks whether it may go on, like a request that is redirected; nothing is sent.
    {
      isolation: "in-process",
      trusted: true,
      manifest: { ...capability("goes", async () => succeeded({})).manifest, input: GOES, arguments: [GOES_TO] },
      execute: async ({ goOn }) => succeeded({ went: (await goOn(ON)).ok }),
    },
    ...more,
  ];
  const names = capabilities.map(({ manifest }) => manifest.name).filter((name) => name !== "goes");
  const configuration = configured(root, state, {}, more);
  return await createRuntime({
    configuration,
    capabilities,
    permit: names,
    snapshotEveryRecords: SNAPSHOT_EVERY,
    ...(telemetry === undefined ? {} : { telemetry }),
  });
}

const ON = { url: "http://127.0.0.1:9/on", method: "GET", headers: {}, hasBody: false };
const GOES_TO = { pointer: "/url", kind: "host", method: "/method" } as const;
const GOES = {
  type: "object",
  additionalProperties: false,
  properties: { url: { type: "string" }, method: { type: "string" }, headers: { type: "object" } },
};
const NAMES = ["quick", "large", "fails", "throws", "goes"];
const TERMINALS = ["open", "write", "read", "resize", "close"].map((verb) => `terminal_${verb}`);

export function configured(
  root: string,
  state: string,
  changes: Configuration,
  more: readonly Capability[] = [],
): ResolvedConfiguration {
  const names = [...NAMES, ...more.map(({ manifest }) => manifest.name), "fs_write", ...TERMINALS];
  return resolveConfiguration({
    configuration: {
      workspace: "workspace",
      capabilities: Object.fromEntries(names.map((name) => [name, true])),
      ask: { write: ["asked"] },
      approvals: { operators: [OPERATOR.vkey] },
      allow: { run: { cat: ["*"] }, fetch: ["127.0.0.1:9"] },
      limits: { queue: 10, concurrency: 10 },
      memory: { path: state },
      host: { runtime_dir: "run" },
      ...changes,
    },
    baseDirectory: root,
    environment: { HOME: root },
  });
}

export function call(tool: string, args: Record<string, unknown> = {}) {
  return { tool_call: { tool, args } };
}

export function succeeded(result: JsonObject): CapabilityOutcome {
  return { event: "succeeded", result, sandbox: null };
}

export function capability(name: string, effect: (args: JsonObject) => Promise<CapabilityOutcome>): Capability {
  return {
    isolation: "in-process",
    trusted: true,
    manifest: {
      name,
      version: "1.0.0",
      description: "part of the golden history",
      input: {
        type: "object",
        additionalProperties: false,
        properties: { n: { type: "integer" }, text: { type: "string" } },
      },
      output: { type: "object" },
      arguments: [],
      effect: "none",
      idempotent: false,
      limits: { timeout_ms: 60_000, output_bytes: 1_048_576 },
    },
    execute: ({ args }) => effect(args),
  };
}
