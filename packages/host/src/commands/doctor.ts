/** `doctor`: tries out what FemtoClaw relies on, and says how to fix what does not work. */
import { EXIT, errorText, FemtoError, printable } from "@femtoclaw/protocol";
import { spawnWay, viewOf, visibilityOf } from "@femtoclaw/sandbox";
import type { LoadedConfiguration } from "../configuration/load-configuration.ts";
import { type Check, type Finding, type Found, found, ok } from "../doctor/finding.ts";
import { foldersFinding } from "../doctor/folders-finding.ts";
import {
  diskFinding,
  integrityFinding,
  limitsFinding,
  runtimeFinding,
  sandboxFinding,
  userFinding,
} from "../doctor/machine-findings.ts";
import {
  answersFinding,
  closedFinding,
  journalFinding,
  type Project,
  permissionsFinding,
  policyFinding,
  probeOf,
  rememberedFinding,
  stoppedLogOf,
  webhookFinding,
} from "../doctor/project-findings.ts";
import { telemetryFinding } from "../doctor/telemetry-finding.ts";
import { hookFinding } from "../hook/hook-finding.ts";
import { examineInstallation } from "../installation/examine.ts";
import { Library } from "../installation/library.ts";
import { launchFinding } from "../launch/launch-finding.ts";
import { loadPolicy } from "../process/preflight.ts";
import { fileSizeFinding, openFilesFinding } from "../process/process-limits.ts";
import { wordTable } from "../terminal/table.ts";
import type { CommandContext } from "./command-context.ts";
import { hostAnswers } from "./host/host.ts";

/** LIMIT: characters of one line of a finding. */
const LINE_CHARS_MAX = 4_096;

/** Runs one check and adds its finding to the report, in the order of the calls. */
type Look = (check: string, run: Check) => Promise<void>;

export async function doctor(context: CommandContext): Promise<number> {
  const findings = await examine(context);
  report(context, findings);
  const failed = findings.filter(({ verdict }) => verdict === "fail").length;
  if (!context.output.json) context.output.talk(summary(failed, findings));
  return failed > 0 ? EXIT.no : EXIT.ok;
}

/** Whether a host answers; otherwise what was thrown instead of an answer. */
export type Asked = boolean | { readonly fault: unknown };

/** Asks the host. A host that hangs keeps the caller waiting, so it is asked once. */
export async function askHost(context: CommandContext, loaded: LoadedConfiguration): Promise<Asked> {
  return await hostAnswers(context, loaded).catch((fault: unknown) => ({ fault }));
}

/** `asked` is what the host answered, if it was asked before. */
export async function examine(context: CommandContext, asked?: Asked): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const look: Look = async (check, run) => {
    findings.push({ check, ...(await found(run)) });
  };
  let loaded: LoadedConfiguration | null = null;
  await look("runtime", () => runtimeFinding(spawnWay()));
  await look("open files", openFilesFinding);
  await look("file size", fileSizeFinding);
  await look("integrity", () => integrityFinding(context.environment));
  if (Library.of(process.execPath) !== null) await look("installation", () => ok(examineInstallation()));
  await look("user", userFinding);
  await look("configuration", () => {
    loaded = context.load();
    return ok(`${loaded.path} is valid, private and in force`);
  });
  if (loaded !== null) {
    // Sockets that cannot be trusted are not asked. The findings about permissions and about the host say why.
    const answers = asked ?? (await askHost(context, loaded));
    await lookAtProject({ context, loaded, running: answers === true }, look);
    await look("host", () => hostFinding(answers));
  }
  return findings;
}

/** Whether programs in the sandbox can see a file, but none of them can change it. */
function isShown({ authority }: LoadedConfiguration["resolved"]): (path: string) => boolean {
  const { mounts } = viewOf(authority);
  return (path) => visibilityOf(mounts, path) === "readOnly";
}

async function lookAtProject(project: Project, look: Look): Promise<void> {
  const { context, loaded } = project;
  const { resolved } = loaded;
  const { stateDirectory, runtimeDirectory, launches, approvals } = resolved;
  const policy = loadPolicy(loaded);
  const probe = probeOf(resolved, policy);
  await look("sandbox", async () => sandboxFinding(await probe));
  await look("limits", async () => limitsFinding(await probe));
  await look("policy", () => policyFinding(policy));
  await look("who can answer", () => answersFinding(resolved));
  await look("fails closed", () => closedFinding(resolved));
  await look("agents' hooks", () => hookFinding(context, loaded));
  if (launches !== undefined) await look("launches", () => launchFinding(resolved, isShown(resolved)));
  await look("permissions", () => permissionsFinding(resolved));
  await look("folders above", () => foldersFinding(project));
  const stopped = stoppedLogOf(project);
  await look("journal", () => journalFinding(project, stopped));
  await look("disk", () => diskFinding(stateDirectory, runtimeDirectory));
  await look("remembered", () => rememberedFinding(project, stopped));
  const { webhook } = approvals;
  if (webhook !== undefined) await look("webhook", () => webhookFinding(project, webhook));
  await look("telemetry", () => telemetryFinding(project));
}

/** INVARIANT: a host that could not be asked is not reported as gone. */
function hostFinding(answers: Asked): Found {
  if (answers === true) return ok("a host answers");
  if (answers === false) {
    return { verdict: "warn", detail: "no host runs", fix: "Start it with `femtoclaw up --detach`." };
  }
  const { fault } = answers;
  const detail = `cannot tell whether one runs: ${errorText(fault)}`;
  const fix = fault instanceof FemtoError ? fault.fix : "First fix what the lines above report.";
  return { verdict: "warn", detail, fix };
}

function summary(failed: number, findings: readonly Finding[]): string {
  if (failed > 0)
    return `${counted(failed, "check")} failed; do what each fix says, and run \`femtoclaw doctor\` again`;
  const warned = findings.filter(({ verdict }) => verdict === "warn").length;
  const warnings =
    warned === 0 ? "" : `; ${counted(warned, "warning")}, which ${warned === 1 ? "stops" : "stop"} nothing`;
  return `no check failed${warnings}`;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

function report({ output }: CommandContext, findings: readonly Finding[]): void {
  if (output.json) {
    output.value(findings);
    return;
  }
  const colours = { ok: "green", warn: "yellow", fail: "red" } as const;
  const rows = findings.map(({ check, verdict, detail }) => {
    const [first = "", ...further] = detail.split("\n").map((line) => printable(line, LINE_CHARS_MAX));
    return { cells: [output.style(colours[verdict], verdict), check, first], further };
  });
  const lines = wordTable(
    rows.map(({ cells }) => cells),
    output.dataColumns,
  );
  findings.forEach(({ fix }, index) => {
    output.line(lines[index] ?? "");
    for (const line of rows[index]?.further ?? []) output.prose(`      ${line}`);
    if (fix !== undefined) output.prose(output.style("dim", `      fix: ${printable(fix, LINE_CHARS_MAX)}`));
  });
}
