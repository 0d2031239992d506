/** What `doctor` finds of hooks: that they end in "blocked", by running one, and whose files hold one of ours. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { printable } from "@femtoclaw/protocol";
import type { CommandContext } from "../commands/command-context.ts";
import type { LoadedConfiguration } from "../configuration/load-configuration.ts";
import { type HookKind, hookCommand } from "./hook-command.ts";
import { installedCommands } from "./hook-settings.ts";
import { tryHook } from "./try-hook.ts";

interface Finding {
  readonly verdict: "ok" | "warn" | "fail";
  readonly detail: string;
  readonly fix?: string;
}

/** Where agents look by themselves; a file that they are given when they are started is theirs to name. */
function places(home: string | undefined, project: string): [HookKind, string][] {
  const ofUser: [HookKind, string][] =
    home === undefined
      ? []
      : [
          ["claude", join(home, ".claude/settings.json")],
          ["codex", join(home, ".codex/hooks.json")],
        ];
  return [
    ...ofUser,
    ["claude", join(project, ".claude/settings.json")],
    ["claude", join(project, ".claude/settings.local.json")],
    ["codex", join(project, ".codex/hooks.json")],
  ];
}

export async function hookFinding(context: CommandContext, loaded: LoadedConfiguration): Promise<Finding> {
  // The host is left alone: what it is asked, it records.
  const { path: configuration } = loaded;
  const trials = await tryHook({ kind: "claude", configuration, environment: context.environment, tool: null });
  const wrong = trials.filter(({ ok }) => !ok);
  if (wrong.length > 0) {
    const detail = wrong.map(({ what, found }) => `${what}: ${found}`).join("\n");
    return { verdict: "fail", detail, fix: "Do not rely on hooks; turn the agent's own tools off." };
  }
  const proved = `a hook that was run ended in "blocked" on each of ${trials.length} occasions`;
  const found = places(context.environment["HOME"], dirname(loaded.path)).flatMap(([kind, path]) =>
    commandsIn(kind, path).map((command) => ({ path, isOurs: command === hookCommand(kind, loaded.path) })),
  );
  const other = found.find(({ isOurs }) => !isOurs);
  if (other !== undefined) {
    const detail = `${printable(other.path, 4_096)} has a hook of another configuration, or of another FemtoClaw`;
    return {
      verdict: "warn",
      detail,
      fix: "Put the one in that `femtoclaw hook install` prints, if it is to ask this host.",
    };
  }
  const where =
    found.length === 0 ? "no agent's usual file has one" : found.map(({ path }) => printable(path, 4_096)).join(", ");
  return { verdict: "ok", detail: `${proved}; ${found.length === 0 ? where : `in ${where}`}` };
}

/** A file that cannot be read, or holds something else, has no hook of ours. */
function commandsIn(kind: HookKind, path: string): string[] {
  try {
    return installedCommands(kind, readFileSync(path, "utf8"));
  } catch {
    return [];
  }
}
