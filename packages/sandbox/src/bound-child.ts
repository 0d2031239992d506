/** What confines a child, in the control groups that bound it, where there are such. */
import type { ChildProcess, IOType } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { BEGIN_DESCRIPTOR, FILTER_DESCRIPTOR, STATUS_DESCRIPTOR } from "./bubblewrap.ts";
import type { ChildGroup } from "./child-group.ts";
import type { ChildLimits, ToldLimit } from "./child-limits.ts";
import type { ChildStart } from "./child-start.ts";
import { type ChildOptions, killGroup, killWhole, signalInside, startChild } from "./confined-child.ts";
import { exitCodeIn, faultIn } from "./exit-status.ts";
import { isAsleep } from "./inspection.ts";
import { JOINED, MADE, toldWords } from "./joining.ts";
import { type KeptPaths, KeptWatch } from "./kept-paths.ts";
import { isByGroup, processesBeside, type Rung } from "./rung.ts";
import type { SandboxView } from "./view.ts";

/** LIMIT: characters that are kept of what is said of a child, of its beginning and of its end; there are some hundred. */
const STATUS_CHARS = 4_096;

export class BoundChild {
  readonly process: ChildProcess;
  /**
   * Resolves when the sandbox stands. Rejects with FEMTO_SANDBOX_UNAVAILABLE where the child cannot be
   * bounded; then nothing of it ran. Where it ends before that, its end tells why, and this stays open.
   */
  readonly started: Promise<void>;
  /** Resolves when nothing of it is left. */
  readonly ended: Promise<void>;
  readonly #started = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #group: ChildGroup | null;
  /** Null where its groups are there, or it has none. */
  readonly #made: Promise<void> | null;
  readonly #rung: Rung["name"];
  readonly #kept: KeptPaths;
  #watch: KeptWatch | null = null;
  #lost: string | null = null;
  #status = "";
  /** What it is told once it is released, and would end with this process. */
  #told: Uint8Array | null = null;
  #isReleased = false;
  /** Bubblewrap says of its child when it would; the others hold on to a descriptor. */
  #endsWithHost = false;

  /** Begins when `begin` is called, and runs its program when `release` is. Throws as `startChild` does. */
  constructor(
    view: SandboxView,
    start: Pick<ChildStart, "program" | "args" | "isHeld">,
    limits: ChildLimits,
    stdio: readonly [IOType | number, IOType | number, IOType | number],
    options: ChildOptions = {},
  ) {
    this.started = this.#started.promise;
    this.ended = this.#ended.promise;
    this.#rung = view.rung.name;
    this.#kept = view.kept;
    // Who waits for the end alone hears of a start that failed as an end.
    this.started.catch(() => undefined);
    // They are made while what confines it is loaded.
    const processes = limits.processes + processesBeside(this.#rung);
    this.#group = view.groups?.begin({ ...limits, processes }) ?? null;
    this.#made = this.#group?.made ?? null;
    const end = (): void => void (this.#group?.end() ?? Promise.resolve()).then(this.#ended.resolve);
    try {
      const joining = this.#group?.joining([start.program, ...start.args]) ?? {};
      this.process = startChild({ ...start, ...joining }, stdio, options);
    } catch (error) {
      end();
      throw error;
    }
    const { pid } = this.process;
    if (pid === undefined) end();
    else this.process.once("exit", end);
    if (pid !== undefined && isByGroup(this.#rung)) this.process.once("exit", () => killGroup(pid));
    // INVARIANT: what somebody else has left of bubblewrap, killed before the filter was told, waits for that and would wait
    // for ever: it does not end with it yet, but where there is no filter.
    this.process.once("exit", () => this.#pipe(FILTER_DESCRIPTOR)?.destroy());
    // A program need not read its input to the end; how it ended is told by its status.
    for (const stream of this.process.stdio) stream?.on("error", () => undefined);
    const status = this.process.stdio[STATUS_DESCRIPTOR] as Readable | null | undefined;
    status?.setEncoding("utf8").on("data", (text: string) => {
      this.#status = bounded(this.#status + text);
      if (this.#status.includes('"child-pid"')) this.#stands();
    });
    const enter = (): void => {
      if (this.#group !== null && !this.isOver) this.#pipe(BEGIN_DESCRIPTOR)?.write(MADE);
    };
    if (this.#made === null) enter();
    else this.#made.then(enter).catch((error: unknown) => this.#refuse(error));
  }

  /** Whether it has ended or was killed: it has left its groups then, and how it ended is told by its end. */
  get isOver(): boolean {
    const { exitCode, signalCode, killed } = this.process;
    return exitCode !== null || signalCode !== null || killed;
  }

  /** Whether it may still be released: it has not ended, and what is kept from it is what it was. It is killed else. */
  stillStands(): boolean {
    this.#watch?.look();
    return !this.isOver;
  }

  /** Whether it has said that it is in its groups, and nothing since. */
  get isIn(): boolean {
    return this.#status === JOINED;
  }

  /** Whether it is in its groups still, which have their limits, and waits for `begin` and for nothing else. */
  get isReady(): boolean {
    const { pid } = this.process;
    if (pid === undefined || this.isOver || this.#group === null) return false;
    return this.isIn && isAsleep(pid) && this.#group.holds(pid);
  }

  /**
   * Lets what confines it begin, with words that its command has beyond those that it was started with. INVARIANT: I9:
   * that begins when it is in its groups, so that all that it starts is.
   */
  begin({ told, begin, isHeld }: Pick<ChildStart, "told" | "begin" | "isHeld">, words: readonly string[] = []): void {
    const enter = (): void => {
      if (this.isOver) return;
      // INVARIANT: I8: it is known before what confines it looks at the very paths, so that nothing comes off unseen.
      this.#keep();
      const first = this.#group === null ? "" : toldWords(words);
      if (isHeld) this.#pipe(BEGIN_DESCRIPTOR)?.write(first + begin);
      else this.#pipe(BEGIN_DESCRIPTOR)?.end(first + begin);
      this.#told = told;
      this.#endsWithHost ||= isHeld;
      this.#tell();
    };
    if (this.#made === null) enter();
    else this.#made.then(enter).catch(() => undefined);
  }

  /**
   * Lets its program run. INVARIANT: I1, I7: none is started before this, nor before the child would end with this process,
   * because what confines it starts none before it was told all: bubblewrap the filter, the others what to do. Where this
   * process ends first, it ends as well.
   */
  release(): void {
    this.#isReleased = true;
    this.#tell();
  }

  /** What was said of the child by what confines it. */
  get status(): string {
    return this.#status;
  }

  /**
   * Why no program was started, where the launcher says it. INVARIANT: I7: bubblewrap says that on stderr, so what stands
   * here under bubblewrap was written by a program, and does not make of it one that was never started.
   */
  get fault(): string | null {
    return isByGroup(this.#rung) ? faultIn(this.#status) : null;
  }

  /** Null while there is none, and where no program was started. */
  get exitCode(): number | null {
    return this.fault === null ? exitCodeIn(this.#status) : null;
  }

  /** False where nothing inside could be reached. */
  signal(signal: NodeJS.Signals, whom: "program" | "all" = "program"): boolean {
    return signalInside(this.process, this.#rung, signal, whom);
  }

  /** INVARIANT: nothing that runs inside outlives this. */
  kill(): void {
    killWhole(this.process, this.#rung);
  }

  /** What was to be kept from it and was not any more, so that it was killed; null where there was nothing. */
  get lost(): string | null {
    return this.#lost;
  }

  /** The limits that its processes came up against, as far as the kernel tells. */
  get exceeded(): readonly ToldLimit[] {
    return this.#group?.exceeded() ?? [];
  }

  #keep(): void {
    if (this.process.pid === undefined) return;
    const watch = new KeptWatch(this.#kept, (path) => {
      this.#lost = path;
      this.kill();
    });
    this.#watch = watch;
    this.process.once("exit", () => watch[Symbol.dispose]());
  }

  #stands(): void {
    this.#started.resolve();
    this.#endsWithHost = true;
    this.#tell();
  }

  #tell(): void {
    if (this.#told === null || !this.#isReleased || !this.#endsWithHost) return;
    this.#pipe(FILTER_DESCRIPTOR)?.end(this.#told);
    this.#told = null;
  }

  #pipe(descriptor: number): Writable | null | undefined {
    return (this.process.stdio as readonly unknown[])[descriptor] as Writable | null | undefined;
  }

  #refuse(error: unknown): void {
    if (this.isOver) return;
    this.kill();
    this.#started.reject(error);
  }
}

/**
 * INVARIANT: I9: a program that speaks in the place of what confines it may do so without end. It is heard all the same, or
 * what confines it could not say how the program ended.
 */
function bounded(said: string): string {
  return said.length <= 2 * STATUS_CHARS ? said : said.slice(0, STATUS_CHARS) + said.slice(-STATUS_CHARS);
}
