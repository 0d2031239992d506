/**
 * The group around those of this host's children, in one hierarchy. It exists as long as there is a group within it.
 */
import { mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode } from "@femtoclaw/protocol";
import type { Controller } from "./group-hierarchies.ts";

/** A group and the controllers by which it limits its processes. */
export interface Group {
  readonly folder: string;
  readonly version: 1 | 2;
  readonly controllers: readonly Controller[];
}

export class HostGroup {
  readonly group: Group;
  #held = 0;
  #made: Promise<void> | null = null;

  constructor(group: Group) {
    this.group = group;
  }

  /**
   * Resolves once the group exists and passes its controllers on to groups within it; null if that is so at once. The
   * group stays until `letGo` was called as often. INVARIANT: I9: in version 2 a group made before that has no limits,
   * so everybody who comes meanwhile waits for the same promise.
   */
  hold(): Promise<void> | null {
    this.#held += 1;
    if (this.group.version === 2) {
      this.#made ??= this.#make();
      return this.#made;
    }
    if (this.#held > 1) return null;
    try {
      mkdirSync(this.group.folder);
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST") return Promise.reject(error);
    }
    return null;
  }

  /** INVARIANT: a host in which nothing runs leaves no group behind, however it ends. */
  letGo(): void {
    this.#held -= 1;
    if (this.#held > 0) return;
    this.#made = null;
    isRemoved(this.group.folder);
  }

  async #make(): Promise<void> {
    const { folder, controllers } = this.group;
    await mkdir(folder).catch((error: unknown) => {
      if (systemErrorCode(error) !== "EEXIST") throw error;
    });
    const file = join(folder, "cgroup.subtree_control");
    const enabled = (await readFile(file, "utf8")).split(/\s+/);
    const missing = controllers.filter((controller) => !enabled.includes(controller));
    if (missing.length > 0) await writeFile(file, missing.map((controller) => `+${controller}`).join(" "));
  }
}

/** INVARIANT: the kernel refuses to remove a group that contains a process or another group, so trying is harmless. */
export function isRemoved(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return systemErrorCode(error) === "ENOENT";
  }
}

export function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
