/**
 * Runs a hook as its agent would, and lets everything go wrong that can. Each time, the hook has to block the tool and
 * say why.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@femtoclaw/journal/live";
import { EXIT, type HostEnvironment } from "@femtoclaw/protocol";
import { lastingCommand } from "../own-command.ts";
import { type HookKind, hookCommand, quoted } from "./hook-command.ts";

export interface Trial {
  readonly what: string;
  /** Whether the result is the right one. */
  readonly ok: boolean;
  readonly found: string;
}

/** What Claude and Codex tell about a call. Our extension for pi tells the same. */
function asked(tool: string): string {
  const input = { command: "echo this is a trial by femtoclaw" };
  return JSON.stringify({
    hook_event_name: "PreToolUse",
    session_id: "trial",
    cwd: "/",
    tool_name: tool,
    tool_input: input,
  });
}

export interface TrialOptions {
  readonly kind: HookKind;
  /** Path of the configuration whose host is asked. */
  readonly configuration: string;
  readonly environment: HostEnvironment;
  /** A tool of the host, which is then asked and records what was blocked. With null, the host is left alone. */
  readonly tool: string | null;
}

/** INVARIANT: nothing is run but the command that this FemtoClaw makes itself, and variants of it that lack a part. */
export async function tryHook({ kind, configuration, environment, tool }: TrialOptions): Promise<Trial[]> {
  const command = hookCommand(kind, configuration);
  const [program] = lastingCommand();
  const prefix = kind === "pi" ? "" : "mcp__femtoclaw__";
  const own = asked(`${prefix}${tool ?? "fs_read"}`);
  const folder = await temporaryFolder("femtoclaw-hook-");
  const blocks = async (what: string, tried: string, input: string): Promise<Trial> => {
    const { code, said } = await run(tried, input, environment);
    const ok = code === EXIT.internal && said.trim() !== "";
    return { what, ok, found: ok ? "blocked" : `not blocked: code ${code}, ${said === "" ? "no reason" : "a reason"}` };
  };
  try {
    return await Promise.all([
      blocks("input that is no JSON", command, "{"),
      blocks("no input", command, ""),
      blocks("a tool named twice", command, `${own.slice(0, -1)},"tool_name":"Bash"}`),
      blocks("no host", hookCommand(kind, withoutHost(folder)), own),
      blocks("no configuration", hookCommand(kind, join(folder, "none.toml")), own),
      blocks("a FemtoClaw that is gone", command.replace(quoted(program), quoted(join(folder, "gone"))), own),
      blocks("a hook that is killed", command.replace(/^timeout -k 2 \d+/, "timeout -s KILL 0.05"), own),
      ...(tool === null ? [] : [blocks("a tool of the agent's own", command, asked("Bash"))]),
      ...(tool === null ? [] : [allows(tool, command, own, environment)]),
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function allows(tool: string, command: string, input: string, environment: HostEnvironment): Promise<Trial> {
  const { code } = await run(command, input, environment);
  const ok = code === EXIT.ok;
  return { what: `the host's own ${tool}`, ok, found: ok ? "left to the host" : "blocked" };
}

/** A valid configuration whose host does not run. */
function withoutHost(folder: string): string {
  for (const name of ["w", "run", "state"]) mkdirSync(join(folder, name), { mode: 0o700 });
  const path = join(folder, "femtoclaw.toml");
  writeFileSync(path, 'workspace = "w"\n[memory]\npath = "state"\n[host]\nruntime_dir = "run"\n', { mode: 0o600 });
  return path;
}

async function run(
  command: string,
  input: string,
  env: HostEnvironment,
): Promise<{ code: number | null; said: string }> {
  const child = spawn("/bin/sh", ["-c", command], { cwd: "/", env, stdio: ["pipe", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(0, 4_000);
  });
  child.stdin.on("error", () => undefined).end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, said };
}
