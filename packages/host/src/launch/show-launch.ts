/**
 * Shows what a launch would start and write, without starting it, for people who want to see how an agent is
 * configured.
 */
import { EXIT, printable } from "@femtoclaw/protocol";
import type { LaunchSetting } from "@femtoclaw/runtime/configuration";
import { TUNNEL_ADDRESS } from "@femtoclaw/sandbox";
import type { CommandContext } from "../commands/command-context.ts";
import type { ThrowAway } from "./throw-away.ts";

interface Shown {
  readonly setting: LaunchSetting;
  readonly argv: readonly string[];
  readonly own: ThrowAway;
  /** Names of the variables that this shell would pass on. INVARIANT: I10: their values are not shown. */
  readonly given: readonly string[];
}

export function showLaunch({ output }: CommandContext, { setting, argv, own, given }: Shown): number {
  const { files, tunnel, hidesProject } = own.settings;
  const all = [...own.argv, ...argv];
  if (output.json) {
    const variables = { given, set: own.variables };
    output.value({
      name: setting.name,
      kind: setting.kind,
      program: setting.program,
      argv: all,
      variables,
      files,
      tunnel,
      hides_project_settings: hidesProject,
    });
    return EXIT.ok;
  }
  output.line(`program    ${printable(setting.program, 4_096)}`);
  output.line(`arguments  ${printable(all.map(quoted).join(" "), 65_536)}`);
  output.line(`kind       ${setting.kind}`);
  for (const name of given) output.line(`variable   ${printable(name)}, from this shell`);
  for (const [name, value] of Object.entries(own.variables)) {
    output.line(`variable   ${name}=${printable(value, 4_096)}`);
  }
  if (tunnel !== null) output.line(`model      ${TUNNEL_ADDRESS} there leads to ${printable(tunnel, 300)}`);
  if (hidesProject) output.line("hidden     settings of agents in the project, such as .mcp.json, .claude and .codex");
  for (const { path, content } of files) {
    output.line(`file       ${path}`);
    for (const line of content.trimEnd().split("\n")) output.line(`  ${printable(line, 4_096)}`);
  }
  return EXIT.ok;
}

function quoted(word: string): string {
  return /^[A-Za-z0-9_./:@=+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
