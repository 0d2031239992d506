/**
 * `process_exec`: runs a program with its arguments, or a pipeline of programs, inside the sandbox. No shell reads
 * them.
 */
import { type CapabilityManifest, FemtoError, LIMITS } from "@femtoclaw/protocol";
import { PreparedChild, runSandboxed, type SandboxResult } from "@femtoclaw/sandbox";
import type {
  CallToPrepare,
  Capability,
  CapabilityCall,
  CapabilityOutcome,
  JsonObject,
  PreparedEffect,
} from "../capability.ts";
import { valueAt } from "../facts/arguments.ts";
import { STAGES_MIN } from "../facts/take-facts.ts";
import { EgressProxy, REFUSED_HOSTS } from "../network/egress/egress-proxy.ts";
import { haveRoom, outcomeOf, unsuccessful } from "../outcome.ts";
import { decidedCommand, PIPED_PROGRAM_ARGUMENT, PROGRAM_PROPERTIES } from "./program-arguments.ts";

const { bin, argv } = PROGRAM_PROPERTIES;

/** How one program ended. */
const END = {
  exit_code: { type: ["integer", "null"], description: "128 + N for a program that signal N ended." },
  signal: { type: ["string", "null"] },
} as const;

const manifest: CapabilityManifest = {
  name: "process_exec",
  version: "1.1.0",
  description:
    "Runs one program with a list of arguments inside a sandbox and returns its exit code and output. Or runs a `pipeline` of programs, each reading what the one before it writes. No shell reads the arguments. A non-zero exit code is a result, not a failure.",
  input: {
    type: "object",
    additionalProperties: false,
    if: { required: ["pipeline"], properties: { pipeline: true } },
    // biome-ignore lint/suspicious/noThenProperty: it is a keyword of JSON Schema.
    then: { properties: { bin: false, argv: false } },
    else: { required: ["bin"], properties: { bin: true } },
    properties: {
      ...PROGRAM_PROPERTIES,
      pipeline: {
        type: "array",
        minItems: STAGES_MIN,
        maxItems: LIMITS.stages,
        items: { type: "object", additionalProperties: false, required: ["bin"], properties: { bin, argv } },
        description:
          "Programs instead of `bin` and `argv`; what one writes to its standard output is the standard input of the next. All of them have to be allowed.",
      },
      stdin: { type: "string", maxLength: LIMITS.messageBytes, description: "Text for its standard input." },
      timeout_ms: {
        type: "integer",
        minimum: 1,
        maximum: 86_400_000,
        description: "Time it may take; the operator's limit holds where it is lower.",
      },
    },
  },
  output: {
    type: "object",
    additionalProperties: false,
    required: ["exit_code", "signal", "stdout", "stderr", "truncated", "duration_ms", "sandbox"],
    properties: {
      ...END,
      stages: {
        type: "array",
        items: { type: "object", additionalProperties: false, required: ["exit_code", "signal"], properties: END },
        description: "How each program of a pipeline ended; the exit code of the whole is that of the last.",
      },
      stdout: { type: "string" },
      stderr: { type: "string" },
      exceeded: {
        type: "array",
        items: { enum: ["cpu_ms", "file_bytes", "memory_bytes", "processes"] },
        description: "The operator's limits that it came up against, as far as that can be told.",
      },
      truncated: {
        type: "boolean",
        description: "It wrote more than was allowed and was killed, or more than a result holds.",
      },
      refused: REFUSED_HOSTS,
      duration_ms: { type: "integer", minimum: 0 },
      sandbox: { type: "string" },
    },
  },
  arguments: [PIPED_PROGRAM_ARGUMENT],
  effect: "execute",
  idempotent: false,
  limits: { timeout_ms: LIMITS.timeoutCeilingMs, output_bytes: LIMITS.outputCeilingBytes },
};

export const processExec: Capability = { manifest, isolation: "sandbox", prepare, execute: (call) => execute(call) };

/** Prepares the sandbox of a call if a waiting child fits it. */
function prepare({ args, bound, sandbox, limits, connects }: CallToPrepare): PreparedEffect | null {
  if (sandbox === null || connects || valueAt(args, "/stdin") !== undefined) return null;
  const child = PreparedChild.of({ view: sandbox, command: decidedCommand(bound), limits: limits.child });
  if (child === null) return null;
  return { execute: (call) => execute(call, child), [Symbol.dispose]: () => child[Symbol.dispose]() };
}

async function execute(call: CapabilityCall, prepared: PreparedChild | null = null): Promise<CapabilityOutcome> {
  const asked = valueAt(call.args, "/timeout_ms");
  const timeoutMs = Math.min(call.limits.timeoutMs, typeof asked === "number" ? asked : Number.POSITIVE_INFINITY);
  using proxy = call.connect === null ? null : new EgressProxy(call.connect);
  const sandbox = call.sandbox?.rung.name ?? null;
  return await outcomeOf(call.signal, sandbox, async () =>
    outcomeOfRun({ ...(await run(call, timeoutMs, proxy, prepared)), sandbox }, timeoutMs, proxy?.refused ?? []),
  );
}

async function run(
  { args, bound, signal, limits, sandbox, onOutput }: CapabilityCall,
  timeoutMs: number,
  proxy: EgressProxy | null,
  prepared: PreparedChild | null,
): Promise<SandboxResult> {
  // INVARIANT: no program runs without a sandbox.
  if (sandbox === null)
    throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", "this machine has no sandbox to run programs in");
  const command = decidedCommand(bound);
  const stdin = valueAt(args, "/stdin");
  return await runSandboxed({
    view: sandbox,
    command,
    limits: limits.child,
    ...(typeof stdin === "string" ? { stdin: Buffer.from(stdin, "utf8") } : {}),
    timeoutMs,
    outputBytesMax: limits.outputBytes,
    signal,
    isUsual: true,
    ...(prepared === null ? {} : { prepared }),
    ...(onOutput === undefined ? {} : { onOutput }),
    ...(proxy === null ? {} : { onConnection: (connection) => proxy.serve(connection) }),
  });
}

/** The result of a run, and what confined it. */
type Ran = SandboxResult & { readonly sandbox: string | null };

function outcomeOfRun(ran: Ran, timeoutMs: number, refused: EgressProxy["refused"]): CapabilityOutcome {
  if (ran.timedOut) {
    const reached = ran.exceeded.length === 0 ? "" : `; it came up against ${ran.exceeded.join(", ")}`;
    const reason = `the program did not end within ${timeoutMs} ms and was stopped${reached}`;
    return unsuccessful("timedOut", new FemtoError("FEMTO_CAPABILITY_TIMED_OUT", reason), ran.sandbox);
  }
  if (ran.cancelled) {
    const reason = `the program was stopped after ${ran.durationMs} ms because the call was cancelled`;
    return unsuccessful("cancelled", new FemtoError("FEMTO_CAPABILITY_CANCELLED", reason), ran.sandbox);
  }
  const told = refused.length === 0 ? {} : { refused };
  return { event: "succeeded", result: { ...resultOf(ran), ...told }, sandbox: ran.sandbox };
}

/** Output is returned as text; invalid bytes appear as replacement characters. Of too much output the first part is. */
function outputOf({ stdout, stderr, truncated }: Ran): { stdout: string; stderr: string; truncated: boolean } {
  const output = { stdout: stdout.toString("utf8"), stderr: stderr.toString("utf8"), truncated };
  for (let kept = { stdout, stderr }; !haveRoom([output.stdout, output.stderr]); ) {
    const longer = kept.stdout.length > kept.stderr.length ? "stdout" : "stderr";
    kept = { ...kept, [longer]: kept[longer].subarray(0, kept[longer].length / 2) };
    output[longer] = kept[longer].toString("utf8");
    output.truncated = true;
  }
  return output;
}

function resultOf(ran: Ran): JsonObject {
  const { exitCode, signal, stages, exceeded, durationMs, sandbox } = ran;
  const { stdout, stderr, truncated } = outputOf(ran);
  return {
    exit_code: exitCode,
    signal,
    ...(stages === undefined ? {} : { stages: stages.map((end) => ({ exit_code: end.exitCode, signal: end.signal })) }),
    stdout,
    stderr,
    ...(exceeded.length === 0 ? {} : { exceeded: [...exceeded] }),
    truncated,
    duration_ms: durationMs,
    sandbox,
  };
}
