/**
 * Finds out whether this machine can run the sandbox: starts real children with the very arguments that calls use, and
 * checks that they see nothing they must not see.
 */
import { release } from "node:os";
import { type Authority, errorText, FemtoError, printable } from "@femtoclaw/protocol";
import { childEnvironment, type SandboxCommand } from "../bubblewrap.ts";
import type { ChildLimits } from "../children/child-limits.ts";
import { runSandboxed, type SandboxResult } from "../children/run.ts";
import { type Bounds, boundsBy } from "../control-groups/bounds.ts";
import { ControlGroups } from "../control-groups/control-groups.ts";
import { landlockVersion } from "../landlock/landlock-version.ts";
import { seatbeltTrial, secretsOfMac, TRIED } from "../seatbelt/seatbelt-probe.ts";
import { saidBy } from "../spawning/said-by.ts";
import { hostInspection, type Inspection } from "../views/inspection.ts";
import { type SandboxView, viewOf } from "../views/view.ts";
import { knownFix } from "./known-fix.ts";
import { type Rung, rungsOn } from "./rung.ts";

export type SandboxProbe =
  | {
      readonly ok: true;
      readonly name: Rung["name"];
      /** Name and version of what confines children, for people to read. */
      readonly title: string;
      readonly groups: ControlGroups | null;
      readonly bounds: Bounds;
      /** Why a stronger rung was not chosen; absent if this is the strongest one. */
      readonly instead?: Reason;
    }
  | ({ readonly ok: false } & Reason);

export interface Reason {
  readonly reason: string;
  readonly fix: string;
}

/** The machine to try; tests may describe another one. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly inspection: Inspection;
  readonly isRoot: boolean;
}

const thisMachine = (): Machine => ({
  platform: process.platform,
  inspection: hostInspection,
  isRoot: process.getuid?.() === 0,
});

/** LIMIT: milliseconds of one trial; on an emulated or busy machine a launcher takes seconds. */
const PROBE_TIMEOUT_MS = 60_000;
const PROBE_OUTPUT_BYTES = 65_536;

/** For people to read. */
const NAMES: Readonly<Record<Rung["name"], string>> = {
  bubblewrap: "bubblewrap",
  "landlock, namespaces": "Landlock in namespaces",
  landlock: "Landlock",
  seatbelt: "Seatbelt",
};

/** INVARIANT: I3: the strongest rung is tried first, and if none holds there is no sandbox. */
export async function probeSandbox(
  authority: Authority,
  limits: ChildLimits,
  machine: Machine = thisMachine(),
): Promise<SandboxProbe> {
  const rungs = rungsOn(machine.platform);
  if (rungs === null) return { ok: false, ...noneOn(machine.platform) };
  const [first, ...others] = rungs;
  const best = await probeRung(first, authority, limits, machine);
  if (best.ok) return best;
  // A reason shared by several rungs is told once, for the last of them.
  const missing = new Map([[best.reason, first]]);
  for (const name of others) {
    const found = await probeRung(name, authority, limits, machine);
    if (found.ok) return { ...found, instead: { reason: allOf(missing), fix: best.fix } };
    missing.set(found.reason, name);
  }
  return { ok: false, reason: allOf(missing), fix: best.fix };
}

function allOf(missing: ReadonlyMap<string, Rung["name"]>): string {
  return [...missing]
    .map(([reason, name], at) => (at === 0 ? reason : `${NAMES[name]} does not work either: ${reason}`))
    .join("; ");
}

function noneOn(platform: NodeJS.Platform): Reason {
  return {
    reason: `FemtoClaw knows nothing on ${platform} that would confine a program`,
    fix: "Run the host on Linux. On other systems, remove process_exec, terminals and MCP servers that run as programs from the configuration.",
  };
}

async function probeRung(
  name: Rung["name"],
  authority: Authority,
  limits: ChildLimits,
  { inspection, isRoot }: Machine,
): Promise<SandboxProbe> {
  try {
    // A view for no groups, so that what is missing for any sandbox is reported first.
    const { rung } = viewOf(authority, inspection, undefined, null, name);
    const title = await titleOf(rung, isRoot);
    const groups = await groupsOf(rung, limits);
    const bounds = boundsBy(groups, isRoot, name);
    const view = viewOf(authority, inspection, undefined, groups, name);
    const tried = { view, limits };
    await Promise.all([probeEnvironment(tried), probeSecrets(tried), ...reachOf(name).map((probe) => probe(tried))]);
    return { ok: true, name, title, groups, bounds };
  } catch (error) {
    const reason = errorText(error);
    const fix = knownFix(reason) ?? (error instanceof FemtoError ? error.fix : "Look at the reason.");
    return { ok: false, reason, fix };
  }
}

async function groupsOf(rung: Rung, limits: ChildLimits): Promise<ControlGroups | null> {
  return rung.name === "seatbelt" ? null : await ControlGroups.find(rung.shell, limits);
}

interface Tried {
  readonly view: SandboxView;
  readonly limits: ChildLimits;
}

async function titleOf(rung: Rung, isRoot: boolean): Promise<string> {
  if (rung.name === "seatbelt") {
    if (!isRoot) return `seatbelt of Darwin ${release()}`;
    // What macOS lets root do inside a profile has never been examined.
    const fix = "Run the host as a separate user.";
    throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", "the host is root, and under Seatbelt no child is to be", {
      fix,
    });
  }
  if (rung.name !== "bubblewrap") {
    // INVARIANT: I8: asked outside of any namespace, because inside nobody could tell which privileges the host has.
    const alone = `landlock ${await landlockVersion(PROBE_TIMEOUT_MS)}`;
    return rung.name === "landlock" ? alone : `${alone}, namespaces`;
  }
  const request = { program: rung.program, args: ["--version"], stdio: ["ignore", "pipe", "ignore"] as const };
  const { text, exitCode } = await saidBy(request, 1, PROBE_TIMEOUT_MS);
  if (exitCode !== 0) throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `${rung.program} does not tell its version`);
  return `bubblewrap ${printable(text.trim().replace(/^bubblewrap /, ""))}`;
}

/** A child starts, and has exactly the variables that it was given. */
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

/** A child cannot read a single line of what is hidden from it. */
async function probeSecrets(tried: Tried): Promise<void> {
  const { view } = tried;
  const { floor, ask, deny } = view.authority;
  const hidden = [...floor, ...[...ask.read, ...deny.read].map(({ path }) => path)];
  const secrets = view.rung.name === "seatbelt" ? secretsOfMac(hidden) : ["/etc/shadow", ...hidden];
  const { exitCode, stdout } = await run(
    tried,
    commandFor(view, "grep", ["-r", "-l", "-s", "-e", "", "--", ...secrets]),
  );
  // grep exits with 1 when nothing matched, and with 2 when it also could not read a file.
  if ((exitCode !== 1 && exitCode !== 2) || stdout.length > 0) {
    const seen = printable(stdout.toString().split("\n")[0] ?? "");
    throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `a child can read what must be hidden from it: ${seen}`);
  }
}

/** Further trials, for what bubblewrap prevents by its construction and another rung by its rules. */
function reachOf(name: Rung["name"]): readonly ((tried: Tried) => Promise<void>)[] {
  switch (name) {
    case "bubblewrap":
      return [];
    case "landlock, namespaces":
    case "landlock":
      return [probeReach];
    case "seatbelt":
      return [probeSeatbelt];
  }
}

/** A child under Seatbelt can do nothing that its profile forbids. */
async function probeSeatbelt(tried: Tried): Promise<void> {
  const { mounts, authority } = tried.view;
  const { stdout } = await run(tried, commandFor(tried.view, "perl", seatbeltTrial(mounts, authority, process.pid)));
  const said = stdout.toString();
  if (said === TRIED) return;
  const found = said.split("\n").slice(0, -1).join(", ");
  const reason = said.endsWith(TRIED)
    ? `a child is not confined: ${printable(found, 300)}`
    : "a child could not try its confinement";
  throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", reason, {
    fix: "Programs are not run on this Mac by this version; please report what `femtoclaw doctor` says.",
  });
}

/** A child under Landlock can neither signal this process nor read about it. */
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

/** INVARIANT: I3: a trial that timed out has shown nothing, and does not count as passed. */
async function run(tried: Tried, command: SandboxCommand): Promise<SandboxResult> {
  const ran = await runSandboxed({
    ...tried,
    command,
    timeoutMs: PROBE_TIMEOUT_MS,
    outputBytesMax: PROBE_OUTPUT_BYTES,
    signal: new AbortController().signal,
  });
  if (!ran.timedOut) return ran;
  throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", `a child did not end within ${PROBE_TIMEOUT_MS / 1_000} s`, {
    fix: "Try again when the machine is less busy.",
  });
}
