/**
 * What `doctor` finds out about hooks: which agents' files contain one of ours and, by running it, whether it blocks.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { printable } from "@femtoclaw/protocol";
import type { CommandContext } from "../commands/command-context.ts";
import type { LoadedConfiguration } from "../configuration/load-configuration.ts";
import type { Found } from "../doctor/finding.ts";
import { type HookKind, hookCommand } from "./hook-command.ts";
import { installedCommands } from "./hook-settings.ts";
import { tryHook } from "./try-hook.ts";

/** The files that agents read by themselves. Files that are named only when an agent is started are not known here. */
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

export async function hookFinding(
  context: CommandContext,
  { path: configuration }: LoadedConfiguration,
): Promise<Found> {
  const { environment } = context;
  const found = places(environment["HOME"], dirname(configuration)).flatMap(([kind, path]) =>
    commandsIn(kind, path).map((command) => ({ kind, path, isOurs: command === hookCommand(kind, configuration) })),
  );
  if (found.length === 0) {
    return { verdict: "ok", detail: "none is where agents look by themselves; `femtoclaw hook test` tries one" };
  }
  const other = found.find(({ isOurs }) => !isOurs);
  if (other !== undefined) {
    const detail = `${printable(other.path, 4_096)} has a hook of another configuration, or of another FemtoClaw`;
    const fix = "To make it ask this host, use the hook that `femtoclaw hook install` prints.";
    return { verdict: "warn", detail, fix };
  }
  // The host is left alone, because it records what it is asked.
  const kinds = [...new Set(found.map(({ kind }) => kind))];
  const trials = await Promise.all(kinds.map((kind) => tryHook({ kind, configuration, environment, tool: null })));
  const wrong = trials.flat().filter(({ ok }) => !ok);
  if (wrong.length > 0) {
    const detail = wrong.map(({ what, found }) => `${what}: ${found}`).join("\n");
    return { verdict: "fail", detail, fix: "Do not rely on hooks. Turn the agent's own tools off." };
  }
  const where = found.map(({ path }) => printable(path, 4_096)).join(", ");
  return {
    verdict: "ok",
    detail: `run with ${trials.flat().length} things that go wrong, and blocked each time; in ${where}`,
  };
}

/** A file that cannot be read, or holds something else, has no hook of ours. */
function commandsIn(kind: HookKind, path: string): string[] {
  try {
    return installedCommands(kind, readFileSync(path, "utf8"));
  } catch {
    return [];
  }
}
