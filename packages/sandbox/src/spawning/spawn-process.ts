/** Starts processes of the sources: as Node.js does it. */
import { spawn } from "node:child_process";
import type { SpawnedProcess, SpawnRequest } from "./spawned-process.ts";

/** Starts the program in `/` without any variables. Throws if its arguments or descriptors cannot be passed. */
export function spawnProcess({ program, args, detached, stdio }: SpawnRequest): SpawnedProcess {
  return spawn(program, args, { detached, cwd: "/", env: {}, stdio: [...stdio] });
}
