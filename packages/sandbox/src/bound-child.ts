/** A child with all that bounds what it uses: the group it is started in, or the eye that is kept on it. */
import type { ChildProcess, IOType } from "node:child_process";
import { readFileSync } from "node:fs";
import { childrenOf, startChild } from "./bubblewrap-child.ts";
import type { ChildLimits, ToldLimit } from "./child-limits.ts";
import type { ChildGroup } from "./control-groups.ts";
import type { SandboxView } from "./view.ts";

/** Pause between two counts where nothing but counting bounds the processes of a child. */
const COUNT_PAUSE_MS = 100;

export class BoundChild {
  readonly process: ChildProcess;
  readonly #group: ChildGroup | null;
  #tooMany = false;

  /** Throws FEMTO_SANDBOX_UNAVAILABLE where its bounds cannot be set, and as `startChild` does. */
  constructor(
    view: SandboxView,
    args: readonly string[],
    limits: ChildLimits,
    stdio: readonly [IOType | number, IOType | number, IOType | number],
    options: { readonly detached?: boolean; readonly pipes?: number } = {},
  ) {
    this.#group = view.groups?.begin(limits) ?? null;
    try {
      const [program, all] = this.#group?.joining(view.bubblewrap, args) ?? [view.bubblewrap, args];
      this.process = startChild(program, all, stdio, options);
    } catch (error) {
      this.#group?.end();
      throw error;
    }
    if (this.process.pid === undefined) this.#group?.end();
    else this.process.once("exit", () => this.#group?.end());
    // The kernel exempts root from counting processes.
    if (this.#group === null && process.getuid?.() === 0) this.#count(limits.processes);
  }

  /** The limits that it came up against, as far as that can be told from outside. */
  get exceeded(): readonly ToldLimit[] {
    return this.#group?.exceeded() ?? (this.#tooMany ? ["processes"] : []);
  }

  #count(most: number): void {
    const { process: child } = this;
    const timer = setInterval(() => {
      if (child.pid === undefined || !isMoreThan(child.pid, most)) return;
      this.#tooMany = true;
      child.kill("SIGKILL");
    }, COUNT_PAUSE_MS);
    timer.unref();
    child.once("close", () => clearInterval(timer));
    child.once("error", () => clearInterval(timer));
  }
}

/** Whether below this process there are more than so many; the whole machine is counted first, which costs nothing. */
function isMoreThan(pid: number, most: number): boolean {
  const all = Number(/\/(\d+) /.exec(readFileSync("/proc/loadavg", "utf8"))?.[1] ?? Number.POSITIVE_INFINITY);
  if (all <= most) return false;
  const found = childrenOf(pid);
  for (let at = 0; at < found.length && found.length <= most; at += 1) found.push(...childrenOf(found[at] ?? 0));
  return found.length > most;
}
