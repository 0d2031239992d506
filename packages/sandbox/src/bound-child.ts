/** What confines a child, in the control groups that bound it, where there are such. */
import type { ChildProcess, IOType } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { BEGIN_DESCRIPTOR, FILTER_DESCRIPTOR, STATUS_DESCRIPTOR } from "./bubblewrap.ts";
import type { ChildLimits, ToldLimit } from "./child-limits.ts";
import type { ChildStart } from "./child-start.ts";
import { type ChildOptions, killGroup, killWhole, signalInside, startChild } from "./confined-child.ts";
import type { ChildGroup } from "./control-groups.ts";
import { exitCodeIn, faultIn } from "./exit-status.ts";
import { isByGroup, type Rung } from "./rung.ts";
import type { SandboxView } from "./view.ts";

export class BoundChild {
  readonly process: ChildProcess;
  /**
   * Resolves when the sandbox stands. Rejects with FEMTO_SANDBOX_UNAVAILABLE where the child cannot be
   * bounded; then nothing of it ran. Where it ends before that, its end tells why, and this stays open.
   */
  readonly started: Promise<void>;
  readonly #started = Promise.withResolvers<void>();
  #group: ChildGroup | null = null;
  readonly #rung: Rung["name"];
  #status = "";

  /** Throws as `startChild` does. */
  constructor(
    view: SandboxView,
    start: ChildStart,
    limits: ChildLimits,
    stdio: readonly [IOType | number, IOType | number, IOType | number],
    options: ChildOptions = {},
  ) {
    this.started = this.#started.promise;
    this.#rung = view.rung.name;
    // Who waits for the end alone hears of a start that failed as an end.
    this.started.catch(() => undefined);
    // The kernel takes its time for groups, so they are made while what confines it is loaded.
    const group = view.groups?.begin(limits) ?? Promise.resolve(null);
    const end = (): void => void group.then((made) => made?.end()).catch(() => undefined);
    try {
      this.process = startChild(start, stdio, options);
    } catch (error) {
      end();
      throw error;
    }
    const { pid } = this.process;
    if (pid === undefined) end();
    else this.process.once("exit", end);
    if (pid !== undefined && isByGroup(this.#rung)) this.process.once("exit", () => killGroup(pid));
    // A program need not read its input to the end; how it ended is told by its status.
    for (const stream of this.process.stdio) stream?.on("error", () => undefined);
    const status = this.process.stdio[STATUS_DESCRIPTOR] as Readable | null | undefined;
    status?.setEncoding("utf8").on("data", (text: string) => {
      this.#status += text;
      if (this.#status.includes('"child-pid"')) this.#started.resolve();
    });
    this.#release(group, start).catch((error: unknown) => this.#refuse(error));
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

  /** The limits that its processes came up against, as far as the kernel tells. */
  get exceeded(): readonly ToldLimit[] {
    return this.#group?.exceeded() ?? [];
  }

  /**
   * INVARIANT: I9: what confines it begins when it is in its groups, so that all that it starts is.
   */
  async #release(making: Promise<ChildGroup | null>, { told, begin, isHeld }: ChildStart): Promise<void> {
    this.#group = await making;
    const { pid, stdio } = this.process;
    if (pid === undefined || this.#isOver) return;
    await this.#group?.join(pid);
    const pipes = stdio as readonly unknown[];
    const beginning = pipes[BEGIN_DESCRIPTOR] as Writable | null | undefined;
    if (isHeld) beginning?.write(begin);
    else beginning?.end(begin);
    (pipes[FILTER_DESCRIPTOR] as Writable | null | undefined)?.end(told);
  }

  /** What was ended meanwhile has left its groups; how it ended is told by its end. */
  get #isOver(): boolean {
    const { exitCode, signalCode, killed } = this.process;
    return exitCode !== null || signalCode !== null || killed;
  }

  #refuse(error: unknown): void {
    if (this.#isOver) return;
    this.kill();
    this.#started.reject(error);
  }
}
