/** What `doctor` finds out about one project: its policy, its journal, and who may answer for its operator. */

import { builtinCapabilities } from "@femtoclaw/capabilities";
import {
  FileKeyring,
  type LogVerdict,
  openStateDirectory,
  type StateDirectory,
  signingKeys,
  standingOf,
  verifyDirectory,
} from "@femtoclaw/journal";
import { compilePolicy, confinedAuthority, createPolicyEngine, NO_HISTORY } from "@femtoclaw/policy";
import { ERRORS, EVERYBODY, FemtoError } from "@femtoclaw/protocol";
import { operatorName } from "@femtoclaw/runtime";
import type { WebhookSetting } from "@femtoclaw/runtime/configuration";
import { probeSandbox, type SandboxProbe } from "@femtoclaw/sandbox";
import type { CommandContext } from "../commands/command-context.ts";
import { heldText, holdLog, rememberedText } from "../commands/host/known-log.ts";
import type { LoadedConfiguration } from "../configuration/load-configuration.ts";
import { assertPrivateSocketFolder } from "../endpoints/socket-directory.ts";
import { hostStatus } from "../process/host-status.ts";
import type { LoadedPolicy } from "../process/preflight.ts";
import { webhookKey } from "../webhook/webhook.ts";
import { type Found, failed, ok } from "./finding.ts";

type Resolved = LoadedConfiguration["resolved"];

/** What the findings about a project share: its configuration, and whether its host answers. */
export interface Project {
  readonly context: CommandContext;
  readonly loaded: LoadedConfiguration;
  readonly running: boolean;
}

/**
 * Programs are confined by the configuration's tables and by what Cedar files forbid. A policy that does not load has a
 * finding of its own.
 */
export async function probeOf({ authority, limits }: Resolved, policy: Promise<LoadedPolicy>): Promise<SandboxProbe> {
  const rules = (await policy.catch(() => null))?.policyFiles.rules ?? [];
  return await probeSandbox(confinedAuthority(authority, rules), limits.child);
}

export async function policyFinding(policy: Promise<LoadedPolicy>): Promise<Found> {
  const { compiled, results, warnings } = await policy;
  const engine = await createPolicyEngine();
  engine.activate(compiled);
  const tests = results.length === 0 ? "it has no tests" : `its ${results.length} tests hold`;
  const detail = `${compiled.rules.length} rules answer decisions, ${tests}, revision ${compiled.revision.slice(0, 12)}`;
  if (warnings.length === 0) return ok(detail);
  const lines = warnings.map(({ source, message }) => `${source}: ${message}`);
  const fix = "Read the lines above. `femtoclaw policy check` repeats them.";
  return { verdict: "warn", detail: [detail, ...lines].join("\n"), fix };
}

/** Whose answers count, and whether an agent that runs as the operator's user could answer for itself. */
export function answersFinding({ approvals }: Resolved): Found {
  const names = approvals.operators.map(operatorName).join(", ");
  if (approvals.operatorKey) return ok(`those who sign: ${names}`);
  const also = names === "" ? "" : `; with a key: ${names}`;
  return ok(`anyone who runs as your user, so the agent too where it has a shell of its own (self-approvable)${also}`);
}

/** INVARIANT: I3: what no rule permits is denied. This is tried here with a separate engine. */
export async function closedFinding({ authority }: Resolved): Promise<Found> {
  const nothing = { ...authority, allow: { read: [], write: [], run: [] } };
  const manifests = builtinCapabilities.map(({ manifest }) => manifest);
  const engine = await createPolicyEngine();
  await engine.activate(compilePolicy({ authority: nothing, manifests }));
  const question = { kind: "path", path: authority.workspace, exists: true, type: "directory", bytes: 0 } as const;
  const decision = engine.decideAll({
    principal: EVERYBODY,
    capability: "fs_read",
    questions: [question],
    history: NO_HISTORY,
  });
  return decision.allowed
    ? { verdict: "fail", detail: "an empty policy permitted a call", fix: "Do not use this installation." }
    : ok("without a permit the engine denies");
}

/** Whether nobody else can reach state and sockets; throws what others could do. */
export async function permissionsFinding({ stateDirectory, runtimeDirectory }: Resolved): Promise<Found> {
  await standingState(stateDirectory);
  assertPrivateSocketFolder(runtimeDirectory);
  return ok("state and sockets are yours alone");
}

/**
 * Null if there is no journal yet. Throws for a directory that no host of this user would use: what cannot be read is
 * not taken for empty, because that would lead to advice that loses what is there.
 */
async function standingState(stateDirectory: string): Promise<StateDirectory | null> {
  try {
    return await openStateDirectory(stateDirectory, { create: false });
  } catch (error) {
    if (error instanceof FemtoError && error.code === "FEMTO_STATE_NOT_FOUND") return null;
    throw error;
  }
}

/** A journal that no host holds, verified against what was seen of it earlier. */
export interface StoppedLog {
  readonly directory: StateDirectory;
  readonly log: LogVerdict;
  readonly isRight: boolean;
}

/** Null if a host holds it, or there is none. */
export async function stoppedLogOf({ context, loaded, running }: Project): Promise<StoppedLog | null> {
  const directory = running ? null : await standingState(loaded.resolved.stateDirectory);
  if (directory === null) return null;
  const remembered = await context.logMemory(loaded).remembered();
  const expected = remembered === null ? {} : { pinned: remembered.firstKey, checkpoint: remembered.checkpoint };
  // Reads a copy, so that looking changes nothing.
  const log = await verifyDirectory(directory.journal, expected);
  const { pinned, fault, prunedBefore } = log;
  return { directory, log, isRight: pinned !== "differs" && (fault === null || prunedBefore > 0) };
}

export async function journalFinding(
  { loaded, running }: Project,
  stopped: Promise<StoppedLog | null>,
): Promise<Found> {
  const { stateDirectory } = loaded.resolved;
  if (running) return ok("a host holds it; `femtoclaw status` shows its size");
  const found = await stopped;
  if (found === null) return ok(`empty; \`femtoclaw up\` begins it in ${stateDirectory}`);
  const { verdict, size, signedSize, fault, prunedBefore } = found.log;
  if (found.isRight) await assertSigns(found.directory, found.log);
  if (found.isRight && fault === null) {
    return ok(`${size} records in ${stateDirectory}, ${verdict}; the first ${signedSize} are signed`);
  }
  if (found.isRight) {
    return ok(`${size} records in ${stateDirectory}, right as far as they are kept: pruned below ${prunedBefore}`);
  }
  const place = fault === null ? "" : `record ${fault.seq}: `;
  return {
    verdict: "fail",
    detail: `${verdict}: ${place}${fault?.reason ?? "another key signed this journal than the one that is remembered"}`,
    fix: "Keep a copy as evidence. `femtoclaw audit verify` says more.",
  };
}

/**
 * Unless the directory is a copy, the next start continues its log, for which it needs the signing key. A copy gets a
 * new key.
 */
async function assertSigns({ root, keys }: StateDirectory, log: LogVerdict): Promise<void> {
  const standing = await standingOf(root);
  if (!standing.same || log.keys.length === 0) return;
  await signingKeys(new FileKeyring(keys), { origin: standing.identity.origin, keys: log.keys });
}

/** Whether the log continues from what was seen of it before. */
export async function rememberedFinding(
  { context, loaded, running }: Project,
  stopped: Promise<StoppedLog | null>,
): Promise<Found> {
  if (running) {
    await using operator = await context.unprovedOperator(loaded);
    const held = await holdLog(context, operator, loaded);
    return held.fault === null ? ok(heldText(held)) : failed(held.fault);
  }
  const remembered = await context.logMemory(loaded).remembered();
  if (remembered === null) return ok("nothing yet; the first look at the log is believed");
  const found = await stopped;
  // What was seen is itself a signed checkpoint, so whatever is wrong with the log is behind it, or it does not count.
  if (found?.isRight === true || (found?.log.signedSize ?? 0) >= remembered.size) {
    return ok(`${rememberedText(remembered)}; the journal continues from there`);
  }
  const instead =
    found === null
      ? `there is no journal in ${loaded.resolved.stateDirectory}`
      : `the journal does not continue from there: only ${found.log.signedSize} of its records are signed`;
  return {
    verdict: "fail",
    detail: `${rememberedText(remembered)}, and ${instead}`,
    fix: ERRORS.FEMTO_LOG_ROLLED_BACK.fix,
  };
}

/** Whether the webhook can be notified of questions, and is. */
export async function webhookFinding({ context, loaded, running }: Project, setting: WebhookSetting): Promise<Found> {
  await webhookKey(setting, context.environment);
  const { origin } = new URL(setting.url);
  if (!running) return ok(`${origin} will be told of questions; its secret is private`);
  await using operator = await context.unprovedOperator(loaded);
  const { webhook } = await hostStatus(operator);
  if (webhook === null) {
    return { verdict: "warn", detail: "the host that runs tells nobody of questions", fix: "Start it again." };
  }
  const detail = `${origin}: ${webhook.delivered} told, ${webhook.waiting} waiting, ${webhook.given_up} given up`;
  if (webhook.error === null) return ok(detail);
  const fix = "Check the receiver, or use `femtoclaw approvals watch`. Questions keep waiting.";
  return { verdict: "warn", detail: `${detail}; ${webhook.error}`, fix };
}
