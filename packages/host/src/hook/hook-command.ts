/**
 * The command that an agent runs before each of its tools. Agents let the tool run when their hook fails, unless it ends
 * in code 2 and says why: so does this one, whatever becomes of FemtoClaw within it.
 */
import { lastingCommand } from "../own-command.ts";

export const HOOK_KINDS = ["claude", "codex", "pi"] as const;
export type HookKind = (typeof HOOK_KINDS)[number];

/** LIMIT: seconds after which the hook is ended from outside; it ends itself much earlier. */
const KILL_SECONDS = 20;

/** LIMIT: seconds that the agent is told to wait; one that gives up earlier lets the tool run. */
export const AGENT_SECONDS = 60;

/** Recognizes a command of ours among others. */
const BLOCKED = "femtoclaw: blocked, because the hook failed";

/** Code 2 alone is not enough: Codex takes it for a failure of the hook, and goes on, where no reason is given. */
export function hookCommand(kind: HookKind, configuration: string): string {
  const own = [...lastingCommand(), "--config", configuration, "hook", kind].map(quoted).join(" ");
  return `timeout -k 2 ${KILL_SECONDS} ${own} || { echo '${BLOCKED}' >&2; exit 2; }`;
}

export function isHookCommand(command: unknown): command is string {
  return typeof command === "string" && command.includes(BLOCKED);
}

/** One word of a shell, whatever is in it. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
