/** The descriptors for a child that is about to be started, and this process's ends of its pipes. */
import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import type { GivenDescriptor, PosixSpawn } from "./posix-spawn.ts";
import type { SpawnRequest } from "./spawned-process.ts";

/** The child always has the first three descriptors, or the first file that it opens would become one of them. */
const STANDARD = 3;

export class ChildDescriptors {
  readonly given: readonly GivenDescriptor[];
  /** This process's ends, by descriptor of the child. */
  readonly pipes = new Map<number, number>();
  /** Open here for the child alone. */
  readonly #forChild: number[] = [];

  /** Throws with the code of the system's error, such as EMFILE if no descriptor is left; then none of these stays open. */
  constructor(posix: PosixSpawn, stdio: SpawnRequest["stdio"]) {
    try {
      this.given = stdio.flatMap((kind, descriptor) => {
        const source = typeof kind === "number" ? kind : this.#open(posix, kind, descriptor);
        return source === null ? [] : [{ descriptor, source }];
      });
    } catch (error) {
      this.closeForChild();
      this.closePipes();
      throw error;
    }
  }

  closeForChild(): void {
    for (const descriptor of this.#forChild) closeSync(descriptor);
  }

  closePipes(): void {
    for (const descriptor of this.pipes.values()) closeSync(descriptor);
  }

  #open(posix: PosixSpawn, kind: SpawnRequest["stdio"][number], descriptor: number): number | null {
    if (kind === "pipe") {
      const pair = posix.socketPair();
      this.pipes.set(descriptor, pair[0]);
      this.#forChild.push(pair[1]);
      return pair[1];
    }
    assert.equal(kind, "ignore");
    if (descriptor >= STANDARD) return null;
    const nothing = openSync("/dev/null", "r+");
    this.#forChild.push(nothing);
    return nothing;
  }
}
