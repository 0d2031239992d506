/** One life of a system: its process, with everything that starts from it, until all of it is killed. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { isAlive, killAll, signal, treeCpuUs, treeOf } from "./process-tree.ts";
import { LAST_WORDS, type Place, type Told } from "./system.ts";
import type { SystemName } from "./systems.ts";
import { until } from "./until.ts";
import type { Answer, LoadFigures, Order } from "./worker.ts";

const WORKER = join(import.meta.dirname, "worker.ts");
/** LIMIT: milliseconds for a start, recovery from a crash included. */
const START_MS = 60_000;
/** LIMIT: milliseconds that a load may take beyond its duration, and that an interrupted call may take. */
const ANSWER_MS = 90_000;
/** LIMIT: milliseconds for killed processes to be gone. */
const END_MS = 30_000;
/** LIMIT: characters kept of a process's stderr. */
const SAID_CHARS = 4_096;

export class SystemProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #endNow = (): void => this.#end();
  #said = "";

  private constructor(name: SystemName, { directory, purpose }: Place) {
    // Detached from the terminal's group: an interrupt typed there is for the command, which then kills the whole
    // group.
    this.#child = fork(WORKER, [name, directory, purpose], {
      detached: true,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: { ...process.env, NODE_NO_WARNINGS: "1" },
    });
    this.#closed = once(this.#child, "close");
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#said = (this.#said + text).slice(-SAID_CHARS);
    });
    // Prepended, so that processes are killed before the folder goes into which they write.
    process.prependOnceListener("exit", this.#endNow);
  }

  static async start(name: SystemName, place: Place): Promise<SystemProcess> {
    const own = new SystemProcess(name, place);
    try {
      await own.#answer(START_MS);
      return own;
    } catch (error) {
      await own[Symbol.asyncDispose]();
      throw error;
    }
  }

  async load(callers: number, durationMs: number): Promise<LoadFigures> {
    return (await this.#ask({ do: "load", callers, durationMs }, durationMs + ANSWER_MS)) as LoadFigures;
  }

  async tell(id: string): Promise<Told> {
    return (await this.#ask({ do: "tell", id }, ANSWER_MS)) as Told;
  }

  /** CPU time so far of all its processes, its callers included. */
  get cpuUs(): number {
    return treeCpuUs(this.#pid);
  }

  /**
   * Makes a call during which the system dies: by itself, or killed while its effect waits. Resolves when all of it is
   * dead.
   */
  async die(order: Omit<Extract<Order, { readonly do: "die" }>, "do">, waits: () => boolean): Promise<void> {
    const all = treeOf(this.#pid);
    this.#child.send({ do: "die", ...order } satisfies Order);
    await until(
      `the call came to the step ${order.step}`,
      ANSWER_MS,
      async () => waits() || !isAlive(this.#pid) || null,
    );
    await this.#kill(all);
    if (this.#failure !== null) throw new Error(this.#failure);
  }

  /** Kills whatever is left of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kill([]);
  }

  get #pid(): number {
    if (this.#child.pid === undefined) throw new Error("the process of a system could not be started");
    return this.#child.pid;
  }

  /** Why it ended by itself, or its last output. */
  get #lastWords(): string {
    const lines = this.#said.trimEnd().split("\n");
    return this.#failure ?? `it said last: ${lines.at(-1)}`;
  }

  get #failure(): string | null {
    const line = this.#said.split("\n").findLast((text) => text.startsWith(LAST_WORDS));
    return line === undefined ? null : line.slice(LAST_WORDS.length);
  }

  async #kill(others: readonly number[]): Promise<void> {
    const all = [...new Set([...treeOf(this.#pid), ...others])];
    this.#end();
    killAll(others);
    await this.#closed;
    await until("killed processes are gone", END_MS, async () => !all.some(isAlive) || null);
    process.removeListener("exit", this.#endNow);
  }

  /**
   * Kills descendants, which may have left the group as those of a database do, and the group, for those without a
   * parent.
   */
  #end(): void {
    killAll(treeOf(this.#pid));
    signal(-this.#pid, "SIGKILL");
  }

  /** One order at a time: the next message is its answer. */
  async #ask(order: Order, limitMs: number): Promise<Answer> {
    this.#child.send(order);
    return await this.#answer(limitMs);
  }

  async #answer(limitMs: number): Promise<Answer> {
    const ended = new AbortController();
    const onClose = (): void => ended.abort(new Error(`it ended: ${this.#lastWords}`));
    const late = AbortSignal.timeout(limitMs);
    const signal = AbortSignal.any([ended.signal, late]);
    this.#child.once("close", onClose);
    try {
      const [answer] = await once(this.#child, "message", { signal });
      return answer as Answer;
    } catch (error) {
      if (late.aborted) throw new Error(`no answer within ${limitMs / 1_000} s: ${this.#lastWords}`);
      throw ended.signal.reason ?? error;
    } finally {
      this.#child.removeListener("close", onClose);
    }
  }
}
