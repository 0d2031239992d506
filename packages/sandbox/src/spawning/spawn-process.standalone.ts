/** Starts processes of the executable: by the C library where it can, otherwise as Node.js does it. */
import { errorText } from "@femtoclaw/protocol";
import { DirectProcess } from "./direct-process.ts";
import { PosixSpawn } from "./posix-spawn.ts";
import { spawnProcess as spawnByNode, spawnWay as wayOfNode } from "./spawn-process.ts";
import type { SpawnedProcess, SpawnRequest, SpawnWay } from "./spawned-process.ts";

/** `PosixSpawn`, or why there is none; null as long as nobody asked. */
let way: PosixSpawn | SpawnWay | null = null;

/** As in the other form of this module. */
export function spawnProcess(request: SpawnRequest): SpawnedProcess {
  way ??= found();
  return way instanceof PosixSpawn ? new DirectProcess(way, request) : spawnByNode(request);
}

/** As in the other form of this module. */
export function spawnWay(): SpawnWay {
  way ??= found();
  return way instanceof PosixSpawn ? { by: "posix_spawn", fault: null } : way;
}

function found(): PosixSpawn | SpawnWay {
  if (process.platform !== "linux") return wayOfNode();
  try {
    return new PosixSpawn();
  } catch (error) {
    // An older C library cannot close the descriptors that are not for the child.
    return { ...wayOfNode(), fault: errorText(error) };
  }
}
