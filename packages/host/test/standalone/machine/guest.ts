/** A machine of its own: an emulated x86-64 with Debian's kernel and systemd, and a way to have scripts run there. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Image } from "./image.ts";

const [PROCESSORS, MEMORY_MIB] = [2, 3072];
const LOOK_AGAIN_MS = 200;
/**
 * One thread for all processors. With several, QEMU before 8.1 can keep a translation of code that another processor changed
 * while it was translated: Debian's kernel, which patches itself, was ended by what looks like it, and so was V8.
 */
const ACCELERATION = "tcg,thread=single";
/** A kernel that gave up ends the emulator, so that nothing waits for an answer of it. */
const AT_PANIC = "panic=-1";

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Guest implements AsyncDisposable {
  readonly #emulator: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #port: Socket;
  readonly #waiting = new Map<number, (said: Said) => void>();
  #count = 0;

  private constructor(emulator: ChildProcess, ended: Promise<unknown>, port: Socket) {
    this.#emulator = emulator;
    this.#ended = ended;
    this.#port = port;
    // What is asked of a machine that is off is answered by its end.
    port.on("error", () => undefined);
    createInterface(port).on("line", (line) => this.#answered(line));
  }

  /** Starts it from the first of the disks. */
  static async start(
    image: Pick<Image, "kernel" | "initrd">,
    disks: readonly string[],
    folder: string,
  ): Promise<Guest> {
    const path = join(folder, "port");
    const drives = disks.flatMap((file, at) => {
      const options = at === 0 ? "" : ",readonly=on,file.locking=off";
      return ["-drive", `file=${file},format=raw,if=virtio${options}`];
    });
    const args = [
      ...["-machine", "q35", "-accel", ACCELERATION, "-cpu", "max", "-no-reboot"],
      ...["-smp", String(PROCESSORS), "-m", String(MEMORY_MIB), "-nodefaults", "-display", "none", "-nic", "none"],
      ...["-kernel", image.kernel, "-initrd", image.initrd],
      ...["-append", `root=/dev/vda rw console=ttyS0 mitigations=off ${AT_PANIC}`],
      ...drives,
      ...["-device", "virtio-rng-pci", "-device", "virtio-serial-pci"],
      ...["-chardev", `socket,id=port,path=${path},server=on,wait=off`],
      ...["-device", "virtserialport,chardev=port,name=femtoclaw", "-serial", "stdio"],
    ];
    const emulator = spawn("qemu-system-x86_64", args, { stdio: ["ignore", "pipe", "inherit"] });
    emulator.stdout.pipe(createWriteStream(join(folder, "console"), { flags: "a" }));
    const ended = once(emulator, "close");
    const port = await connected(path, emulator);
    const guest = new Guest(emulator, ended, port);
    await guest.run("systemctl is-system-running --wait");
    return guest;
  }

  /** Runs a script as root; resolves with how it ended. */
  async run(script: string): Promise<Said> {
    this.#count += 1;
    const number = this.#count;
    const said = Promise.withResolvers<Said>();
    this.#waiting.set(number, said.resolve);
    this.#port.write(`${number} ${Buffer.from(script).toString("base64")}\n`);
    const gone = this.#ended.then(() => {
      throw new Error("the machine has ended");
    });
    return await Promise.race([said.promise, gone]);
  }

  /** Resolves when the machine is off by itself. */
  async off(): Promise<void> {
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#emulator.kill("SIGKILL");
    await this.#ended;
  }

  #answered(line: string): void {
    const [number = "", code = "", stdout = "", stderr = ""] = line.split(" ");
    const text = (base64: string): string => Buffer.from(base64.replace(/-$/, ""), "base64").toString();
    this.#waiting.get(Number(number))?.({ code: Number(code), stdout: text(stdout), stderr: text(stderr) });
    this.#waiting.delete(Number(number));
  }
}

async function connected(path: string, emulator: ChildProcess): Promise<Socket> {
  while (emulator.exitCode === null) {
    const socket = connect(path);
    try {
      await once(socket, "connect");
      return socket;
    } catch {
      await sleep(LOOK_AGAIN_MS);
    }
  }
  throw new Error("the emulator did not start");
}
