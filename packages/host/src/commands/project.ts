/** `init` and `trust`: how a project's configuration is created, and how it takes effect. */
import { realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describeRule, type FileRule } from "@femtoclaw/policy";
import { EXIT, FemtoError, printable } from "@femtoclaw/protocol";
import { describeAuthority } from "../configuration/describe-authority.ts";
import { initProject } from "../configuration/init-project.ts";
import { resolveProject } from "../configuration/load-configuration.ts";
import { locateConfiguration } from "../configuration/locate-configuration.ts";
import { PRESETS, type Preset } from "../configuration/presets.ts";
import { CONFIGURATION_NAME, readProjectFiles } from "../configuration/project-files.ts";
import { TrustStore } from "../configuration/trust-store.ts";
import { loadPolicy } from "../process/preflight.ts";
import type { Output } from "../terminal/output.ts";
import type { CommandContext } from "./command-context.ts";
import { hostAnswers } from "./host/host.ts";

export async function init(
  context: CommandContext,
  directory: string | undefined,
  options: { readonly preset?: string },
): Promise<number> {
  const { output, cwd, environment } = context;
  const preset = options.preset ?? "read-only";
  if (!isPreset(preset)) {
    throw new FemtoError("FEMTO_USAGE", `no preset is called \`${printable(preset)}\``, {
      fix: `Use one of ${PRESETS.join(", ")}.`,
    });
  }
  const result = await initProject({ directory: directory ?? ".", preset, cwd, environment });
  if (output.json) {
    output.value(result);
    return EXIT.ok;
  }
  for (const file of result.created) output.prose(`wrote ${printable(file, 4_096)}`);
  output.prose(result.description);
  output.talk(
    "next: `femtoclaw doctor`, then `femtoclaw up --detach`; `femtoclaw mcp --help` shows how agents connect",
  );
  return EXIT.ok;
}

function isPreset(name: string): name is Preset {
  return (PRESETS as readonly string[]).includes(name);
}

export interface TrustOptions {
  readonly list?: boolean;
  readonly revoke?: boolean;
}

export async function trust(
  context: CommandContext,
  directory: string | undefined,
  options: TrustOptions,
): Promise<number> {
  const { output } = context;
  const store = new TrustStore(context.environment);
  if (options.list === true) return listTrusted(context, store);
  const path = directory === undefined ? located(context) : join(resolve(context.cwd, directory), CONFIGURATION_NAME);
  if (options.revoke === true) {
    const folder = canonicalOrAsIs(dirname(path));
    const revoked = await store.revoke(folder);
    const shown = printable(folder, 4_096);
    if (output.json) output.value({ directory: folder, trusted: false, changed: revoked });
    else output.prose(revoked ? `${shown} is not trusted any more` : `${shown} was not trusted`);
    return EXIT.ok;
  }
  const project = readProjectFiles(path);
  const { cwd, environment } = context;
  const { state: stateFlag } = context.options;
  const loaded = resolveProject(project, { cwd, environment, ...(stateFlag === undefined ? {} : { stateFlag }) });
  if (!output.json) output.prose(describeAuthority(loaded.resolved));
  const { policyFiles, shadow, warnings } = await loadPolicy(loaded);
  if (!output.json && policyFiles.rules.length > 0) {
    output.line(["policies of policy/:", ...policyFiles.rules.map(describeRule)].join("\n\n"));
  }
  if (!output.json) tellTrial(output, policyFiles.rules, shadow?.rules ?? []);
  // A file that is in force and on trial is warned of once.
  const warned = [...warnings, ...(shadow?.warnings ?? [])].map(({ source, message }) => `${source}: ${message}`);
  for (const warning of new Set(warned)) output.talk(printable(`warning: ${warning}`, 4_096));
  await store.trust(project.directory, project.sha256);
  if (output.json) {
    output.value({ directory: project.directory, trusted: true, sha256: project.sha256 });
    return EXIT.ok;
  }
  output.prose(`trusted: ${printable(project.path, 4_096)} as it is now (sha256 ${project.sha256.slice(0, 12)}…)`);
  // Where no host can be asked, the next command says why.
  const runs = await hostAnswers(context, loaded).catch(() => false);
  output.talk(runs ? "next: `femtoclaw reload` makes the running host use it" : "next: `femtoclaw up --detach`");
  return EXIT.ok;
}

/** Trust covers all files, so the rules on trial are shown as well. */
function tellTrial(output: Output, inForce: readonly FileRule[], onTrial: readonly FileRule[]): void {
  const others = onTrial.filter(({ source }) => inForce.every((rule) => rule.source !== source));
  if (others.length > 0) output.line(["on trial, and in force nowhere:", ...others.map(describeRule)].join("\n\n"));
}

/**
 * Trust is stored under the canonical path. A project that is gone has none any more, so its path is taken as it was
 * given.
 */
function canonicalOrAsIs(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    return folder;
  }
}

function listTrusted({ output }: CommandContext, store: TrustStore): number {
  const projects = store.list();
  if (output.json) output.value(Object.fromEntries(projects));
  else
    for (const [directory, sha256] of projects) output.line(`${printable(directory, 4_096)}  ${sha256.slice(0, 12)}…`);
  return EXIT.ok;
}

function located({ cwd, environment, options }: CommandContext): string {
  return locateConfiguration({ cwd, environment, configFlag: options.config }).path;
}
