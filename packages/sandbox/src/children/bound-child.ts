/** One confined child in its control groups, if this machine has them. */
import type { IOType } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { BEGIN_DESCRIPTOR, FILTER_DESCRIPTOR, STATUS_DESCRIPTOR } from "../bubblewrap.ts";
import type { ChildGroup } from "../control-groups/child-group.ts";
import { JOINED, MADE, toldWords } from "../control-groups/joining.ts";
import { isByGroup, processesBeside, type Rung } from "../probing/rung.ts";
import type { SpawnedProcess } from "../spawning/spawned-process.ts";
import { CopiedFiles } from "../views/copied-files.ts";
import { isAsleep } from "../views/inspection.ts";
import { type KeptPaths, KeptWatch } from "../views/kept-paths.ts";
import type { SandboxView } from "../views/view.ts";
import type { ChildLimits, ToldLimit } from "./child-limits.ts";
import type { ChildStart } from "./child-start.ts";
import { type ChildOptions, killGroup, killWhole, signalInside, startChild } from "./confined-child.ts";
import { exitCodeIn, faultIn } from "./exit-status.ts";

/**
 * LIMIT: characters kept from the start and from the end of a child's status output, which is some hundred characters
 * long.
 */
const STATUS_CHARS = 4_096;

export class BoundChild {
  readonly process: SpawnedProcess;
  /**
   * Resolves when the sandbox stands. Rejects with FEMTO_SANDBOX_UNAVAILABLE if the child cannot be bounded; then
   * nothing of it ran. If the child ends before that, its exit tells why, and this promise stays pending.
   */
  readonly started: Promise<void>;
  /** Resolves when none of its processes is left. */
  readonly ended: Promise<void>;
  readonly #started = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #group: ChildGroup | null;
  /** Null if the groups exist already, or if the child has none. */
  readonly #made: Promise<void> | null;
  readonly #rung: Rung["name"];
  readonly #kept: KeptPaths;
  readonly #copied: CopiedFiles;
  #watch: KeptWatch | null = null;
  #lost: string | null = null;
  #status = "";
  /** What the confining program is sent once the child is released and would end with this process. */
  #told: Uint8Array | null = null;
  #isReleased = false;
  /** Bubblewrap reports when its child would end with this process; the other programs hold a descriptor for that. */
  #endsWithHost = false;

  /** The child begins when `begin` is called, and runs its program when `release` is. Throws as `startChild` does. */
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
    this.#copied = new CopiedFiles(view.mounts);
    // A caller that waits for `ended` alone learns of a failed start there, so this rejection may go unhandled.
    this.started.catch(() => undefined);
    // The groups are made while the confining program is being loaded.
    const processes = limits.processes + processesBeside(this.#rung);
    this.#group = view.groups?.begin({ ...limits, processes }) ?? null;
    this.#made = this.#group?.made ?? null;
    const end = (): void => void (this.#group?.end() ?? Promise.resolve()).then(this.#ended.resolve);
    try {
      const joining = this.#group?.joining([start.program, ...start.args]) ?? {};
      this.process = startChild({ ...start, ...joining }, view.rung, stdio, this.#copied, options);
    } catch (error) {
      end();
      throw error;
    }
    const { pid } = this.process;
    if (pid === undefined) end();
    else this.process.once("exit", end);
    if (pid !== undefined && isByGroup(this.#rung)) this.process.once("exit", () => killGroup(pid));
    // INVARIANT: bubblewrap may be killed by somebody else before it was sent the filter. Its child, which does not end
    // with it yet at that point, would then wait for the filter for ever; closing the pipe ends it.
    this.process.once("exit", () => this.#pipe(FILTER_DESCRIPTOR)?.destroy());
    // A program need not read its input to the end, so a broken pipe is no error; the status says how it ended.
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

  /** Whether it has exited or was killed. It has left its groups then, and its exit says how it ended. */
  get isOver(): boolean {
    const { exitCode, signalCode, killed } = this.process;
    return exitCode !== null || signalCode !== null || killed;
  }

  /**
   * Whether the child may still be released: it has not ended, and the paths kept from it are unchanged, else it is
   * killed.
   */
  stillStands(): boolean {
    this.#watch?.look();
    return !this.isOver;
  }

  /** Whether the child has reported that it joined its groups, and nothing since. */
  get isIn(): boolean {
    return this.#status === JOINED;
  }

  /**
   * Whether the child still sits in its groups, with their limits, and waits for `begin` and nothing else; and what it
   * will see of the system is what the system has now.
   */
  get isReady(): boolean {
    const { pid } = this.process;
    if (pid === undefined || this.isOver || this.#group === null) return false;
    return this.isIn && isAsleep(pid) && this.#copied.areCurrent() && this.#group.holds(pid);
  }

  /**
   * Lets the confining program begin, with `words` added to those that it was started with. INVARIANT: I9: it begins
   * only after it has joined its groups, so that everything it starts is in them too.
   */
  begin({ told, begin, isHeld }: Pick<ChildStart, "told" | "begin" | "isHeld">, words: readonly string[] = []): void {
    const enter = (): void => {
      if (this.isOver) return;
      // INVARIANT: I8: the watch begins before the confining program looks at the kept paths, so that no change goes
      // unseen.
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
   * Lets the program run. INVARIANT: I1, I7: no program starts before this call, nor before the confining program would
   * end with this process: it starts none until it has been sent everything, which is the filter for bubblewrap and the
   * plan for the others. If this process ends first, the child ends as well. If it ends in the milliseconds after that,
   * while bubblewrap sets the sandbox up, the orphan watch ends the child.
   */
  release(): void {
    this.#isReleased = true;
    this.#tell();
  }

  /** What the confining program has reported about the child. */
  get status(): string {
    return this.#status;
  }

  /**
   * Why no program was started, as reported by the launcher. INVARIANT: I7: bubblewrap reports that on stderr. So what
   * looks like a fault under bubblewrap was written by a program, and must not pass for a program that never started.
   */
  get fault(): string | null {
    return isByGroup(this.#rung) ? faultIn(this.#status) : null;
  }

  /** Null before the program has exited, and if none was started. */
  get exitCode(): number | null {
    return this.fault === null ? exitCodeIn(this.#status) : null;
  }

  /** False if no process inside could be reached. */
  signal(signal: NodeJS.Signals, whom: "program" | "all" = "program"): boolean {
    return signalInside(this.process, this.#rung, signal, whom);
  }

  /** INVARIANT: no process inside outlives this. */
  kill(): void {
    killWhole(this.process, this.#rung);
  }

  /** The kept path that was changed, for which the child was killed; null if there was none. */
  get lost(): string | null {
    return this.#lost;
  }

  /** The limits that its processes ran into, as far as the kernel reports them. */
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
 * INVARIANT: I9: a program that writes to the status descriptor itself may do so without end. It is read nevertheless,
 * or the confining program could not report how the program ended.
 */
function bounded(said: string): string {
  return said.length <= 2 * STATUS_CHARS ? said : said.slice(0, STATUS_CHARS) + said.slice(-STATUS_CHARS);
}
