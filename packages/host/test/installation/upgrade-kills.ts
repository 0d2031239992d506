/**
 * Upgrades one after the other, each killed at a moment that nobody chose: what is in force is the old or the new, whole,
 * and the next command ends what was begun. In every other round the host is killed with whoever upgrades, as by a power cut.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { changedFiles } from "../../src/installation/install.ts";
import { Library } from "../../src/installation/library.ts";
import { COMMAND } from "../playground.ts";
import { cloneScript, flagScript, newSigner, release } from "./stand-in.ts";

const [NODE, LAUNCH] = COMMAND;
const signer = newSigner();
/** Share of an upgrade's time before the first kill: until then the process has only read its own code. */
const EARLIEST = 0.2;

export interface UpgradeKillsOptions {
  readonly rounds: number;
  /** Real hosts with a journal, or scripts that answer as one would. */
  readonly hosts: "real" | "scripts";
  onProgress(done: number): void;
}

export interface UpgradeKillsReport {
  readonly rounds: number;
  /** Rounds after whose kill the executable before was in force, and those after which the next one was. */
  readonly old: number;
  readonly next: number;
  /** Rounds in which an upgrade was under way when it was killed, as `pending.json` says. */
  readonly cutOff: number;
}

export async function upgradeKills({ rounds, hosts, onProgress }: UpgradeKillsOptions): Promise<UpgradeKillsReport> {
  const place = new UpgradedPlace(hosts);
  const counts = { rounds, old: 0, next: 0, cutOff: 0 };
  try {
    await place.begin();
    const tookMs = await place.timed(1);
    for (let round = 0; round < rounds; round += 1) {
      const [old, next] = [`1.${round + 1}.0`, `1.${round + 2}.0`];
      const file = place.published(next);
      await place.killedUpgrade(file, { afterMs: tookMs * (EARLIEST + Math.random()), withHost: round % 2 === 1 });
      if (place.library.pending() !== null) counts.cutOff += 1;
      counts[place.wholeInForce(old, next) === old ? "old" : "next"] += 1;
      // What was cut off is ended first; then nothing, or the upgrade itself, is left to be done.
      assert.equal(await place.run(["upgrade", file]), 0, "the next upgrade ends what was begun");
      assert.equal(place.wholeInForce(next), next);
      assert.equal(place.library.pending(), null, "nothing is under way");
      await place.hostAgain();
      onProgress(round + 1);
    }
    await place.end();
    return counts;
  } finally {
    await place[Symbol.asyncDispose]();
  }
}

class UpgradedPlace implements AsyncDisposable {
  readonly #root = realpathSync(mkdtempSync("/tmp/fu-"));
  readonly #prefix = join(this.#root, "i");
  readonly #flag = join(this.#root, "running");
  readonly #hosts: UpgradeKillsOptions["hosts"];
  readonly library = new Library(join(this.#prefix, "lib/femtoclaw"));

  constructor(hosts: UpgradeKillsOptions["hosts"]) {
    this.#hosts = hosts;
  }

  async begin(): Promise<void> {
    writeFileSync(join(this.#root, "key.pub"), signer.pem);
    const file = this.published("1.0.0");
    assert.equal(await this.run(["install", file, "--key", join(this.#root, "key.pub"), "--no-service"]), 0);
    await this.hostAgain();
  }

  /** Time of an upgrade that nobody kills. */
  async timed(minor: number): Promise<number> {
    const beganMs = performance.now();
    assert.equal(await this.run(["upgrade", this.published(`1.${minor}.0`)]), 0);
    return performance.now() - beganMs;
  }

  published(version: string): string {
    const script = this.#hosts === "real" ? cloneScript() : flagScript(this.#flag);
    return release(join(this.#root, "r"), { version, signer, script });
  }

  async run(words: readonly string[]): Promise<number | string> {
    const [code, signal] = (await once(this.#spawn(words), "close")) as [number | null, string | null];
    return code ?? signal ?? "";
  }

  async killedUpgrade(file: string, { afterMs, withHost }: { afterMs: number; withHost: boolean }): Promise<void> {
    const host = withHost ? this.#status().pid : undefined;
    const child = this.#spawn(["upgrade", file]);
    const ended = once(child, "close");
    await sleep(afterMs);
    child.kill("SIGKILL");
    if (host !== undefined) killed(host);
    await ended;
    if (withHost) rmSync(this.#flag, { force: true });
  }

  /** INVARIANT of every moment: what the link leads to is one of these, whole as it was signed, and runs. */
  wholeInForce(...versions: readonly string[]): string {
    const current = this.library.inForce();
    assert(current !== null, "an executable is in force");
    const { version, binary, files } = current.receipt;
    assert(versions.includes(version), `${version} is in force, not ${versions.join(" or ")}`);
    const program = this.library.program();
    assert.equal(createHash("sha256").update(readFileSync(program)).digest("hex"), binary, "it is what was signed");
    execFileSync(program, ["--version"], { env: this.#environment, stdio: "ignore" });
    assert.deepEqual(changedFiles(files), [], "every file is as it was installed");
    return version;
  }

  /** Whoever cuts the power starts the host again, as a boot would; one that runs is left alone. */
  async hostAgain(): Promise<void> {
    if (this.#status().phase === undefined) this.#inForce("up", "--detach");
    assert.equal(this.#status().phase, "idle", "the host takes calls");
  }

  /** The history of all these hosts is one log that verifies. */
  async end(): Promise<void> {
    this.#inForce("down");
    if (this.#hosts === "real") this.#inForce("audit", "verify");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#status().phase !== undefined) this.#inForce("down", "--now");
    rmSync(this.#root, { recursive: true, force: true });
  }

  get #environment(): Record<string, string | undefined> {
    return { PATH: process.env["PATH"], HOME: this.#root };
  }

  #inForce(...words: readonly string[]): string {
    const argv = ["--config", join(this.#prefix, "etc/femtoclaw/femtoclaw.toml"), "--json", ...words];
    return String(
      execFileSync(this.library.program(), argv, { env: this.#environment, stdio: ["ignore", "pipe", "ignore"] }),
    );
  }

  #status(): { readonly phase?: string; readonly pid?: number } {
    try {
      return JSON.parse(this.#inForce("status")) as { phase?: string; pid?: number };
    } catch {
      // No host answers, or nothing is installed yet.
      return {};
    }
  }

  #spawn(words: readonly string[]) {
    const argv = [LAUNCH, ...words, "--prefix", this.#prefix];
    return spawn(NODE, argv, { env: this.#environment, cwd: this.#root, stdio: "ignore" });
  }
}

function killed(pid: number): void {
  if (existsSync(`/proc/${pid}`)) process.kill(pid, "SIGKILL");
}
