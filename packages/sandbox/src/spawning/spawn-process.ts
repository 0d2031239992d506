/** Starts processes as Node.js does it. */
import { type IOType, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { FemtoError, systemErrorCode } from "@femtoclaw/protocol";
import { inheritedDescriptors } from "../views/inspection.ts";
import type { SpawnedProcess, SpawnRequest, SpawnWay } from "./spawned-process.ts";

/** For `doctor`. */
export function spawnWay(): SpawnWay {
  return { by: "Node.js", fault: null };
}

/**
 * Starts the program in `/`, without any variables. Throws an error of the system if its arguments or descriptors cannot
 * be passed.
 */
export function spawnProcess({ program, args, detached, stdio }: SpawnRequest): SpawnedProcess {
  const all: (IOType | number)[] = [...stdio];
  const nothing = openSync("/dev/null", "r+");
  try {
    // INVARIANT: no descriptor of this process reaches a child for which it is not meant, not even one opened without
    // close-on-exec since the start, as terminals are; the null device takes its place.
    for (const descriptor of inheritedDescriptors(pipesToChildren())) {
      while (all.length < descriptor) all.push("ignore");
      if (descriptor >= stdio.length) all[descriptor] = nothing;
    }
    const child = spawn(program, args, { detached, cwd: "/", env: {}, stdio: all });
    if (child.pid !== undefined) children.add(child.once("exit", () => children.delete(child)));
    return child;
  } catch (error) {
    throw systemErrorCode(error) === "EINVAL" && all.length > stdio.length ? tooHigh(all.length - 1) : error;
  } finally {
    closeSync(nothing);
  }
}

function tooHigh(descriptor: number): FemtoError {
  const reason = `the sandbox could not be started (EINVAL): this process inherited descriptor ${descriptor}, which is above its limit of open files`;
  return new FemtoError("FEMTO_OS_REFUSED", reason, {
    fix: `Raise the host's limit of open files above ${descriptor}, or start it without that descriptor.`,
  });
}

/** Children of this process that have not ended. */
const children = new Set<SpawnedProcess>();

/** Descriptors of this process that lead to its children. A hundred children have seven hundred of them. */
function pipesToChildren(): Set<number> {
  const streams = [...children].flatMap(({ stdio }) => stdio);
  // `_handle` is internal to Node: if it goes away one day, the descriptor is examined like any other.
  return new Set(streams.map((stream) => (stream as { _handle?: { fd?: number } } | null)?._handle?.fd ?? -1));
}
