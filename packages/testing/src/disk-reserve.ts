/**
 * The reserve of a state directory, as an earlier host leaves it. Without it each host and each runtime of a test writes
 * 128 MiB and waits for the disk, which takes a third of the processor time of a start. Here the file system gives the
 * room, and nothing is written.
 */
import { spawnSync } from "node:child_process";
import {
  type CopySyncOptions,
  chownSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { RESERVE_BYTES } from "@femtoclaw/journal";

/**
 * Leaves the reserve in a state directory that has none, and makes the directory if it is missing. Both belong to the
 * user whose folder they are in, because that is the user who runs the host.
 */
export function leaveReserve(state: string): void {
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const path = join(state, "reserve");
  closeSync(openSync(path, "wx", 0o600));
  const { uid, gid } = statSync(dirname(state));
  for (const made of [state, path]) chownSync(made, uid, gid);
  const { status } = spawnSync("/usr/bin/fallocate", ["--length", String(RESERVE_BYTES), path], { stdio: "ignore" });
  // Where a system cannot do that, the host writes the reserve itself.
  if (status !== 0) rmSync(path);
}

/** Copies a state directory. Its reserve is left anew, because its bytes say nothing. */
export function copyState(from: string, to: string, options: CopySyncOptions = {}): void {
  const reserve = join(from, "reserve");
  cpSync(from, to, { ...options, recursive: true, filter: (path) => path !== reserve });
  if (existsSync(reserve)) leaveReserve(to);
}
