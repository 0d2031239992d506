/**
 * Examines, stops and starts the host of an installation, as the host's own user and with its own executable: through
 * systemd if systemd runs the host, otherwise with the commands that an operator would use.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EXIT, errorText, FemtoError, type HostEnvironment, parseJson, printable } from "@femtoclaw/protocol";
import { UNIT } from "./layout.ts";
import type { HostStanding } from "./library.ts";
import type { Receipt } from "./receipt.ts";
import { isAnyRun } from "./running-programs.ts";

/** LIMIT: time for one command. A drain takes ten seconds, and a journal of millions of records takes some more. */
const COMMAND_MS = 300_000;
/** LIMIT: bytes of a command's output that are kept. */
const SAID_BYTES_MAX = 262_144;
/** LIMIT: characters of a command's output that are passed on. */
const SHOWN_CHARS = 1_000;
/** LIMIT: time between two looks at a host that is starting or stopping, in milliseconds. */
const LOOK_AGAIN_MS = 100;
/** What a start answers while another process is starting or stopping a host of the same state directory. */
const TAKEN = ["FEMTO_HOST_RUNNING", "FEMTO_JOURNAL_LOCKED"];
/** Phases of a host that is going to end by itself. */
const GOING = ["draining", "shuttingDown", "terminated"];
/** What `systemctl is-active` answers for a service that is started, or is about to be. */
const ACTIVE = /^(active|activating|reloading)\n/;

interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class HostControl {
  /** The executable in force, through the link that every start follows. */
  readonly #program: string;
  readonly #receipt: Pick<Receipt, "scope" | "prefix" | "configuration" | "data" | "unit" | "owner">;
  readonly #environment: HostEnvironment;
  /** Returns the digest of the executable that is in force now. */
  readonly #binary: () => string | undefined;
  /** Folder of all executables of the installation. */
  readonly #library: string;

  constructor(
    { path, program }: { readonly path: string; readonly program: string },
    receipt: Receipt,
    environment: HostEnvironment,
    binary: () => string | undefined,
  ) {
    this.#library = path;
    this.#program = program;
    this.#receipt = receipt;
    this.#environment = environment;
    this.#binary = binary;
  }

  /**
   * Whether a host runs, and who started it. Throws if that cannot be told, because taking a running host for gone
   * would let two run. A host that is about to end is waited for: a command that was killed while it drained a host
   * leaves one that is still draining.
   */
  async standing(): Promise<HostStanding> {
    for (const deadlineMs = performance.now() + COMMAND_MS; ; await sleep(LOOK_AGAIN_MS)) {
      if (await this.#isService()) return "service";
      const said = await this.#femtoclaw(this.#program, "status");
      const phase = phaseIn(said);
      if (phase !== null && (!GOING.includes(phase) || performance.now() > deadlineMs)) return "started";
      if (phase !== null) continue;
      if (codeIn(said) === "FEMTO_HOST_NOT_RUNNING") return "stopped";
      // If the configuration does not count, `status` has found no host by its note. A host may have left no note, so
      // the running programs are looked at as well.
      if (said.code === EXIT.configuration && !isAnyRun(this.#library)) return "stopped";
      throw refused("it cannot be told whether a host runs", said);
    }
  }

  /** Stops the host. Resolves once the host has ended everything that it had begun, and its process is gone. */
  async stop(as: HostStanding): Promise<void> {
    if (as === "stopped") return;
    const said = as === "service" ? await this.#systemctl("stop", UNIT) : await this.#femtoclaw(this.#program, "down");
    if (said.code !== 0 && codeIn(said) !== "FEMTO_HOST_NOT_RUNNING") throw refused("the host did not stop", said);
  }

  /**
   * Starts the executable in force in the way in which the host ran before. Resolves once the host itself says that it
   * is at work.
   */
  async start(as: HostStanding): Promise<void> {
    if (as === "stopped") return;
    if (as === "started") await this.#startByHand();
    else {
      const said = await this.#systemctl("start", UNIT);
      if (said.code !== 0) throw refused("the host did not start", said);
    }
    const status = await this.#femtoclaw(this.#program, "status");
    if (!isAtWork(status)) throw refused("the host is not idle", status);
  }

  /**
   * A command that was killed while it started or stopped a host may have left a process that still does so. A host
   * that comes up from this is the right one if it runs the executable in force. Any other host has to make room for
   * the right one.
   */
  async #startByHand(): Promise<void> {
    for (const deadlineMs = performance.now() + COMMAND_MS; ; await sleep(LOOK_AGAIN_MS)) {
      const said = await this.#femtoclaw(this.#program, "up", "--detach");
      if (said.code === 0) return;
      if (!TAKEN.includes(codeIn(said) ?? "") || performance.now() > deadlineMs) {
        throw refused("the host did not start", said);
      }
      const status = await this.#femtoclaw(this.#program, "status");
      if (!isAtWork(status)) continue;
      const binary = (objectIn(status.stdout)?.["deployment"] as { readonly binary?: unknown } | null)?.binary;
      // A host that runs from sources has no digest.
      if (typeof binary !== "string" || binary === this.#binary()) return;
      await this.stop("started");
    }
  }

  /** Whether systemd runs the host by the unit that was installed. The unit of another installation does not count. */
  async #isService(): Promise<boolean> {
    const { unit, prefix } = this.#receipt;
    if (unit === null || prefix !== null) return false;
    return ACTIVE.test((await this.#systemctl("is-active", UNIT)).stdout);
  }

  /** Lets an executable examine everything that it would rely on; throws what fails. */
  async examine(program: string): Promise<void> {
    const said = await this.#femtoclaw(program, "doctor");
    const findings = parsed(said.stdout);
    if (!Array.isArray(findings)) throw refused("it cannot look at this deployment", said);
    const failed = findings.filter((finding) => finding.verdict === "fail");
    if (failed.length === 0) return;
    const [{ check, detail, fix }] = failed;
    throw new FemtoError("FEMTO_INSTALL_REFUSED", printable(`${check}: ${detail}`, SHOWN_CHARS), {
      fix: `${printable(String(fix), SHOWN_CHARS)} The version in force has not changed.`,
    });
  }

  async #femtoclaw(program: string, ...words: string[]): Promise<Said> {
    return await this.#run(program, ["--config", this.#receipt.configuration, "--json", ...words], { asOwner: true });
  }

  async #systemctl(...words: string[]): Promise<Said> {
    const scope = this.#receipt.scope === "user" ? ["--user"] : [];
    return await this.#run("systemctl", [...scope, ...words], { asOwner: false });
  }

  async #run(program: string, args: readonly string[], { asOwner }: { readonly asOwner: boolean }): Promise<Said> {
    const { owner, data } = this.#receipt;
    const isOther = asOwner && owner !== null && owner.uid !== process.getuid?.();
    // INVARIANT: I8: root never opens what belongs to the service's user. The user's own executable does that, as that
    // user.
    const identity = isOther ? { uid: owner.uid, gid: owner.gid } : {};
    const env = isOther ? ownersEnvironment(data) : { ...this.#environment, FEMTOCLAW_CONFIG: undefined };
    const child = spawn(program, args, { ...identity, env, cwd: "/", stdio: ["ignore", "pipe", "pipe"] });
    return await ended(child);
  }
}

/** The environment that the unit gives to the host. Commands that reach the host of a service need the same home. */
export function ownersEnvironment(data: string): Record<string, string> {
  return { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: homeOf(data) };
}

export const homeOf = (data: string): string => join(data, "home");

async function ended(child: ChildProcess): Promise<Said> {
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      if (said[name].length < SAID_BYTES_MAX) said[name] += text;
    });
  }
  const late = setTimeout(() => child.kill("SIGKILL"), COMMAND_MS);
  try {
    const [code] = (await once(child, "close")) as [number | null];
    return { ...said, code };
  } catch (error) {
    // There is no such program, or it cannot be run.
    return { ...said, code: null, stderr: errorText(error) };
  } finally {
    clearTimeout(late);
  }
}

function phaseIn({ stdout }: Said): string | null {
  const phase = objectIn(stdout)?.["phase"];
  return typeof phase === "string" ? phase : null;
}

const isAtWork = (status: Said): boolean => ["idle", "executing"].includes(phaseIn(status) ?? "");

/** The code of the fault that a command ended with. */
function codeIn({ stdout }: Said): string | null {
  const code = (objectIn(stdout)?.["error"] as { readonly code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : null;
}

function refused(finding: string, { code, stdout, stderr }: Said): FemtoError {
  const error = objectIn(stdout)?.["error"] as { readonly code?: unknown; readonly reason?: unknown } | undefined;
  const said =
    error === undefined ? stderr.trim().slice(-SHOWN_CHARS) : `${String(error.code)}: ${String(error.reason)}`;
  return new FemtoError("FEMTO_INSTALL_REFUSED", `${finding} (exit ${code}): ${printable(said, SHOWN_CHARS)}`);
}

function objectIn(text: string): Record<string, unknown> | null {
  const value = parsed(text);
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}
