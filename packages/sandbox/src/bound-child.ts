/** A child of bubblewrap in the control groups that bound it, where there are such. */
import type { ChildProcess, IOType } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { BEGIN_DESCRIPTOR, FILTER_DESCRIPTOR, heldBack, STATUS_DESCRIPTOR } from "./bubblewrap.ts";
import { type ChildOptions, killWhole, startChild } from "./bubblewrap-child.ts";
import type { ChildLimits, ToldLimit } from "./child-limits.ts";
import type { ChildGroup } from "./control-groups.ts";
import type { SandboxView } from "./view.ts";

export class BoundChild {
  readonly process: ChildProcess;
  /**
   * Resolves when bubblewrap has begun with the sandbox. Rejects with FEMTO_SANDBOX_UNAVAILABLE where the child cannot be
   * bounded; then nothing of it ran. Where it ends before that, its end tells why, and this stays open.
   */
  readonly started: Promise<void>;
  readonly #started = Promise.withResolvers<void>();
  #group: ChildGroup | null = null;
  #status = "";

  /** Throws as `startChild` does. */
  constructor(
    view: SandboxView,
    args: readonly string[],
    limits: ChildLimits,
    stdio: readonly [IOType | number, IOType | number, IOType | number],
    options: ChildOptions = {},
  ) {
    this.started = this.#started.promise;
    // Who waits for the end alone hears of a start that failed as an end.
    this.started.catch(() => undefined);
    // The kernel takes its time for groups, so they are made while bubblewrap is loaded.
    const group = view.groups?.begin(limits) ?? Promise.resolve(null);
    const end = (): void => void group.then((made) => made?.end()).catch(() => undefined);
    const { held, first } = heldBack(args);
    try {
      this.process = startChild(view.bubblewrap, first, stdio, options);
    } catch (error) {
      end();
      throw error;
    }
    if (this.process.pid === undefined) end();
    else this.process.once("exit", end);
    // A program need not read its input to the end; how it ended is told by its status.
    for (const stream of this.process.stdio) stream?.on("error", () => undefined);
    const status = this.process.stdio[STATUS_DESCRIPTOR] as Readable | null | undefined;
    status?.setEncoding("utf8").on("data", (text: string) => {
      this.#status += text;
      if (this.#status.includes('"child-pid"')) this.#started.resolve();
    });
    this.#release(group, held, view.filter).catch((error: unknown) => this.#refuse(error));
  }

  /** What bubblewrap has said of the child. */
  get status(): string {
    return this.#status;
  }

  /** The limits that its processes came up against, as far as the kernel tells. */
  get exceeded(): readonly ToldLimit[] {
    return this.#group?.exceeded() ?? [];
  }

  /**
   * INVARIANT: I9: bubblewrap begins when it is in its groups, so that all that it starts is.
   */
  async #release(making: Promise<ChildGroup | null>, held: readonly string[], filter: Uint8Array): Promise<void> {
    this.#group = await making;
    const { pid, stdio } = this.process;
    if (pid === undefined || this.#isOver) return;
    await this.#group?.join(pid);
    const pipes = stdio as readonly unknown[];
    (pipes[BEGIN_DESCRIPTOR] as Writable | null | undefined)?.end(held.map((word) => `${word}\0`).join(""));
    (pipes[FILTER_DESCRIPTOR] as Writable | null | undefined)?.end(filter);
  }

  /** What was ended meanwhile has left its groups; how it ended is told by its end. */
  get #isOver(): boolean {
    const { exitCode, signalCode, killed } = this.process;
    return exitCode !== null || signalCode !== null || killed;
  }

  #refuse(error: unknown): void {
    if (this.#isOver) return;
    killWhole(this.process);
    this.#started.reject(error);
  }
}
