/** Starts processes of the executable: by the C library where it is Linux's, else as Node.js does it. */
import { spawn } from "node:child_process";
import { DirectProcess } from "./direct-process.ts";
import { PosixSpawn } from "./posix-spawn.ts";
import type { SpawnedProcess, SpawnRequest } from "./spawned-process.ts";

let posix: PosixSpawn | null = null;

/** Starts the program in `/` without any variables. Throws if its arguments or descriptors cannot be passed. */
export function spawnProcess(request: SpawnRequest): SpawnedProcess {
  if (process.platform === "linux") {
    posix ??= new PosixSpawn();
    return new DirectProcess(posix, request);
  }
  const { program, args, detached, stdio } = request;
  return spawn(program, args, { detached, cwd: "/", env: {}, stdio: [...stdio] });
}
