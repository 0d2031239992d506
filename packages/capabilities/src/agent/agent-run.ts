/**
 * `agent_run`: an agent that an operator launches. It runs in the sandbox like any program, for as long as it wants.
 * What it wants to change, or to read beyond its view, it proposes; where it connects to is decided host by host.
 */
import { AGENT_RUN, type CapabilityManifest, FemtoError, LIMITS } from "@femtoclaw/protocol";
import { lostFix } from "@femtoclaw/sandbox";
import type { Capability, CapabilityCall, CapabilityOutcome, JsonObject } from "../capability.ts";
import { EgressProxy, REFUSED_HOSTS } from "../network/egress/egress-proxy.ts";
import { outcomeOf, unsuccessful } from "../outcome.ts";
import { decidedCommand, PROGRAM_ARGUMENT, PROGRAM_PROPERTIES } from "../process/program-arguments.ts";
import { AgentProcess } from "./agent-process.ts";

const { bin, argv, cwd } = PROGRAM_PROPERTIES;

const { env: _, ...ARGUMENT } = PROGRAM_ARGUMENT;

const manifest: CapabilityManifest = {
  name: AGENT_RUN,
  version: "1.0.0",
  description:
    "Runs an agent inside a sandbox until it ends, where it changes nothing by itself and proposes by MCP. Operators launch it; no agent can call it.",
  input: {
    type: "object",
    additionalProperties: false,
    required: ["bin", "variables", "terminal"],
    properties: {
      bin,
      argv,
      cwd,
      variables: {
        type: "array",
        maxItems: 64,
        items: { type: "string", maxLength: 128 },
        description: "Names of the variables that it alone gets.",
      },
      terminal: { type: "boolean", description: "Whether it gets a terminal, or pipes." },
      files: {
        type: "array",
        maxItems: 16,
        items: {
          type: "object",
          additionalProperties: false,
          required: ["path", "sha256"],
          properties: {
            path: { type: "string", maxLength: 256 },
            sha256: { type: "string", pattern: "^[0-9a-f]{64}$" },
          },
        },
        description: "Its configuration, which was written into its home for this launch. Absent where none was.",
      },
      tunnel: {
        type: "string",
        maxLength: 300,
        description: "Host and port of its model, where it is reached without TLS.",
      },
    },
  },
  output: {
    type: "object",
    additionalProperties: false,
    required: ["exit_code", "signal", "duration_ms", "sandbox"],
    properties: {
      exit_code: { type: ["integer", "null"], description: "128 + N for an agent that signal N ended." },
      signal: { type: ["string", "null"] },
      refused: REFUSED_HOSTS,
      duration_ms: { type: "integer", minimum: 0 },
      sandbox: { type: "string" },
    },
  },
  arguments: [ARGUMENT],
  effect: "execute",
  idempotent: false,
  // LIMIT: a day, after which the agent is ended.
  limits: { timeout_ms: LIMITS.timeoutCeilingMs, output_bytes: 65_536 },
};

/** Each launch is a call of this capability. */
export const agentRun: Capability = { manifest, isolation: "sandbox", isLaunched: true, execute };

const NO_HOST = {
  ok: false,
  reason: "no host is named for this program under [sandbox].connect",
  rules: [],
} as const;

async function execute(call: CapabilityCall): Promise<CapabilityOutcome> {
  const { launch, connect, signal, limits } = call;
  using proxy = new EgressProxy(connect ?? (async () => NO_HOST), launch?.serve);
  const sandbox = call.sandbox?.rung.name ?? null;
  return await outcomeOf(signal, sandbox, async () => {
    const startedMs = performance.now();
    const agent = await started(call, proxy);
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      agent.end();
    }, limits.timeoutMs);
    const stop = (): void => agent.end();
    signal.addEventListener("abort", stop, { once: true });
    try {
      if (signal.aborted) agent.end();
      launch?.attached(agent);
      const { exitCode, signal: ended, fault } = await agent.ended;
      const durationMs = Math.round(performance.now() - startedMs);
      if (signal.aborted) return cancelled(durationMs, sandbox);
      if (isLate) return timedOut(limits.timeoutMs, sandbox);
      if (fault !== undefined) {
        const fix = lostFix("Launch the agent again");
        return unsuccessful("failed", new FemtoError("FEMTO_FILE_CHANGED", fault, { fix }), sandbox);
      }
      const { refused } = proxy;
      const result: JsonObject = {
        exit_code: exitCode,
        signal: ended,
        duration_ms: durationMs,
        sandbox,
        ...(refused.length === 0 ? {} : { refused: refused.slice(0, REFUSED_TOLD) }),
      };
      return { event: "succeeded", result, sandbox };
    } finally {
      clearTimeout(late);
      signal.removeEventListener("abort", stop);
    }
  });
}

/** LIMIT: refused hosts named in the result; each of them has a record of its own. */
const REFUSED_TOLD = 16;

async function started(call: CapabilityCall, proxy: EgressProxy): Promise<AgentProcess> {
  const { launch, bound, sandbox, limits, onOutput } = call;
  // INVARIANT: I3: no agent runs without a sandbox, or without an operator who launched it.
  if (sandbox === null || launch === undefined)
    throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", "this machine has no sandbox to run agents in");
  return await AgentProcess.start({
    view: sandbox,
    command: decidedCommand(bound),
    limits: limits.child,
    variables: launch.variables,
    settings: launch.settings,
    size: launch.size,
    onConnection: (connection) => proxy.serve(connection),
    onOutput: (stream, piece) => onOutput?.(stream, piece),
  });
}

function cancelled(durationMs: number, sandbox: string | null): CapabilityOutcome {
  const reason = `the agent was ended after ${durationMs} ms because its launch was taken back`;
  return unsuccessful("cancelled", new FemtoError("FEMTO_CAPABILITY_CANCELLED", reason), sandbox);
}

function timedOut(timeoutMs: number, sandbox: string | null): CapabilityOutcome {
  const reason = `the agent did not end within ${timeoutMs} ms and was ended`;
  return unsuccessful("timedOut", new FemtoError("FEMTO_CAPABILITY_TIMED_OUT", reason), sandbox);
}
