/**
 * Runs a capability and contains it: whatever the capability throws or returns, and however long it hangs, the gate
 * gets an outcome that can be recorded.
 */
import assert from "node:assert/strict";
import type { BoundArguments, CapabilityCall, CapabilityOutcome, JsonObject } from "@femtoclaw/capabilities";
import type { Clock } from "@femtoclaw/journal";
import { redact } from "@femtoclaw/journal/live";
import {
  describeViolations,
  ERRORS,
  type ErrorCode,
  errorText,
  FemtoError,
  type LeftBehind,
  LIMITS,
  type OutputStream,
  parseJson,
  printable,
} from "@femtoclaw/protocol";
import { harmless } from "../../harmless.ts";
import { connectingPrograms, type Decisions } from "../decisions.ts";
import { abort, type Execution, type Prepared } from "../execution.ts";
import type { GateParts, Registered } from "../gate-parts.ts";
import { Carried } from "./carried.ts";
import { Connections } from "./connections.ts";
import { type HopParts, Hops } from "./hops.ts";

/** An outcome that can be recorded, with the size of its result as JSON in bytes. */
type CheckedOutcome = CapabilityOutcome & { readonly resultBytes?: number };
export type EffectOutcome = CheckedOutcome & { readonly durationUs: number };

/** Milliseconds that the gate keeps waiting for a capability after asking it to stop. */
const ABANDON_MS = 2 * LIMITS.graceMs;
/** Stands in place of an outcome when the gate stops waiting. */
const ABANDONED = Symbol("abandoned");

export interface EffectParts extends Pick<GateParts, "clock" | "terminals" | "relays" | "turns" | "largeResults"> {
  /** Receives what a program writes; if this throws, the effect does not notice. */
  readonly onOutput: GateParts["outputs"]["take"];
  /** For effects that ask the gate again while they run, because they are redirected or connect somewhere. */
  readonly ways: HopParts;
}

/** The parts that all effects of a gate share. */
export function effectParts(parts: GateParts, decisions: Decisions, append: HopParts["append"]): EffectParts {
  const { clock, terminals, relays, turns, largeResults, outputs, histories } = parts;
  const take: GateParts["outputs"]["take"] = (...output) => outputs.take(...output);
  const ways = { decisions, registered: (tool: string) => parts.registered(tool), histories, append };
  return { clock, terminals, relays, turns, largeResults, onOutput: harmless("the buffer of output", take), ways };
}

/**
 * Prepares what the effect needs while the intent is on its way to the disk. Nothing here is an effect yet. A failure
 * is ignored at this point: the effect will meet it again, where it can be recorded.
 */
export function prepareEffect(execution: Execution, registered: Registered): Prepared | null {
  const { call, bound, standing } = execution;
  assert(call && bound && standing, "what is made ready was decided on");
  const { capability, timeoutMs, outputBytes, child } = registered;
  const { authority, sandbox } = standing;
  try {
    const effect = capability.prepare?.({
      args: call.args as JsonObject,
      bound,
      sandbox,
      limits: { timeoutMs, outputBytes, child },
      connects: connectingPrograms(execution, authority).length > 0,
    });
    return effect ? { effect, by: registered } : null;
  } catch {
    return null;
  }
}

/** Runs the effect to its outcome. After that, the gate answers nothing that the effect left running. */
export async function runEffect(
  parts: EffectParts,
  execution: Execution,
  registered: Registered,
  args: JsonObject,
  bound: BoundArguments,
): Promise<EffectOutcome> {
  const { clock, ways } = parts;
  const startUs = clock.monotonicUs();
  const { capability, timeoutMs, outputBytes, child } = registered;
  const { standing, id, session, kept, launch } = execution;
  assert(standing !== null, "what is executed was decided on");
  const { authority, sandbox } = standing;
  const relay = parts.relays.of(execution);
  execution.relay = relay;
  const hops = new Hops(execution, ways);
  const mayConnect = connectingPrograms(execution, authority).length > 0;
  const connections = mayConnect ? new Connections(execution, ways) : null;
  execution.connections = connections;
  const carried = new Carried();
  execution.carried = carried;
  const call: CapabilityCall = {
    id,
    args,
    bound,
    kept,
    authority,
    sandbox,
    limits: { timeoutMs, outputBytes, child },
    signal: execution.abort.signal,
    turn: () => parts.turns.next(session),
    mayReach: (path, type) => ways.decisions.mayReach(execution, path, type),
    goOn: (next) => hops.goOn(next),
    connect: connections === null ? null : (target) => connections.connect(target),
    trafficAt: (host) => carried.at(host),
    terminals: parts.terminals.keeper(execution),
    withoutSecrets: (text) => redact(text).value,
    relay,
    onOutput: (stream: OutputStream, piece: Uint8Array) => parts.onOutput(id, session, stream, piece),
  };
  const given = capability.isLaunched && launch !== undefined ? { ...call, launch } : call;
  let outcome: CheckedOutcome;
  try {
    outcome = await bounded(clock, execution, registered, given);
  } finally {
    hops.close();
    connections?.close();
  }
  const durationUs = clock.monotonicUs() - startUs;
  if ((outcome.resultBytes ?? 0) >= LIMITS.largeResultBytes) await largeTurn(parts, execution);
  return { ...outcome, durationUs };
}

/**
 * INVARIANT: I9: the records of others wait for a few large results, and not for all that a session can get at once. The
 * call keeps its place among the effects meanwhile, so that no more results are made than are recorded.
 */
async function largeTurn({ largeResults }: EffectParts, execution: Execution): Promise<void> {
  const turn = await largeResults.acquire(execution.session);
  const room = execution.releaseRoom;
  execution.releaseRoom = () => {
    turn();
    room?.();
  };
}

/**
 * There are two deadlines. At the first, the capability is asked to stop; a well-behaved one does and reports so
 * itself. At the second, the gate stops waiting for it.
 */
async function bounded(
  clock: Clock,
  execution: Execution,
  registered: Registered,
  call: CapabilityCall,
): Promise<CheckedOutcome> {
  const { signal } = call;
  const { timeoutMs, capability } = registered;
  // INVARIANT: I3: an effect prepared under limits that are no longer in force is not used.
  const effect = execution.prepared?.by === registered ? execution.prepared.effect : capability;
  // A sandboxed program is ended by its own sandbox, which can say more about it, so the gate's deadline comes later.
  const stopMs = capability.isolation === "sandbox" ? timeoutMs + ABANDON_MS : timeoutMs;
  const cancelStop = clock.after(stopMs, () => {
    abort(execution, new FemtoError("FEMTO_CAPABILITY_TIMED_OUT", `it took longer than ${timeoutMs} ms`));
  });
  const ended = Promise.withResolvers<unknown>();
  let cancelGrace: (() => void) | undefined;
  execution.onAbort = () => {
    cancelGrace = clock.after(ABANDON_MS, () => ended.resolve(ABANDONED));
  };
  try {
    // The first of the two results counts; whatever comes later is ignored.
    Promise.resolve(effect.execute(call)).then(ended.resolve, ended.reject);
    const returned = await ended.promise;
    if (returned === ABANDONED) return stopped(signal, "; it did not stop when asked, and may still be at work");
    return checked(registered, returned, signal);
  } catch (error) {
    return signal.aborted ? stopped(signal) : contained(`the capability broke off: ${errorText(error)}`);
  } finally {
    cancelStop();
    cancelGrace?.();
    execution.onAbort = null;
  }
}

/** Tells whether the time limit or a person stopped the effect. */
function stopped(signal: AbortSignal, more = ""): CapabilityOutcome {
  const reason = `${errorText(signal.reason)}${more}`;
  const timedOut = signal.reason instanceof FemtoError && signal.reason.code === "FEMTO_CAPABILITY_TIMED_OUT";
  return timedOut
    ? unsuccessful("timedOut", "FEMTO_CAPABILITY_TIMED_OUT", reason)
    : unsuccessful("cancelled", "FEMTO_CAPABILITY_CANCELLED", reason);
}

const UNSUCCESSFUL = ["failed", "timedOut", "cancelled", "contained"] as const;

/**
 * INVARIANT: I5: what a capability returns is recorded only in the form that the record's schema demands, because a
 * record that cannot be read back closes the journal for good. Types prove nothing about third-party code.
 */
function checked(registered: Registered, returned: unknown, signal: AbortSignal): CheckedOutcome {
  const {
    event,
    result,
    left,
    code,
    reason,
    fix,
    sandbox: named,
  } = Object(returned) as Readonly<Record<string, unknown>>;
  const sandbox = typeof named === "string" ? printable(named, LIMITS.labelChars) : null;
  if (event === "succeeded") return { ...checkedResult(registered, result), sandbox, ...checkedLeft(registered, left) };
  const failure = UNSUCCESSFUL.find((name) => name === event);
  if (failure === undefined || !isErrorCode(code) || typeof reason !== "string") {
    return contained("it returned something that is no outcome");
  }
  if (failure === "cancelled" && signal.aborted) return { ...stopped(signal), sandbox };
  return { ...unsuccessful(failure, code, reason, typeof fix === "string" ? fix : undefined), sandbox };
}

/** What an undo relies on, if the capability keeps something for it. */
function checkedLeft({ capability }: Registered, returned: unknown): { readonly left?: LeftBehind } {
  if (capability.keeps === undefined || typeof returned !== "object" || returned === null) return {};
  const { sha256, version } = returned as Readonly<Record<string, unknown>>;
  return {
    left: {
      ...(typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256) ? { sha256 } : {}),
      ...(typeof version === "string" && /^[0-9]+\.[0-9]+\.[0-9]+$/.test(version) ? { version } : {}),
    },
  };
}

/** A result must match the manifest and be plain data that nobody can change once it is recorded. */
function checkedResult({ validators: { output } }: Registered, returned: unknown): CheckedOutcome {
  const text = JSON.stringify(returned) as string | undefined;
  if (text === undefined) return contained("the result is not JSON");
  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.resultBytes)
    return contained(`the result has ${bytes} bytes where at most ${LIMITS.resultBytes} are recorded`);
  const result = parseJson(text);
  if (isDeeperThan(result, LIMITS.jsonDepth)) {
    return contained(`the result is nested deeper than ${LIMITS.jsonDepth} levels`);
  }
  if (text.includes("\\ud") && !isWellFormed(result)) return contained("the result is not well-formed JSON");
  if (!output(result)) {
    return contained(`the result does not match its schema: ${describeViolations(output.errors ?? [])}`);
  }
  if (typeof result !== "object" || result === null || Array.isArray(result)) {
    return contained("the result is not an object");
  }
  return { event: "succeeded", result: result as JsonObject, sandbox: null, resultBytes: bytes };
}

/** Whether all text of the value has a UTF-8 form. `JSON.stringify` would write a lone surrogate as an escape. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, member]) => key.isWellFormed() && isWellFormed(member));
}

/** The depth is bounded because code that shows or copies a result may do so recursively. */
function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(ERRORS, code);
}

function contained(reason: string): CapabilityOutcome {
  return unsuccessful("contained", "FEMTO_CAPABILITY_CONTAINED", reason);
}

function unsuccessful(
  event: (typeof UNSUCCESSFUL)[number],
  code: ErrorCode,
  reason: string,
  fix = ERRORS[code].fix,
): CapabilityOutcome {
  return { event, code, reason, fix, sandbox: null };
}
