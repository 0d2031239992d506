/** How the command of the hook is put into an agent's own file, beside what is there already, and found again. */
import { FemtoError, parseJson, printable } from "@femtoclaw/protocol";
import { AGENT_SECONDS, type HookKind, hookCommand, isHookCommand } from "./hook-command.ts";
import { piHook } from "./pi-hook.ts";

export interface HookInstallation {
  /** The agent's file, if it holds nothing else. */
  readonly text: string;
  /** Where the text belongs, and how the agent is then started. */
  readonly use: readonly string[];
}

export function hookInstallation(kind: HookKind, configuration: string): HookInstallation {
  const command = hookCommand(kind, configuration);
  switch (kind) {
    case "claude":
      return {
        text: withHook("", command),
        use: [
          "save it as femtoclaw-hook.json, outside of what the agent may write, and start:",
          "  claude --settings femtoclaw-hook.json, beside the options that `femtoclaw mcp --print-config claude` names",
        ],
      };
    case "codex":
      return {
        text: withHook("", command),
        use: ["save it as hooks.json in ~/.codex; Codex runs it once you have agreed to it there"],
      };
    case "pi":
      return {
        text: piHook(command),
        use: [
          "save it as femtoclaw-hook.js, outside of what the agent may write, and start:",
          "  pi --extension femtoclaw-hook.js, beside the options that `femtoclaw mcp --print-config pi` names",
        ],
      };
  }
}

/** The file with the hook in it. Its other content stays, and an older hook of ours is removed. */
export function withInstalled(kind: HookKind, before: string, configuration: string): string {
  if (kind !== "pi") return withHook(before, hookCommand(kind, configuration));
  if (before.trim() !== "" && !isHookCommand(before)) throw unknown("it is an extension that is none of ours");
  return hookInstallation(kind, configuration).text;
}

/** The commands of ours that the text of a file holds. */
export function installedCommands(kind: HookKind, text: string): string[] {
  if (kind !== "pi")
    return groupsOf(settingsOf(text))
      .flatMap(({ hooks }) => hooks.flatMap(commandOf))
      .filter(isHookCommand);
  const command: unknown = parseJson(/^const COMMAND = (".*");$/m.exec(text)?.[1] ?? "null");
  return isHookCommand(command) ? [command] : [];
}

interface Group {
  readonly hooks: readonly unknown[];
}

function withHook(before: string, command: string): string {
  const settings = settingsOf(before);
  const groups = groupsOf(settings);
  const others = groups
    .map((group) => ({ ...group, hooks: group.hooks.filter((hook) => !commandOf(hook).some(isHookCommand)) }))
    .filter(({ hooks }, index) => hooks.length > 0 || groups[index]?.hooks.length === 0);
  // Without a matcher, the hook is asked before every tool.
  const own = { hooks: [{ type: "command", command, timeout: AGENT_SECONDS }] };
  const hooks = { ...objectIn(settings, "hooks"), PreToolUse: [...others, own] };
  const indent = /^([ \t]+)"/m.exec(before)?.[1] ?? "  ";
  return `${JSON.stringify({ ...settings, hooks }, null, indent)}\n`;
}

type Settings = Readonly<Record<string, unknown>>;

function settingsOf(text: string): Settings {
  if (text.trim() === "") return {};
  let settings: unknown;
  try {
    settings = parseJson(text);
  } catch {
    throw unknown("it is no JSON");
  }
  if (!isObject(settings)) throw unknown("it is no object");
  return settings;
}

function groupsOf(settings: Settings): Group[] {
  const groups = objectIn(settings, "hooks")["PreToolUse"] ?? [];
  const isList = Array.isArray(groups) && groups.every((group) => isObject(group) && Array.isArray(group["hooks"]));
  if (!isList) throw unknown("its hooks.PreToolUse is no list of hooks");
  return groups as Group[];
}

function objectIn(settings: Settings, name: string): Settings {
  const value = settings[name] ?? {};
  if (!isObject(value)) throw unknown(`its ${name} is no object`);
  return value;
}

function commandOf(hook: unknown): unknown[] {
  return isObject(hook) ? [hook["command"]] : [];
}

function isObject(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unknown(reason: string): FemtoError {
  return new FemtoError("FEMTO_USAGE", `the file cannot be changed: ${printable(reason)}`, {
    fix: "Add the output of `femtoclaw hook install` (without --write) yourself, or name another file.",
  });
}
