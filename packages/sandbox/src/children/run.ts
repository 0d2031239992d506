/**
 * Runs one command inside the sandbox, with limits of time and output, ends it with everything it started, and tells a
 * failure of the sandbox from a failure of the program. Call this from the main thread: bubblewrap dies with the thread
 * that started it.
 */
import type { Duplex, Readable, Writable } from "node:stream";
import { FemtoError, LIMITS, printable, systemErrorCode } from "@femtoclaw/protocol";
import { relayProgram } from "#relay-program";
import { HANDED_DESCRIPTOR, RELAY_DESCRIPTOR, type SandboxCommand } from "../bubblewrap.ts";
import { RelayChannel } from "../relay/relay-channel.ts";
import { RELAY_FOLDER } from "../relay/relay-command.ts";
import { nextStart } from "../spawning/next-start.ts";
import type { SpawnedProcess } from "../spawning/spawned-process.ts";
import { currentView } from "../views/current-view.ts";
import { lostFix, lostText } from "../views/kept-paths.ts";
import type { SandboxView } from "../views/view.ts";
import { BoundChild } from "./bound-child.ts";
import { type ChildLimits, limitOfSignal, type ToldLimit } from "./child-limits.ts";
import { childStart } from "./child-start.ts";
import { signalOf } from "./exit-status.ts";
import { Output } from "./output.ts";
import { STAGES_CHARS, STAGES_DESCRIPTOR, type StageEnd, stageEnds } from "./pipeline.ts";
import { leaveKilled, type PreparedChild } from "./prepared-child.ts";

export interface SandboxRun {
  readonly view: SandboxView;
  readonly command: SandboxCommand;
  readonly limits: ChildLimits;
  readonly stdin?: Uint8Array;
  readonly timeoutMs: number;
  /** Bytes of both outputs together; a program that writes more is killed. */
  readonly outputBytesMax: number;
  readonly signal: AbortSignal;
  /** Gets the kept output as it arrives. The bytes belong to the run, and the callback must not throw. */
  readonly onOutput?: (stream: "stdout" | "stderr", piece: Uint8Array) => void;
  /**
   * Serves the connections of the programs, which learn of it as their proxy; without it they reach nothing. All
   * connections end with the run.
   */
  readonly onConnection?: (connection: Duplex) => void;
  /** Whether more such calls are to be expected, so that a child may be started ahead for the next one. */
  readonly isUsual?: boolean;
  /**
   * A child prepared for the same view, command and limits, used if the run needs nothing else; unused, it stays its
   * maker's.
   */
  readonly prepared?: PreparedChild;
  /** The contents of the view's `handed` files, in the order of their descriptors. */
  readonly handed?: readonly Uint8Array[];
}

export interface SandboxResult {
  /** The program's exit code, 128 + N if signal N ended it; null if it was killed from here. */
  readonly exitCode: number | null;
  /** The signal that ended the program, or that an exit code above 128 stands for by convention. */
  readonly signal: string | null;
  /** How each program of a pipeline ended. The end of the last one is that of the whole. */
  readonly stages?: readonly StageEnd[];
  /** The limits that it ran into, as far as that can be known. */
  readonly exceeded: readonly ToldLimit[];
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** The program wrote more than was allowed; the first part is kept. */
  readonly truncated: boolean;
  readonly timedOut: boolean;
  readonly cancelled: boolean;
  readonly durationMs: number;
}

/**
 * Throws FEMTO_SANDBOX_UNAVAILABLE if the program was not started, and FEMTO_FILE_CHANGED if it was killed because a
 * path kept from it was changed. Whatever the program itself did is a result.
 */
export async function runSandboxed(request: SandboxRun): Promise<SandboxResult> {
  const { view, signal, prepared } = request;
  if (signal.aborted) return notStarted();
  const ready = isPlain(request) ? (prepared?.take() ?? null) : null;
  if (ready !== null) return await ranTo(ready, request);
  await nextStart();
  if (signal.aborted) return notStarted();
  const planned = view.children.begin(view, currentView);
  let bound: BoundChild;
  try {
    bound = begun(planned, request);
  } catch (error) {
    view.children.end();
    throw error;
  }
  return await ranTo(bound, request);
}

/** Runs a child that already counts among the running ones, and takes it off the count at the end. */
async function ranTo(bound: BoundChild, request: SandboxRun): Promise<SandboxResult> {
  let isKilled = false;
  try {
    const { result } = new Run(bound, request);
    bound.release();
    const ran = await result;
    isKilled = ran.exitCode === null;
    return ran;
  } finally {
    if (isKilled || bound.lost !== null) leaveKilled(request.view);
    else request.view.children.end();
  }
}

const notStarted = (): SandboxResult => ({
  exitCode: null,
  signal: null,
  exceeded: [],
  stdout: Buffer.alloc(0),
  stderr: Buffer.alloc(0),
  truncated: false,
  timedOut: false,
  cancelled: true,
  durationMs: 0,
});

/** Whether the program needs no descriptor that a child which was started before its call lacks. */
const isPlain = ({ stdin, command, onConnection, handed = [] }: SandboxRun): boolean =>
  stdin === undefined && command.into === undefined && onConnection === undefined && handed.length === 0;

function begun(view: SandboxView, run: SandboxRun): BoundChild {
  const { limits, stdin, command, onConnection, handed = [], isUsual = false } = run;
  const start = childStart(
    view,
    command,
    limits,
    false,
    onConnection === undefined ? null : relayProgram(RELAY_FOLDER),
  );
  if (isUsual && isPlain(run) && view.groups !== null) return view.groups.waiting.begin(view, start, limits);
  const stdio = [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"] as const;
  // The relay's descriptor follows that of the pipeline's reports, even if there is no pipeline.
  const pipes = onConnection === undefined ? Number(command.into !== undefined) : 2;
  const bound = new BoundChild(view, start, limits, stdio, { pipes, handed: handed.length });
  bound.begin(start);
  return bound;
}

class Run {
  readonly result: Promise<SandboxResult>;
  readonly #bound: BoundChild;
  readonly #child: SpawnedProcess;
  readonly #request: SandboxRun;
  readonly #startedMs = performance.now();
  readonly #stdout = new Output();
  readonly #stderr = new Output();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #deferred = Promise.withResolvers<SandboxResult>();
  #relay: RelayChannel | null = null;
  #stages = "";
  #keptBytes = 0;
  #truncated = false;
  #killed = false;
  #settled = false;
  #ended: "timedOut" | "cancelled" | null = null;
  readonly #cancel = (): void => this.#end("cancelled");

  constructor(bound: BoundChild, request: SandboxRun) {
    const child = bound.process;
    this.#bound = bound;
    this.#child = child;
    this.#request = request;
    this.result = this.#deferred.promise;
    child.on("error", (error) => this.#fail(systemErrorCode(error) ?? error.message));
    bound.started.catch((error: unknown) => this.#reject(error));
    // If no descriptors were left for the child, Node made no streams either.
    if (child.pid === undefined) return;
    child.on("exit", () => this.#after(LIMITS.graceMs, () => this.#destroyStreams()));
    child.on("close", () => this.#settle());
    this.#connect();
    this.#after(request.timeoutMs, () => this.#end("timedOut"));
    request.signal.addEventListener("abort", this.#cancel, { once: true });
  }

  #connect(): void {
    const { stdin, stdout, stderr, stdio } = this.#child;
    stdout?.on("data", (chunk: Buffer) => this.#keep("stdout", chunk));
    stderr?.on("data", (chunk: Buffer) => this.#keep("stderr", chunk));
    const stages = (stdio as readonly unknown[])[STAGES_DESCRIPTOR] as Readable | null | undefined;
    stages?.setEncoding("utf8").on("data", (text: string) => {
      this.#stages += text;
      // INVARIANT: I9: a program can take over the shell that started it, and write reports without end.
      if (this.#stages.length > STAGES_CHARS) stages.destroy();
    });
    stdin?.end(this.#request.stdin);
    for (const [index, bytes] of (this.#request.handed ?? []).entries()) {
      ((stdio as readonly unknown[])[HANDED_DESCRIPTOR + index] as Writable | null | undefined)?.end(bytes);
    }
    const { onConnection } = this.#request;
    const relayed = (stdio as readonly unknown[])[RELAY_DESCRIPTOR] as Duplex | null | undefined;
    if (onConnection !== undefined && relayed) this.#relay = new RelayChannel(relayed, onConnection);
  }

  #after(ms: number, act: () => void): void {
    if (!this.#settled) this.#timers.push(setTimeout(act, ms));
  }

  #keep(stream: "stdout" | "stderr", chunk: Buffer): void {
    const room = this.#request.outputBytesMax - this.#keptBytes;
    const kept = chunk.subarray(0, room);
    this.#keptBytes += kept.length;
    (stream === "stdout" ? this.#stdout : this.#stderr).append(kept);
    this.#request.onOutput?.(stream, kept);
    if (kept.length === chunk.length) return;
    this.#truncated = true;
    this.#kill();
  }

  /** Asks the program to end, and kills it with everything it started if it has not done so after the grace time. */
  #end(why: "timedOut" | "cancelled"): void {
    if (this.#ended !== null || this.#killed) return;
    this.#ended = why;
    const whom = this.#request.command.into === undefined ? "program" : "all";
    if (this.#bound.signal("SIGTERM", whom)) this.#after(LIMITS.graceMs, () => this.#kill());
    else this.#kill();
  }

  #kill(): void {
    if (this.#killed) return;
    this.#killed = true;
    this.#bound.kill();
    this.#destroyStreams();
    // A process that waits for a broken device cannot even be killed; the caller need not wait with it.
    this.#after(LIMITS.graceMs, () => this.#settle());
  }

  #destroyStreams(): void {
    for (const stream of this.#child.stdio) stream?.destroy();
  }

  #release(): void {
    this.#settled = true;
    this.#relay?.destroy();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#request.signal.removeEventListener("abort", this.#cancel);
  }

  #fail(reason: string): void {
    this.#reject(
      new FemtoError(
        "FEMTO_SANDBOX_UNAVAILABLE",
        `${this.#request.view.rung.name} did not start the program: ${printable(reason, 300)}`,
      ),
    );
  }

  #reject(error: unknown): void {
    this.#release();
    this.#deferred.reject(error);
  }

  #exceeded(signals: readonly (string | null)[]): ToldLimit[] {
    const bySignal = signals.flatMap((signal) => limitOfSignal(signal) ?? []);
    return [...new Set([...this.#bound.exceeded, ...bySignal])].sort();
  }

  /** Somebody else killed it after the sandbox stood, for example the kernel when memory ran out. */
  #isKilledFromOutside(): boolean {
    const isKilled = this.#child.signalCode !== null || this.#bound.exceeded.length > 0;
    return isKilled && this.#bound.status.includes('"child-pid"');
  }

  #settle(): void {
    this.#release();
    const { exitCode, lost } = this.#bound;
    if (lost !== null) {
      const fix = lostFix("Send the call again");
      return this.#deferred.reject(new FemtoError("FEMTO_FILE_CHANGED", lostText(lost), { fix }));
    }
    const isEnded = this.#killed || this.#ended !== null || this.#isKilledFromOutside();
    if (exitCode === null && !isEnded) {
      this.#fail(this.#bound.fault ?? (this.#stderr.bytes.toString().trim() || "it gave no reason"));
      return;
    }
    const ownSignal = this.#child.signalCode ?? (this.#killed ? "SIGKILL" : "SIGTERM");
    const signal = exitCode === null ? ownSignal : signalOf(exitCode);
    const { into } = this.#request.command;
    const stages = into === undefined ? undefined : stageEnds(this.#stages, into.length + 1);
    this.#deferred.resolve({
      exitCode,
      signal,
      ...(stages === undefined ? {} : { stages }),
      exceeded: this.#exceeded([signal, ...(stages ?? []).map((stage) => stage.signal)]),
      stdout: this.#stdout.bytes,
      stderr: this.#stderr.bytes,
      truncated: this.#truncated,
      timedOut: this.#ended === "timedOut",
      cancelled: this.#ended === "cancelled",
      durationMs: Math.round(performance.now() - this.#startedMs),
    });
  }
}
