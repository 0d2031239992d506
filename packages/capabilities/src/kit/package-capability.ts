/**
 * A capability of others as one process for each call: in the sandbox, with the system, its own files and what the
 * call was decided on. It gets one line and answers with one line; whatever else it does is a failure of its call.
 */
import { randomUUID } from "node:crypto";
import { type CapabilityManifest, FemtoError, LIMITS } from "@femtoclaw/protocol";
import { type OwnFile, ownProgramView, runSandboxed, type SandboxResult } from "@femtoclaw/sandbox";
import { capabilityRunner } from "#capability-runner";
import type { Capability, CapabilityCall, CapabilityOutcome } from "../capability.ts";
import { EgressProxy } from "../network/egress/egress-proxy.ts";
import { outcomeOf, unsuccessful } from "../outcome.ts";
import { answerIn, ENVELOPE_BYTES, type RunAnswer } from "./answer.ts";
import { readFiles } from "./define-capability.ts";
import { onlyTo } from "./one-host.ts";
import { createdPointers, placeContents } from "./placed-contents.ts";

/** What of a package runs: every file by its path in the package, and which of them begins. */
export interface PackageCode {
  readonly main: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Where the sandbox has its own files; no grant reaches there, because nothing that was granted is shown. */
const FOLDER = "/femtoclaw";

/** What stands under the name by which authors import it. */
const KIT: readonly (readonly [name: string, text: string])[] = [
  ["package.json", '{"name":"@femtoclaw/capabilities","type":"module","exports":"./index.js"}\n'],
  ["index.js", "export const defineCapability = (definition) => definition;\n"],
];

/** `code` gives what was accepted, and null where nothing is. */
export function packageCapability(manifest: CapabilityManifest, code: () => PackageCode | null): Capability {
  return {
    manifest,
    isolation: "sandbox",
    interpreted: true,
    ...(createdPointers(manifest).length === 0 ? {} : { keeps: "content" as const }),
    execute: async (call) => {
      const by = call.sandbox?.rung.name ?? null;
      const sandbox = by === "bubblewrap" ? capabilityRunner(FOLDER).sandbox : by;
      return await outcomeOf(call.signal, sandbox, async () => {
        const accepted = code();
        if (accepted === null) throw new FemtoError("FEMTO_TOOL_QUARANTINED", "what it runs is not accepted any more");
        return await run(manifest, accepted, call, sandbox);
      });
    },
  };
}

async function run(
  manifest: CapabilityManifest,
  code: PackageCode,
  call: CapabilityCall,
  sandbox: string | null,
): Promise<CapabilityOutcome> {
  // INVARIANT: without a sandbox nothing of it runs.
  if (call.sandbox === null)
    throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", "this machine has no sandbox to run it in");
  const { signal, limits, args, onOutput } = call;
  const runner = capabilityRunner(FOLDER, manifest.effect === "network");
  const named = Object.entries(await readFiles(call, manifest));
  const files = named.map(([, content], index): OwnFile => ({ path: `${FOLDER}/files/${index}`, content }));
  // INVARIANT: what runs are the bytes that were accepted; no path of the package is opened any more.
  const own = [...runner.files, ...codeFiles(code), ...files];
  const { view, handed, cwd } = ownProgramView(call.sandbox, own);
  const id = randomUUID();
  const at = Object.fromEntries(named.map(([pointer], index) => [pointer, `${FOLDER}/files/${index}`]));
  const request = { femtoclaw: 1, id, main: `${FOLDER}/package/${code.main}`, args, files: at };
  const bytesMax = Math.min(limits.outputBytes, LIMITS.resultBytes);
  const host = manifest.arguments.find(({ kind }) => kind === "host");
  using proxy = host === undefined ? null : new EgressProxy(onlyTo(call.bound.host(host.pointer), call));
  const ran = await runSandboxed({
    view,
    handed,
    command: { program: runner.program, realPath: runner.program, args: runner.args, cwd, environment: {} },
    limits: limits.child,
    stdin: Buffer.from(`${JSON.stringify(request)}\n`),
    timeoutMs: limits.timeoutMs,
    outputBytesMax: bytesMax + ENVELOPE_BYTES,
    signal,
    // INVARIANT: I10: what it logs is told as it comes; its answer is not, of which only the outcome says what is secret.
    onOutput: (stream, piece) => void (stream === "stderr" && onOutput?.(stream, piece)),
    ...(proxy === null ? {} : { onConnection: (connection) => proxy.serve(connection) }),
  });
  const stopped = stoppedRun(ran, limits.timeoutMs, sandbox);
  if (stopped !== null) return stopped;
  const answer = answerIn(ran, id, bytesMax, (text) => call.withoutSecrets(text));
  if (!answer.ok) return { ...unsuccessful(answer.event, answer.fault, sandbox) };
  return await succeeded(manifest, answer, call, sandbox);
}

async function succeeded(
  manifest: CapabilityManifest,
  { result, contents }: Extract<RunAnswer, { ok: true }>,
  call: CapabilityCall,
  sandbox: string | null,
): Promise<CapabilityOutcome> {
  const left = await placeContents(call, manifest, contents);
  return { event: "succeeded", result, sandbox, ...(left === null ? {} : { left }) };
}

/** Below the name of the kit, so that an import of it finds it on its way up. */
function codeFiles({ files }: PackageCode): OwnFile[] {
  const kit = KIT.map(([name, text]): OwnFile => {
    return { path: `${FOLDER}/node_modules/@femtoclaw/capabilities/${name}`, content: Buffer.from(text) };
  });
  return [...kit, ...Array.from(files, ([name, content]): OwnFile => ({ path: `${FOLDER}/package/${name}`, content }))];
}

function stoppedRun(ran: SandboxResult, timeoutMs: number, sandbox: string | null): CapabilityOutcome | null {
  const reached = ran.exceeded.length === 0 ? "" : `; it came up against ${ran.exceeded.join(", ")}`;
  if (ran.timedOut) {
    const reason = `it did not answer within ${timeoutMs} ms and was stopped${reached}`;
    return unsuccessful("timedOut", new FemtoError("FEMTO_CAPABILITY_TIMED_OUT", reason), sandbox);
  }
  if (!ran.cancelled) return null;
  const reason = `it was stopped after ${ran.durationMs} ms because the call was cancelled`;
  return unsuccessful("cancelled", new FemtoError("FEMTO_CAPABILITY_CANCELLED", reason), sandbox);
}
