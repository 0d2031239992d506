/** Starts processes of the executable: by the C library where it can, otherwise as Node.js does it. */
import { DirectProcess } from "./direct-process.ts";
import { PosixSpawn } from "./posix-spawn.ts";
import { spawnProcess as spawnByNode } from "./spawn-process.ts";
import type { SpawnedProcess, SpawnRequest } from "./spawned-process.ts";

let posix: PosixSpawn | null | undefined;

/** As in the other form of this module. */
export function spawnProcess(request: SpawnRequest): SpawnedProcess {
  if (posix === undefined) posix = posixSpawn();
  return posix === null ? spawnByNode(request) : new DirectProcess(posix, request);
}

function posixSpawn(): PosixSpawn | null {
  if (process.platform !== "linux") return null;
  try {
    return new PosixSpawn();
  } catch {
    // An older C library cannot close the descriptors that are not for the child.
    return null;
  }
}
