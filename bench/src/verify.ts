/** What an auditor waits for: commands from start to verdict, over a log that a host has left, and over an export. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { verificationThreads } from "@femtoclaw/journal";
import type { BenchContext } from "./context.ts";
import { writeHistory } from "./history.ts";
import { BenchHost, type HostCommand } from "./host-start.ts";
import { Measurement, type MeasureRow, type Sample, type Subject } from "./measurement.ts";

export async function measureVerify(context: BenchContext): Promise<MeasureRow[]> {
  const { directory, records, effort, yardstick, host, executable, onProgress } = context;
  onProgress(`writing a history of ${records} records`);
  await writeHistory(directory, records);
  const auditors = [
    new Auditor(directory, host, {}),
    ...(executable === null ? [] : [new Auditor(directory, executable, { surface: "executable" })]),
  ];
  // A host that ends in order signs what SIGKILL left unsigned.
  await new BenchHost(host, directory).live("SIGTERM");
  for (let round = 1; round <= effort.rounds; round += 1) {
    onProgress(`round ${round} of ${effort.rounds}`);
    for (const auditor of auditors) await auditor.round();
  }
  const empty = { name: "empty process", value: yardstick.node_e0_ms };
  return auditors.flatMap((auditor) => auditor.rows(empty));
}

/** Uses the commands of the sources, or of an executable. */
class Auditor {
  readonly #directory: string;
  readonly #host: BenchHost;
  readonly #surface: Pick<Subject, "surface">;
  readonly #verify: Measurement;
  readonly #exported: Measurement;
  readonly #prove: Measurement;
  readonly #check: Measurement;
  #size = 0;

  constructor(directory: string, command: HostCommand, surface: Pick<Subject, "surface">) {
    const measuring = (measure: string, unit: Subject["unit"], more: Partial<Subject> = {}): Measurement =>
      new Measurement({ preset: "verify", measure, unit, ...surface, ...more });
    this.#directory = directory;
    this.#host = new BenchHost(command, directory);
    this.#surface = surface;
    this.#verify = measuring("audit verify", "records/s", { threads: verificationThreads() });
    this.#exported = measuring("audit verify of an export", "records/s", { threads: verificationThreads() });
    this.#prove = measuring("audit prove", "ms");
    this.#check = measuring("audit check-proof", "ms");
  }

  async round(): Promise<void> {
    const [proof, key, exported] = ["proof", "log.vkey", "exported"].map((name) => join(this.#directory, name)) as [
      string,
      string,
      string,
    ];
    const verified = await this.#timed(["audit", "verify"]);
    this.#size = Number((JSON.parse(verified.said) as { size: unknown }).size);
    this.#verify.add(this.#perSecond(verified.elapsedMs));
    if (!existsSync(key)) {
      const shown = JSON.parse((await this.#timed(["keys", "show"])).said) as { vkey: string };
      writeFileSync(key, `${shown.vkey}\n`);
      await this.#timed(["audit", "export", "--format", "tiles", "--out", exported]);
    }
    const ofExport = await this.#timed(["audit", "verify", exported, "--key", key]);
    this.#exported.add(this.#perSecond(ofExport.elapsedMs));
    rmSync(proof, { force: true });
    rmSync(`${proof}.record`, { force: true });
    const middle = String(Math.floor(this.#size / 2));
    this.#prove.add(inMs(await this.#timed(["audit", "prove", middle, "--out", proof])));
    const checking = ["audit", "check-proof", proof, "--record", `${proof}.record`, "--key", key];
    this.#check.add(inMs(await this.#timed(checking)));
  }

  rows(empty: { readonly name: string; readonly value: number }): MeasureRow[] {
    const circumstances = { records: this.#size, ...this.#surface };
    return [
      this.#verify.row({ circumstances }),
      this.#exported.row({ circumstances }),
      this.#prove.row({ circumstances, beside: empty }),
      this.#check.row({ circumstances, beside: empty }),
    ];
  }

  #perSecond(elapsedMs: number): Sample {
    return { value: (this.#size * 1_000) / elapsedMs, cpuUs: null };
  }

  /** Runs a command in a process of its own; if it does not end well, nothing was measured. */
  async #timed(args: readonly string[]): Promise<{ readonly elapsedMs: number; readonly said: string }> {
    const { command, env } = this.#host.commandOf(["--json", ...args]);
    const [program, ...rest] = command;
    const began = performance.now();
    const child = spawn(program, rest, { env, stdio: ["ignore", "pipe", "pipe"] });
    const [said, complaint, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
    const elapsedMs = performance.now() - began;
    if (code !== 0) throw new Error(`${args.slice(0, 2).join(" ")} ended with exit code ${code}: ${complaint || said}`);
    return { elapsedMs, said };
  }
}

const inMs = ({ elapsedMs }: { readonly elapsedMs: number }): Sample => ({ value: elapsedMs, cpuUs: null });
