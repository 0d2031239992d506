/** A child of bubblewrap in the control group that bounds it, where there are such. */
import type { ChildProcess, IOType } from "node:child_process";
import { type ChildOptions, startChild } from "./bubblewrap-child.ts";
import type { ChildLimits, ToldLimit } from "./child-limits.ts";
import type { ChildGroup } from "./control-groups.ts";
import type { SandboxView } from "./view.ts";

export class BoundChild {
  readonly process: ChildProcess;
  readonly #group: ChildGroup | null;

  /** Throws FEMTO_SANDBOX_UNAVAILABLE where its group cannot be made, and as `startChild` does. */
  constructor(
    view: SandboxView,
    args: readonly string[],
    limits: ChildLimits,
    stdio: readonly [IOType | number, IOType | number, IOType | number],
    options: ChildOptions = {},
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
  }

  /** The limits that its processes came up against, as far as the kernel tells. */
  get exceeded(): readonly ToldLimit[] {
    return this.#group?.exceeded() ?? [];
  }
}
