/** Starts servers of others that a system needs beside it. They end with it. */
import { spawn } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "./until.ts";

/** LIMIT: milliseconds in which a server has to accept calls, recovery from a crash included. */
const READY_MS = 30_000;

export interface ServerOptions {
  readonly directory: string;
  /** Its output goes to a file of this name. */
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** An attempt that fails counts as not ready. */
  readonly isReady: () => Promise<boolean>;
}

/**
 * Restarts a server that ends before it is ready: after a crash, a remainder of the previous one may still hold its
 * place.
 */
export async function startServer({ directory, name, command, env = {}, isReady }: ServerOptions): Promise<void> {
  const path = join(directory, `${name}.log`);
  const log = openSync(path, "a", 0o600);
  const [program, ...args] = command;
  const run = () =>
    spawn(program, args, { cwd: directory, env: { ...process.env, ...env }, stdio: ["ignore", log, log] });
  let child = run();
  try {
    await until(`${name} takes calls`, READY_MS, async () => {
      if (child.exitCode !== null || child.signalCode !== null) child = run();
      return (await isReady()) || null;
    });
  } catch (cause) {
    const said = readFileSync(path, "utf8").trimEnd().split("\n").at(-1);
    throw new Error(`${name} does not start; it said last: ${said}`, { cause });
  }
}
