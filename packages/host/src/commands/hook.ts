/** `hook`: the command that agents run before they use a tool. It is also installed and tested from here. */
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EXIT, errorText, FemtoError, printable } from "@femtoclaw/protocol";
import type { HookKind } from "../hook/hook-command.ts";
import { hookInstallation, withInstalled } from "../hook/hook-settings.ts";
import { type HookVerdict, INPUT_BYTES_MAX, judgeTool } from "../hook/judge-tool.ts";
import { readSettings, replaceSettings } from "../hook/settings-file.ts";
import { tryHook } from "../hook/try-hook.ts";
import { withRuntimeDirectory } from "../mcp/client-environment.ts";
import { changeLines } from "../terminal/change-text.ts";
import { confirms } from "../terminal/confirm.ts";
import { table } from "../terminal/table.ts";
import type { CommandContext } from "./command-context.ts";
import { hostAnswers } from "./host/host.ts";

/** LIMIT: time for one judgement, far below the time after which agents give up on a hook and let the tool run. */
const JUDGE_MS = 5_000;

/**
 * Exit code 2 makes agents block the tool, and needs a reason on stderr. After any other failure they let the tool run.
 */
const BLOCKED = EXIT.internal;

/**
 * Blocks the tool if anything goes wrong. If it is allowed, says nothing, so that the agent still asks its own
 * questions.
 */
export async function hook(called: CommandContext, kind: HookKind): Promise<number> {
  const late = sleep(JUDGE_MS, undefined, { ref: false }).then((): HookVerdict => {
    return { allowed: false, reason: `femtoclaw: blocked, because no answer came within ${JUDGE_MS} ms` };
  });
  const verdict = await Promise.race([judged(called, kind), late]).catch((error: unknown): HookVerdict => {
    const fix = error instanceof FemtoError ? ` (${error.fix})` : "";
    return { allowed: false, reason: `femtoclaw: blocked, because the hook failed: ${errorText(error)}${fix}` };
  });
  if (verdict.allowed) return EXIT.ok;
  process.stderr.write(`${printable(verdict.reason, 4_000)}\n`);
  // Exits here, because an agent that keeps its end of stdin open, or a host that hangs, would otherwise keep this
  // process waiting.
  process.exit(BLOCKED);
}

async function judged(called: CommandContext, kind: HookKind): Promise<HookVerdict> {
  const input = await readInput();
  const context = withRuntimeDirectory(called);
  return await judgeTool(kind, input, () => context.agent(context.load(), { label: `hook of ${kind}` }));
}

async function readInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).byteLength;
    if (bytes > INPUT_BYTES_MAX) throw new FemtoError("FEMTO_USAGE", `more than ${INPUT_BYTES_MAX} bytes were told`);
  }
  return Buffer.concat(chunks);
}

export interface InstallOptions {
  readonly write?: string;
  readonly yes?: boolean;
}

/** Prints what belongs into the agent's file. With `--write`, shows the change and writes it after a yes. */
export async function hookInstall(
  context: CommandContext,
  kind: HookKind,
  { write, yes = false }: InstallOptions,
): Promise<number> {
  const { output, cwd } = context;
  const { path: configuration } = context.load();
  if (write === undefined) {
    const { text, use } = hookInstallation(kind, configuration);
    output.line(text.trimEnd());
    for (const line of use) output.talk(line);
    return EXIT.ok;
  }
  const before = readSettings(resolve(cwd, write));
  const shown = printable(before.path, 4_096);
  const after = withInstalled(kind, before.text ?? "", configuration);
  if (before.text === after) {
    output.talk(`${shown} has it already`);
    return EXIT.ok;
  }
  for (const line of changeLines(before.text ?? "", after)) output.talk(line);
  if (!yes && !(await confirms(`write this to ${shown}?`, "yes"))) {
    output.talk("nothing was written; --yes writes it without a question");
    return EXIT.no;
  }
  replaceSettings(before, after);
  output.talk(`${shown} has it now; \`femtoclaw hook test ${kind}\` tries it`);
  return EXIT.ok;
}

/** Runs the hook as the agent would, lets everything go wrong that can, and reports how each run ended. */
export async function hookTest(called: CommandContext, kind: HookKind): Promise<number> {
  const { output } = called;
  const context = withRuntimeDirectory(called);
  const loaded = context.load();
  const tool = (await hostAnswers(context, loaded)) ? await anyTool(context) : null;
  const trials = await tryHook({ kind, configuration: loaded.path, environment: context.environment, tool });
  if (output.json) output.value(trials);
  else {
    const rows = trials.map(({ ok, what, found }) => [
      output.style(ok ? "green" : "red", ok ? "ok" : "fail"),
      what,
      printable(found, 1_000),
    ]);
    for (const line of table(rows)) output.line(line);
    if (tool === null) output.talk("what is allowed was not tried, because no host runs that offers something");
  }
  return trials.every(({ ok }) => ok) ? EXIT.ok : EXIT.no;
}

/** The name of an enabled capability; null if there is none. */
async function anyTool(context: CommandContext): Promise<string | null> {
  await using client = await context.agent();
  return (await client.tools())[0]?.name ?? null;
}
