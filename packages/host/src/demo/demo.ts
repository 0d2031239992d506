/**
 * `femtoclaw demo`: a scripted agent against the real runtime. Host, sockets, policy, sandbox and
 * journal are those of production; only the proposals were written in advance.
 */
import { existsSync, lstatSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentClient, OperatorClient } from "@femtoclaw/client";
import { checkJournal } from "@femtoclaw/journal";
import { EXIT, FemtoError, ownUser, printable, type Reply } from "@femtoclaw/protocol";
import { type Counters, type RuntimeStatus, replay } from "@femtoclaw/runtime";
import type { CommandContext } from "../commands/command-context.ts";
import { type LoadedConfiguration, loadConfiguration } from "../configuration/load-configuration.ts";
import { CONFIGURATION_NAME } from "../configuration/project-files.ts";
import { readJournal } from "../log/read-journal.ts";
import { writtenCommand } from "../own-command.ts";
import { HostProcess } from "../process/host-process.ts";
import { logToStderr } from "../terminal/log.ts";
import { happened, headline, styled } from "../terminal/reply-text.ts";
import { DEMO_CONFIGURATION, SCRIPT, type ScriptStep } from "./script.ts";

const FOLDER = ".femtoclaw-demo";

export async function demo(context: CommandContext, options: { readonly fresh?: boolean }): Promise<number> {
  const { output } = context;
  const root = join(context.cwd, FOLDER);
  if (options.fresh === true) rmSync(root, { recursive: true, force: true });
  const loaded = await prepare(root, context);
  const say = (text = ""): void => {
    if (!output.json) output.prose(text);
  };
  say(output.style("bold", "FemtoClaw demo"));
  say("A scripted agent proposes; runtime, policy, sandbox and journal are the real ones.");
  say(output.style("dim", `configuration and journal: ${printable(root, 4_096)}`));
  say();

  const first = await withHost(context, loaded, async (host, client) => {
    const steps: { step: ScriptStep; reply: Reply }[] = [];
    for (const [index, step] of SCRIPT.entries()) {
      const reply = await client.propose(Buffer.from(step.text), { label: `demo ${index + 1}` });
      steps.push({ step, reply });
      for (const line of stepLines(index + 1, step, reply, context)) say(line);
    }
    return { steps, status: host.runtime.status() };
  });
  const waiting = first.steps.find(({ reply }) => reply.approval !== undefined)?.reply;
  const { status: second, check, approved } = await afterRestart(context, loaded, waiting);
  const surprises = first.steps.filter(({ step, reply }) => headline(reply) !== step.expected);
  const kept = historyKept(first.status, second) && check.ok;
  const ranAfterYes = approved?.status === "completed";

  say(output.style("bold", "Stopped and started again"));
  const { counters } = second;
  say(
    `  boot ${second.boots} of this journal; ${check.records} records, gapless and valid, ${check.snapshots} snapshots equal the fold`,
  );
  say(
    `  since the beginning: ${counters.completed} completed, ${counters.refused} refused, ${counters.failed} failed, ${counters.interrupted} interrupted; ${counters.messages} ${counters.messages === 1 ? "message" : "messages"} kept`,
  );
  if (approved !== null) {
    say(`  the call that waited is still there; an operator says yes, and it runs:`);
    say(`    ${styled(approved, headline(approved), output)}  ${happened(approved)}`);
  }
  say();
  if (output.json) {
    const steps = first.steps.map(({ step, reply }) => ({ ...step, reply }));
    output.value({ steps, status: second, check, approved });
  }
  if (surprises.length === 0 && kept && ranAfterYes) {
    say("Look further:");
    for (const command of ["executions list", "policy show", "replay", "audit verify"]) {
      // Whole, so that it can be copied.
      if (!output.json) output.line(`  ${writtenCommand()} --config ${FOLDER}/femtoclaw.toml ${command}`);
    }
    say("In a project of your own, begin with `femtoclaw init --preset git`; docs/guides/first-steps.md leads on.");
    return EXIT.ok;
  }
  for (const { step, reply } of surprises)
    output.talk(`unexpected: ${step.title}: ${headline(reply)} instead of ${step.expected}`);
  if (!ranAfterYes) output.talk("unexpected: the call that waited did not run after the yes");
  if (!kept) output.talk(`unexpected: history did not go on as it was: ${check.fault ?? "counters differ"}`);
  return EXIT.no;
}

/**
 * Writes the demo's own project. Its configuration is named explicitly and therefore needs no trust, so files that lay
 * here before, perhaps in somebody else's repository, must have no influence. Only the journal is continued.
 */
async function prepare(root: string, context: CommandContext): Promise<LoadedConfiguration> {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const status = lstatSync(root);
  if (!status.isDirectory() || status.uid !== ownUser(process.getuid)) {
    const fix = "Move it away, or run the demo in another folder.";
    throw new FemtoError("FEMTO_CONFIG_OWNER", `${printable(root, 4_096)} is not a folder of your own`, { fix });
  }
  const workspace = join(root, "workspace");
  const path = join(root, CONFIGURATION_NAME);
  for (const old of [workspace, path]) rmSync(old, { recursive: true, force: true });
  for (const folder of ["out", "secrets"]) mkdirSync(join(workspace, folder), { recursive: true, mode: 0o700 });
  writeNew(path, DEMO_CONFIGURATION);
  writeNew(join(workspace, "secrets", "token.txt"), "a secret that no agent may see\n");
  const loaded = loadConfiguration({ cwd: context.cwd, environment: context.environment, configFlag: path });
  const { stateDirectory } = loaded.resolved;
  // The user may delete the demo's journal at any time, so what was seen of a deleted one says nothing about the next.
  if (!existsSync(stateDirectory)) await context.logMemory(loaded).forget();
  return loaded;
}

function writeNew(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600, flag: "wx" });
}

async function withHost<T>(
  context: CommandContext,
  loaded: LoadedConfiguration,
  use: (host: HostProcess, client: AgentClient, operator: OperatorClient) => Promise<T>,
): Promise<T> {
  await using host = await HostProcess.start({ loaded, load: () => loaded, log: logToStderr("warn") });
  await using client = await context.agent(loaded);
  await using operator = await context.operator(loaded);
  return await use(host, client, operator);
}

interface JournalFindings {
  readonly ok: boolean;
  readonly records: number;
  readonly snapshots: number;
  readonly fault: string | null;
}

async function afterRestart(
  context: CommandContext,
  loaded: LoadedConfiguration,
  waiting: Reply | undefined,
): Promise<{ status: RuntimeStatus; check: JournalFindings; approved: Reply | null }> {
  const { status, approved } = await withHost(context, loaded, async (host, client, operator) => {
    const status = host.runtime.status();
    return { status, approved: waiting === undefined ? null : await approve(waiting, client, operator) };
  });
  await using journal = await readJournal(loaded.resolved.stateDirectory);
  const check = await checkJournal(journal.reader);
  const { snapshotsEqual } = await replay(journal.reader);
  const fault = check.fault === null ? null : `record ${check.fault.seq}: ${check.fault.reason}`;
  return { status, approved, check: { ok: fault === null, records: check.records, snapshots: snapshotsEqual, fault } };
}

/**
 * Does what an operator does on the other socket: looks at the question and says yes to it. The call then continues by
 * itself.
 */
async function approve(waiting: Reply, client: AgentClient, operator: OperatorClient): Promise<Reply> {
  const id = waiting.approval?.id ?? "";
  const { digest } = await operator.approval(id);
  await operator.answerApproval({ approval: id, digest, answer: "granted", scope: "once", reason: "demo" });
  return await client.wait(waiting.execution_id);
}

function historyKept(before: RuntimeStatus, after: RuntimeStatus): boolean {
  const same = (name: keyof Counters): boolean => before.counters[name] === after.counters[name];
  const counters = Object.keys(before.counters) as (keyof Counters)[];
  return after.boots === before.boots + 1 && after.records > before.records && counters.every(same);
}

function stepLines(number: number, step: ScriptStep, reply: Reply, { output }: CommandContext): string[] {
  const rule = reply.policy?.rules.join(", ") ?? "";
  const place = reply.record === null ? "" : `record ${reply.record.seq}`;
  const facts = [styled(reply, headline(reply), output), rule, output.style("dim", place)].filter(
    (text) => text !== "",
  );
  return [
    `${String(number).padStart(2)}  ${output.style("bold", step.title)}`,
    output.style("dim", `    → ${printable(step.text, 110)}`),
    `    ${facts.join("  ")}`,
    `    ${happened(reply)}`,
    "",
  ];
}
