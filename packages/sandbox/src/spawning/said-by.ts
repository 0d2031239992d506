/** Asks a program that ends by itself, such as for its version. */
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { spawnProcess } from "#spawn-process";
import { requireStreams } from "../children/confined-child.ts";
import type { SpawnRequest } from "./spawned-process.ts";

export interface Said {
  readonly text: string;
  /** Null if a signal ended the program, also the one that is sent when its time is over. */
  readonly exitCode: number | null;
}

/**
 * What the program wrote to its descriptor `at` when it has ended. `request` gives it a pipe there; on other pipes it is told
 * nothing. Throws the error of the system if it does not start, FEMTO_OS_REFUSED if no descriptor is left.
 */
export async function saidBy(request: Omit<SpawnRequest, "detached">, at: number, timeoutMs: number): Promise<Said> {
  const child = spawnProcess({ ...request, detached: false });
  requireStreams(child);
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  try {
    const ended = once(child, "exit");
    for (const [descriptor, other] of child.stdio.entries()) {
      if (descriptor !== at && other !== null && other !== undefined && "end" in other) {
        other.on("error", () => undefined).end();
      }
    }
    const stream = child.stdio[at];
    // A program that did not start has no streams, and `ended` rejects.
    const whole = stream !== null && stream !== undefined && "read" in stream ? text(stream) : "";
    const [said] = await Promise.all([whole, ended]);
    return { text: said, exitCode: child.exitCode };
  } finally {
    clearTimeout(timer);
  }
}
