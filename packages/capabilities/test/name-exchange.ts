/** An attacker who exchanges two names while calls are made. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { lstatSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";

/** Exchanges two names again and again, as fast as it can: renameat2 with RENAME_EXCHANGE. */
export async function attack(one: string, other: string, { mayEnd = false } = {}): Promise<AsyncDisposable> {
  const code = "my ($x, $y) = @ARGV; while (1) { syscall(316, -100, $x, -100, $y, 2) == 0 or exit 1 }";
  const child: ChildProcess = spawn("/usr/bin/perl", ["-e", code, one, other], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  // The race is on once both states of the name were seen several times.
  for (let flips = 0, last = lstatSync(one).isSymbolicLink(); flips < 20; ) {
    const now = lstatSync(one).isSymbolicLink();
    if (now !== last) flips += 1;
    last = now;
    await turn();
  }
  return {
    // Until it is gone it exchanges names, also those of what is taken away behind it.
    [Symbol.asyncDispose]: async () => {
      if (!mayEnd && child.exitCode !== null) throw new Error("the attack ended by itself");
      const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : null;
      child.kill("SIGKILL");
      await ended;
    },
  };
}
