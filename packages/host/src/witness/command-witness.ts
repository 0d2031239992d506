/**
 * A witness that is a program of the operator's. It gets the request of C2SP tlog-witness on stdin and accepts the
 * checkpoint by exiting with 0. It gets none of the host's environment variables, and is killed when its time is over.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { formatAddCheckpoint } from "@femtoclaw/journal";
import type { CheckpointOffer, Witness, WitnessAnswer } from "@femtoclaw/runtime";

/** LIMIT: bytes kept of the program's stderr, which become part of a reason. */
const SAID_BYTES_MAX = 512;

export class CommandWitness implements Witness {
  readonly kind = "command";
  readonly name: string;
  readonly #command: readonly [string, ...string[]];

  constructor(name: string, command: readonly [string, ...string[]]) {
    this.name = name;
    this.#command = command;
  }

  async take({ note, knownSize, prove, signal }: CheckpointOffer): Promise<WitnessAnswer> {
    const request = formatAddCheckpoint({ oldSize: knownSize, proof: await prove(knownSize), note });
    const [program, ...argv] = this.#command;
    // A process group of its own, so that what the program has started is killed with it.
    const child = spawn(program, argv, { cwd: "/", env: {}, stdio: ["pipe", "ignore", "pipe"], detached: true });
    const end = (): void => killGroup(child.pid);
    signal.addEventListener("abort", end);
    try {
      // A program that does not read its input may still exit with 0.
      child.stdin.on("error", () => undefined).end(request);
      let said = Buffer.alloc(0);
      child.stderr.on("data", (chunk: Buffer) => {
        said = Buffer.concat([said, chunk.subarray(0, SAID_BYTES_MAX - said.length)]);
      });
      const closed = new Promise((resolve) => child.once("close", resolve));
      const [code, killedBy] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
      if (code === 0) return { taken: true, note };
      // The last output may arrive after the exit.
      end();
      await closed;
      const words = said.toString().trim();
      const reason = `its command ended with ${code ?? killedBy}${words === "" ? "" : `: ${words}`}`;
      return { taken: false, contradicts: false, reason };
    } finally {
      signal.removeEventListener("abort", end);
      end();
    }
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // All processes in the group have ended by themselves.
  }
}
