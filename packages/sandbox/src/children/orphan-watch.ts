/**
 * Ends what a killed host leaves behind under bubblewrap. The process 1 of a sandbox asks the kernel to be killed
 * together with bubblewrap only after it has started the program, and nothing holds the program back until then. If the
 * host is killed in between, nothing ends the sandbox any more. So a shell beside the host waits for the end of the host,
 * and then kills each process that carries the mark of this host.
 */
import { randomUUID } from "node:crypto";
import type { Writable } from "node:stream";
import { FemtoError } from "@femtoclaw/protocol";
import { spawnProcess } from "#spawn-process";
import type { SpawnedProcess, SpawnRequest } from "../spawning/spawned-process.ts";

/** A path that never exists, because nobody can make files there. No other host has it. */
const MARK = `/proc/femtoclaw-${randomUUID()}`;

/**
 * Arguments for bubblewrap that it skips. INVARIANT: I9: bubblewrap and its process 1, which has the same command line
 * and which no program can reach, are found by them.
 */
export const MARKED: readonly string[] = ["--ro-bind-try", MARK, MARK];

/**
 * The mark arrives on stdin, and stdin ends with the host. The shell looks more than once: a process that is just
 * becoming another program has no command line for a moment, and bubblewrap may start one more before it is killed. The
 * last looks are a second apart, whatever was found. The shell has a session of its own, where no interrupt typed for
 * the host reaches it.
 */
const SCRIPT = `
PATH=/usr/bin:/bin
trap "" HUP INT QUIT TERM
read -r femto_mark || exit 1
read -r femto_end
for femto_look in 1 2 3 4 5; do
  femto_found=$(echo "$femto_mark" | grep -lsF -f - /proc/[0-9]*/cmdline)
  for femto_path in $femto_found; do
    femto_pid=\${femto_path#/proc/}
    kill -KILL "\${femto_pid%/cmdline}"
  done
  [ "$femto_found" ] && [ "$femto_look" -lt 3 ] || sleep 1
done
`;

/** One for this process, because it is the end of this process that is watched for. */
class OrphanWatch {
  #shell: SpawnedProcess | null = null;
  #children = 0;

  constructor() {
    // If a child still runs, this process does not end in an orderly way, and the watch does its work.
    process.once("exit", () => void (this.#children === 0 && this.#shell?.kill("SIGKILL")));
  }

  start(request: SpawnRequest, shell: string): SpawnedProcess {
    this.#shell ??= this.#stand(shell);
    const child = spawnProcess(request);
    if (child.pid === undefined) return child;
    this.#children += 1;
    return child.once("exit", () => (this.#children -= 1));
  }

  #stand(program: string): SpawnedProcess {
    const args = ["-c", SCRIPT, "sh"];
    const shell = spawnProcess({ program, args, detached: true, stdio: ["pipe", "ignore", "ignore"] });
    shell.on("error", () => undefined);
    if (shell.pid === undefined) throw notWatched();
    shell.once("exit", () => (this.#shell = null));
    const stdin = shell.stdin as Writable & { unref(): void };
    stdin.on("error", () => undefined);
    stdin.write(`${MARK}\n`);
    stdin.unref();
    shell.unref();
    return shell;
  }
}

function notWatched(): FemtoError {
  return new FemtoError("FEMTO_OS_REFUSED", "the process that ends what a killed host leaves could not be started", {
    fix: "Send the call again when fewer calls run. An operator can raise the host's limits of processes and open files.",
  });
}

const WATCH = new OrphanWatch();

/**
 * Starts a process of bubblewrap. INVARIANT: I9: the watch stands before it. If somebody has ended the watch, another
 * one is started now. Throws FEMTO_OS_REFUSED if that fails, and otherwise as `spawnProcess` does.
 */
export function startWatched(request: SpawnRequest, shell: string): SpawnedProcess {
  return WATCH.start(request, shell);
}
