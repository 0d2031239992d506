/** Finds processes that a test has started, by how long they sleep. */
import { readdirSync, readFileSync } from "node:fs";

/** An argument for `sleep` that no other process on this machine has. */
export const uniqueSeconds = (): string => `7${Math.floor(Math.random() * 1e9)}.25`;

/** Whether somebody sleeps for so many seconds. */
export function isSleeping(seconds: string): boolean {
  return readdirSync("/proc").some((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8").includes(`sleep\0${seconds}`);
    } catch {
      // It has ended since the folder was listed.
      return false;
    }
  });
}
