/**
 * Finds out whether this machine can run the sandbox: starts real children with the very arguments
 * that calls use, and looks whether something shows that must not.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Authority, errorText, FemtoError, printable } from "@femtoclaw/protocol";
import { type Bounds, boundsBy } from "./bounds.ts";
import { childEnvironment, type SandboxCommand } from "./bubblewrap.ts";
import type { ChildLimits } from "./child-limits.ts";
import { ControlGroups } from "./control-groups.ts";
import { hostInspection } from "./inspection.ts";
import { landlockVersion } from "./landlock/landlock-version.ts";
import { runSandboxed, type SandboxResult } from "./run.ts";
import type { Rung } from "./rung.ts";
import { type SandboxView, viewOf } from "./view.ts";

export type SandboxProbe =
  | {
      readonly ok: true;
      readonly name: Rung["name"];
      readonly version: string;
      readonly groups: ControlGroups | null;
      readonly bounds: Bounds;
      /** Why it is none that confines more; absent where there is none. */
      readonly instead?: Reason;
    }
  | ({ readonly ok: false } & Reason);

export interface Reason {
  readonly reason: string;
  readonly fix: string;
}

const PROBE_TIMEOUT_MS = 10_000;
const PROBE_OUTPUT_BYTES = 65_536;

/** INVARIANT: I3: what confines most is tried first, and where nothing holds there is no sandbox. */
export async function probeSandbox(authority: Authority, limits: ChildLimits): Promise<SandboxProbe> {
  const instead = await probeRung("bubblewrap", authority, limits);
  if (instead.ok) return instead;
  const found = await probeRung("landlock", authority, limits);
  if (found.ok) return { ...found, instead: { reason: instead.reason, fix: instead.fix } };
  return { ok: false, reason: `${instead.reason}; nor does Landlock do: ${found.reason}`, fix: instead.fix };
}

async function probeRung(name: Rung["name"], authority: Authority, limits: ChildLimits): Promise<SandboxProbe> {
  try {
    // What is missing for any sandbox is told first.
    const { rung } = viewOf(authority, hostInspection, undefined, null, name);
    const version = await versionOf(rung);
    const groups = await ControlGroups.find(rung.shell, limits);
    const bounds = boundsBy(groups, process.getuid?.() === 0);
    const view = viewOf(authority, hostInspection, undefined, groups, name);
    const tried = { view, limits };
    await Promise.all([
      probeEnvironment(tried),
      probeSecrets(tried),
      ...(name === "landlock" ? [probeReach(tried)] : []),
    ]);
    return { ok: true, name, version, groups, bounds };
  } catch (error) {
    const reason = errorText(error);
    const fix = knownFix(reason) ?? (error instanceof FemtoError ? error.fix : "Look at the reason.");
    return { ok: false, reason, fix };
  }
}

interface Tried {
  readonly view: SandboxView;
  readonly limits: ChildLimits;
}

async function versionOf(rung: Rung): Promise<string> {
  if (rung.name === "landlock") return await landlockVersion(PROBE_TIMEOUT_MS);
  const { stdout } = await promisify(execFile)(rung.program, ["--version"], { env: {}, timeout: PROBE_TIMEOUT_MS });
  return printable(stdout.trim().replace(/^bubblewrap /, ""));
}

/** A child starts, and has the variables that it was given and no others. */
async function probeEnvironment(tried: Tried): Promise<void> {
  const { view } = tried;
  const command = commandFor(view, "env", ["-0"]);
  const { exitCode, stdout } = await run(tried, command);
  const names = stdout.toString().split("\0").filter(Boolean);
  const expected = { ...childEnvironment(view, command), PWD: command.cwd };
  const given = Object.entries(expected).map(([name, value]) => `${name}=${value}`);
  if (exitCode !== 0 || names.sort().join("\0") !== given.sort().join("\0")) {
    throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", "a child has other environment variables than it was given");
  }
}

/** A child finds not one line in what must be out of its sight. */
async function probeSecrets(tried: Tried): Promise<void> {
  const { view } = tried;
  const { floor, ask, deny } = view.authority;
  const secrets = ["/etc/shadow", ...floor, ...[...ask.read, ...deny.read].map(({ path }) => path)];
  const { exitCode, stdout } = await run(
    tried,
    commandFor(view, "grep", ["-r", "-l", "-s", "-e", "", "--", ...secrets]),
  );
  // grep ends with 1 when nothing matched and with 2 when, besides, a file could not be read.
  if ((exitCode !== 1 && exitCode !== 2) || stdout.length > 0) {
    const seen = printable(stdout.toString().split("\n")[0] ?? "");
    throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `a child can read what must be hidden from it: ${seen}`);
  }
}

/** A child without namespaces neither signals this process nor reads of it. */
async function probeReach(tried: Tried): Promise<void> {
  const script = 'kill -0 "$1" 2>/dev/null && echo signals; cat "/proc/$1/cmdline" 2>/dev/null && echo reads';
  const { exitCode, stdout } = await run(
    tried,
    commandFor(tried.view, "sh", ["-c", script, "sh", String(process.pid)]),
  );
  if (exitCode !== null && stdout.length === 0) return;
  throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", "a child reaches processes outside of its sandbox");
}

function commandFor(view: SandboxView, name: string, args: readonly string[]): SandboxCommand {
  const { searchPath, workspace } = view.authority;
  const program = hostInspection.findProgram(name, searchPath);
  if (program === null) {
    throw new FemtoError(
      "FEMTO_SANDBOX_UNAVAILABLE",
      `${name}, with which the sandbox is tried out, is not installed`,
      {
        fix: `Install ${name}, or add its folder to search_path.`,
      },
    );
  }
  const state = hostInspection.stateOf(program);
  const realPath = state.kind === "link" ? state.target : program;
  return { program, realPath, args, cwd: workspace, environment: {} };
}

function run(tried: Tried, command: SandboxCommand): Promise<SandboxResult> {
  return runSandboxed({
    ...tried,
    command,
    timeoutMs: PROBE_TIMEOUT_MS,
    outputBytesMax: PROBE_OUTPUT_BYTES,
    signal: new AbortController().signal,
  });
}

/** What bubblewrap says on machines that keep it from working, and what helps there. */
function knownFix(reason: string): string | null {
  if (/RTM_NEWADDR|setting up uid map|No permissions to create new namespace/.test(reason)) {
    return "Let bwrap create user namespaces: an AppArmor profile /etc/apparmor.d/bwrap with `userns,`, or sysctl kernel.unprivileged_userns_clone=1.";
  }
  if (/mount proc/.test(reason)) {
    return "Remove what is mounted over /proc: ProtectKernelTunables= or ProtectProc= of the service, or the container's masked paths.";
  }
  if (/disable-userns|json-status-fd|Unknown option/.test(reason)) return "Install bubblewrap 0.8 or newer.";
  return null;
}
