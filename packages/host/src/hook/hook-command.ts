/**
 * The command that an agent runs before each of its tools. When a hook fails, agents let the tool run, unless the hook
 * ends with code 2 and says why. This command does so whatever happens to FemtoClaw inside it.
 */
import { lastingCommand } from "../own-command.ts";

export const HOOK_KINDS = ["claude", "codex", "pi"] as const;
export type HookKind = (typeof HOOK_KINDS)[number];

/** LIMIT: seconds after which the hook is ended from outside; it ends itself much earlier. */
const KILL_SECONDS = 20;

/** LIMIT: seconds that the agent is told to wait for the hook. An agent that gives up earlier lets the tool run. */
export const AGENT_SECONDS = 60;

/** The text by which a command of ours is recognized among others. */
const BLOCKED = "femtoclaw: blocked, because the hook failed";

/** Code 2 alone is not enough: without a reason, Codex takes it for a failure of the hook and goes on. */
export function hookCommand(kind: HookKind, configuration: string): string {
  const own = [...lastingCommand(), "--config", configuration, "hook", kind].map(quoted).join(" ");
  return `timeout -k 2 ${KILL_SECONDS} ${own} || { echo '${BLOCKED}' >&2; exit 2; }`;
}

export function isHookCommand(command: unknown): command is string {
  return typeof command === "string" && command.includes(BLOCKED);
}

/** Quotes a text so that it is one word for a shell, whatever it contains. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
