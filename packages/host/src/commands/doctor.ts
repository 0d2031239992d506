/** `doctor`: tries out what FemtoClaw relies on, and says what to do about what does not hold. */

import { accessSync, constants, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { builtinCapabilities } from "@femtoclaw/capabilities";
import { DiskReserve, MARGIN_BYTES, openStateDirectory, RESERVE_BYTES, verifyDirectory } from "@femtoclaw/journal";
import { compilePolicy, confinedAuthority, createPolicyEngine, NO_HISTORY } from "@femtoclaw/policy";
import {
  ERRORS,
  EXIT,
  errorText,
  FemtoError,
  ownUser,
  platformLacks,
  printable,
  systemErrorCode,
} from "@femtoclaw/protocol";
import { operatorName, type WebhookSetting } from "@femtoclaw/runtime";
import { notCovered, probeSandbox, type SandboxProbe } from "@femtoclaw/sandbox";
import type { LoadedConfiguration } from "../configuration/load-configuration.ts";
import { assertPrivateSocketFolder } from "../endpoints/socket-directory.ts";
import { hookFinding } from "../hook/hook-finding.ts";
import { examineInstallation } from "../installation/examine.ts";
import { Library } from "../installation/library.ts";
import { ownIntegrity } from "../integrity/own-integrity.ts";
import { launchFinding } from "../launch/launch-finding.ts";
import { openFilesFinding } from "../open-files.ts";
import { type LoadedPolicy, loadPolicy } from "../preflight.ts";
import { table } from "../terminal/table.ts";
import { webhookKey } from "../webhook/webhook.ts";
import type { WebhookStatus } from "../webhook/webhook-delivery.ts";
import type { CommandContext } from "./command-context.ts";
import { hostAnswers } from "./host.ts";
import { heldText, holdLog, rememberedText } from "./known-log.ts";
import { telemetryFinding } from "./telemetry-finding.ts";

export interface Finding {
  readonly check: string;
  readonly verdict: "ok" | "warn" | "fail";
  readonly detail: string;
  readonly fix?: string;
}

type Check = () => Promise<Omit<Finding, "check">> | Omit<Finding, "check">;

const NODE_MAJOR = 26;
const MIB = 1_048_576;
/** LIMIT: characters of one line of a finding. */
const LINE_CHARS_MAX = 4_096;

export async function doctor(context: CommandContext): Promise<number> {
  const findings = await examine(context);
  report(context, findings);
  return findings.some(({ verdict }) => verdict === "fail") ? EXIT.no : EXIT.ok;
}

export async function examine(context: CommandContext): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const look = async (check: string, run: Check): Promise<void> => {
    findings.push({ check, ...(await guarded(run)) });
  };
  let loaded: LoadedConfiguration | null = null;
  await look("runtime", runtimeFinding);
  await look("open files", openFilesFinding);
  await look("integrity", () => integrityFinding(context));
  if (Library.of(process.execPath) !== null) await look("installation", () => ok(examineInstallation()));
  await look("user", userFinding);
  await look("configuration", () => {
    loaded = context.load();
    return ok(`${loaded.path} is valid, private and in force`);
  });
  if (loaded !== null) await lookAtProject(context, loaded, look);
  return findings;
}

async function lookAtProject(
  context: CommandContext,
  loaded: LoadedConfiguration,
  look: (check: string, run: Check) => Promise<void>,
): Promise<void> {
  const { authority, stateDirectory, runtimeDirectory } = loaded.resolved;
  // Sockets that cannot be trusted are not asked; the finding about permissions says why.
  const running = await hostAnswers(context, loaded).catch(() => false);
  const policy = loadPolicy(loaded);
  const probe = probeOf(loaded.resolved, policy);
  await look("sandbox", async () => sandboxFinding(await probe));
  await look("limits", async () => limitsFinding(await probe));
  await look("policy", () => policyFinding(policy));
  await look("who can answer", () => answersFinding(loaded.resolved));
  await look("fails closed", async () => {
    const nothing = { ...authority, allow: { read: [], write: [], run: [] } };
    const manifests = builtinCapabilities.map(({ manifest }) => manifest);
    const engine = await createPolicyEngine();
    await engine.activate(compilePolicy({ authority: nothing, manifests }));
    const question = { kind: "path", path: authority.workspace, exists: true, type: "directory", bytes: 0 } as const;
    const decision = engine.decideAll({
      principal: "default",
      capability: "fs_read",
      questions: [question],
      history: NO_HISTORY,
    });
    return decision.allowed
      ? { verdict: "fail", detail: "an empty policy permitted a call", fix: "Do not use this installation." }
      : ok("without a permit the engine denies");
  });
  await look("agents' hooks", () => hookFinding(context, loaded));
  if (loaded.resolved.launches !== undefined) await look("launches", () => launchFinding(loaded.resolved));
  await look("permissions", async () => {
    assertPrivateSocketFolder(runtimeDirectory);
    if (existsSync(join(stateDirectory, "journal"))) await openStateDirectory(stateDirectory, { create: false });
    return ok("state and sockets are yours alone");
  });
  await look("journal", async () => {
    if (running) return ok("a host holds it; `femtoclaw status` shows its size");
    if (!existsSync(join(stateDirectory, "journal")))
      return ok(`empty; \`femtoclaw up\` begins it in ${stateDirectory}`);
    const remembered = await context.logMemory(loaded).remembered();
    const expected = remembered === null ? {} : { pinned: remembered.firstKey, checkpoint: remembered.checkpoint };
    // A copy is read, so that looking changes nothing.
    const { verdict, size, signedSize, pinned, fault, prunedBefore } = await verifyDirectory(
      join(stateDirectory, "journal"),
      expected,
    );
    if (fault === null && pinned !== "differs") {
      return ok(`${size} records in ${stateDirectory}, ${verdict}; the first ${signedSize} are signed`);
    }
    if (prunedBefore > 0 && pinned !== "differs") {
      return ok(`${size} records in ${stateDirectory}, right as far as they are kept: pruned below ${prunedBefore}`);
    }
    const place = fault === null ? "" : `record ${fault.seq}: `;
    return {
      verdict: "fail",
      detail: `${verdict}: ${place}${fault?.reason ?? "another key signed this journal than the one that is remembered"}`,
      fix: "Keep a copy as evidence; `femtoclaw audit verify` says more.",
    };
  });
  await look("disk", () => writableFinding([stateDirectory, runtimeDirectory]) ?? diskFinding(stateDirectory));
  await look("remembered", async () => {
    if (running) {
      await using operator = await context.unprovedOperator(loaded);
      const held = await holdLog(context, operator, loaded);
      return held.fault === null ? ok(heldText(held)) : failed(held.fault);
    }
    const remembered = await context.logMemory(loaded).remembered();
    if (remembered === null) return ok("nothing yet; the first look at the log is believed");
    if (existsSync(join(stateDirectory, "journal")))
      return ok(`${rememberedText(remembered)}; the journal was held to them`);
    return {
      verdict: "fail",
      detail: `${rememberedText(remembered)}, and there is no journal in ${stateDirectory}`,
      fix: ERRORS.FEMTO_LOG_ROLLED_BACK.fix,
    };
  });
  const { webhook } = loaded.resolved.approvals;
  if (webhook !== undefined) await look("webhook", () => webhookFinding(context, loaded, webhook, running));
  await look("telemetry", () => telemetryFinding(context, loaded, running));
  await look("host", () =>
    running
      ? ok("a host answers")
      : { verdict: "warn", detail: "no host runs", fix: "Start it with `femtoclaw up --detach`." },
  );
}

/** Which answers count, and what an agent that runs as the operator's user could do about it. */
function answersFinding({ approvals }: LoadedConfiguration["resolved"]): Omit<Finding, "check"> {
  const names = approvals.operators.map(operatorName).join(", ");
  if (approvals.operatorKey) return ok(`those who sign: ${names}`);
  const also = names === "" ? "" : `; with a key: ${names}`;
  return ok(`whoever runs as your user, so the agent too where it has a shell of its own (self-approvable)${also}`);
}

/** Whether somebody can be told of questions, and is. */
async function webhookFinding(
  context: CommandContext,
  loaded: LoadedConfiguration,
  setting: WebhookSetting,
  running: boolean,
): Promise<Omit<Finding, "check">> {
  await webhookKey(setting, context.environment);
  const { origin } = new URL(setting.url);
  if (!running) return ok(`${origin} will be told of questions; its secret is private`);
  await using operator = await context.unprovedOperator(loaded);
  const { webhook } = (await operator.status()) as { readonly webhook: WebhookStatus | null };
  if (webhook === null) {
    return { verdict: "warn", detail: "the host that runs tells nobody of questions", fix: "Start it again." };
  }
  const detail = `${origin}: ${webhook.delivered} told, ${webhook.waiting} waiting, ${webhook.given_up} given up`;
  if (webhook.error === null) return ok(detail);
  const fix = "Look after the receiver, or at `femtoclaw approvals watch`; questions wait all the same.";
  return { verdict: "warn", detail: `${detail}; ${webhook.error}`, fix };
}

/** A program is confined by the tables and by what Cedar files forbid; a policy that fails has a finding of its own. */
async function probeOf(
  { authority, limits }: LoadedConfiguration["resolved"],
  policy: Promise<LoadedPolicy>,
): Promise<SandboxProbe> {
  const rules = (await policy.catch(() => null))?.policyFiles.rules ?? [];
  return await probeSandbox(confinedAuthority(authority, rules), limits.child);
}

function sandboxFinding(probe: SandboxProbe): Omit<Finding, "check"> {
  if (!probe.ok) return { verdict: "fail", detail: probe.reason, fix: probe.fix };
  const confined = `${probe.title} confined a real program: own files, secrets and environment hidden`;
  if (probe.name === "bubblewrap") return ok(confined);
  const reason = probe.instead === undefined ? [] : [`bubblewrap would confine more: ${probe.instead.reason}`];
  return {
    verdict: "warn",
    detail: [confined, ...reason, ...notCovered(probe.name)].join("\n"),
    fix:
      probe.instead?.fix ?? "Try on this machine what you rely on, before you rely on it; on Linux more is confined.",
  };
}

/** What keeps programs within `[limits]`, and what nothing does; found in the group of this command, as a host's may differ. */
function limitsFinding(probe: SandboxProbe): Omit<Finding, "check"> {
  if (!probe.ok) return { verdict: "fail", detail: "nothing was tried", fix: "See to the sandbox first." };
  const { by, wholly, lacks } = probe.bounds;
  const detail = [`${by} hold what a program uses; not bounded:`, ...lacks].join("\n");
  if (wholly) return ok(detail);
  const fix =
    "Start the host in a control group that is its own: the service that `femtoclaw install` writes, or `systemd-run --user --same-dir --property=Delegate=yes femtoclaw up`. `femtoclaw status` tells by what one that runs is bounded.";
  return { verdict: "warn", detail, fix };
}

async function policyFinding(policy: Promise<LoadedPolicy>): Promise<Omit<Finding, "check">> {
  const { compiled, results, warnings } = await policy;
  const engine = await createPolicyEngine();
  engine.activate(compiled);
  const tests = results.length === 0 ? "it has no tests" : `its ${results.length} tests hold`;
  const detail = `${compiled.rules.length} rules answer decisions, ${tests}, revision ${compiled.revision.slice(0, 12)}`;
  if (warnings.length === 0) return ok(detail);
  const lines = warnings.map(({ source, message }) => `${source}: ${message}`);
  const fix = "Read the lines above; `femtoclaw policy check` repeats them.";
  return { verdict: "warn", detail: [detail, ...lines].join("\n"), fix };
}

/** Null where a host can write to these folders, or make them. */
function writableFinding(folders: readonly string[]): Omit<Finding, "check"> | null {
  for (const folder of folders.map(nearest)) {
    try {
      accessSync(folder, constants.W_OK);
    } catch (error) {
      const detail = `${folder} cannot be written to (${systemErrorCode(error)})`;
      const fix = "Let the host's user write there, or name other folders under [memory].path and [host].runtime_dir.";
      return { verdict: "fail", detail, fix };
    }
  }
  return null;
}

function nearest(folder: string): string {
  let there = folder;
  while (!existsSync(there)) there = dirname(there);
  return there;
}

/** Whether the journal's disk has room to spare; what is free is asked of the nearest folder that exists. */
async function diskFinding(stateDirectory: string): Promise<Omit<Finding, "check">> {
  const reserve = await DiskReserve.open(nearest(stateDirectory));
  const free = Math.floor((await reserve.freeBytes()) / MIB);
  const size = RESERVE_BYTES / MIB;
  if (reserve.held) return ok(`${free} MiB are free beside the reserve of ${size} MiB`);
  const needed = (RESERVE_BYTES + MARGIN_BYTES) / MIB;
  if (free >= needed) return ok(`${free} MiB are free; a host takes ${size} MiB of them as its reserve`);
  return {
    verdict: "warn",
    detail: `${free} MiB are free where the state directory is, so a host takes no calls`,
    fix: `Free ${needed - free} MiB; a host that runs goes on by itself then.`,
  };
}

function runtimeFinding(): Omit<Finding, "check"> {
  const major = Number(process.versions.node.split(".")[0]);
  const detail = `Node ${process.version} on ${process.platform} ${process.arch}`;
  if (major !== NODE_MAJOR) {
    return { verdict: "fail", detail, fix: `Run it through npm, which brings Node ${NODE_MAJOR}.` };
  }
  const lacks = platformLacks(process.platform);
  if (lacks === null) return ok(detail);
  return { verdict: "warn", detail: `${detail}: ${lacks}`, fix: "Run the host on Linux, where all of it was tried." };
}

/** Reads the whole executable, where a start may go by what was found out before. */
function integrityFinding({ environment }: CommandContext): Omit<Finding, "check"> {
  const { verdict, reason } = ownIntegrity({ environment, whole: true });
  if (verdict === "verified") return ok(reason);
  const fix = "Use a signed executable with its manifest and signature beside it, if you want to know who built it.";
  return { verdict: "warn", detail: `not verified: ${reason}`, fix };
}

function userFinding(): Omit<Finding, "check"> {
  const uid = ownUser(process.getuid);
  if (uid !== 0) return ok(`user ${uid}`);
  return {
    verdict: "warn",
    detail: "the host would run as root; the sandbox is then the only thing between a program and the machine",
    fix: "Run it as a user of its own.",
  };
}

async function guarded(run: Check): Promise<Omit<Finding, "check">> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof FemtoError) return failed(error);
    return { verdict: "fail", detail: errorText(error), fix: "This is a fault of FemtoClaw; please report it." };
  }
}

function failed({ message, fix }: FemtoError): Omit<Finding, "check"> {
  return { verdict: "fail", detail: message, fix };
}

const ok = (detail: string): Omit<Finding, "check"> => ({ verdict: "ok", detail });

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
  const lines = table(rows.map(({ cells }) => cells));
  findings.forEach(({ fix }, index) => {
    output.line(lines[index] ?? "");
    for (const line of rows[index]?.further ?? []) output.line(`      ${line}`);
    if (fix !== undefined) output.line(output.style("dim", `      fix: ${printable(fix, LINE_CHARS_MAX)}`));
  });
}
