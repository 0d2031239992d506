/**
 * Gathers what a remote helper needs. The parts are independent: one that fails says so, and the others are still
 * reported.
 */

import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { arch, availableParallelism, freemem, homedir, hostname, release, totalmem, userInfo } from "node:os";
import { join } from "node:path";
import { copyForVerification, StoreReader, textWithoutSecrets } from "@femtoclaw/journal";
import { ERRORS, FemtoError, parseJson, type TypedRecord, VERSION } from "@femtoclaw/protocol";
import type { CommandContext } from "../commands/command-context.ts";
import { type Asked, askHost, examine } from "../commands/doctor.ts";
import type { LoadedConfiguration } from "../configuration/load-configuration.ts";
import { ownIntegrity } from "../integrity/own-integrity.ts";
import { hostStatus } from "../process/host-status.ts";
import { type FailureReport, readFailures } from "./failure-reports.ts";
import { masked, maskedConfiguration, maskedFindings, toldLine, toldRecord } from "./masking.ts";

/** LIMIT: records that are reported, the newest ones. */
const RECORDS_MAX = 200;
/** LIMIT: bytes at the end of the host's log that are read. */
const LOG_BYTES_MAX = 131_072;
/** LIMIT: lines of the log that are reported. */
const LINES_MAX = 200;

/** The report as JSON text. */
export async function makeReport(context: CommandContext): Promise<string> {
  const configured = await attempt(() => context.load());
  const loaded = "value" in configured ? configured.value : null;
  const asked = loaded !== null && (await askHost(context, loaded));
  const bundle = {
    v: 1,
    at: new Date().toISOString(),
    version: VERSION,
    integrity: ownIntegrity({ environment: context.environment, whole: false }),
    machine: machineFacts(),
    doctor: maskedFindings(told(await attempt(() => examine(context, asked)))),
    configuration: loaded === null ? told(configured) : configurationOf(loaded),
    status: loaded === null ? null : told(await attempt(() => statusOf(context, loaded, asked))),
    records: loaded === null ? null : told(await attempt(() => newestRecords(context, loaded, asked === true))),
    failures: loaded === null ? [] : readFailures(loaded.resolved.stateDirectory).map(toldFailure),
    log: loaded === null ? [] : logLines(join(loaded.resolved.stateDirectory, "host.log")),
  };
  return `${JSON.stringify(parseJson(textWithoutSecrets(withoutPerson(bundle))), null, 2)}\n`;
}

type Attempt<T> = { readonly value: T } | { readonly failed: FemtoError };

async function attempt<T>(work: () => T | Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof FemtoError) return { failed: error };
    return { failed: new FemtoError("FEMTO_INTERNAL", "it could not be found out", { cause: error }) };
  }
}

/** Of a failed part only the code is reported, because a reason may quote what it is about. */
function told<T>(made: Attempt<T>): T | { readonly failed: string } {
  return "value" in made ? made.value : { failed: made.failed.code };
}

function machineFacts(): Record<string, unknown> {
  const { uid } = userInfo();
  return {
    node: process.version,
    platform: process.platform,
    arch: arch(),
    kernel: release(),
    processors: availableParallelism(),
    memory_bytes: totalmem(),
    free_bytes: freemem(),
    root: uid === 0,
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    locale: Intl.DateTimeFormat().resolvedOptions().locale,
  };
}

function configurationOf({ configuration, policyFiles, sha256 }: LoadedConfiguration): Record<string, unknown> {
  const files = [...policyFiles].map(([name, bytes]) => [name, createHash("sha256").update(bytes).digest("hex")]);
  return { sha256, tables: maskedConfiguration(configuration), policy: Object.fromEntries(files) };
}

/** The status that operators see, without the names that agents give themselves; null if no host runs. */
async function statusOf(
  context: CommandContext,
  loaded: LoadedConfiguration,
  asked: Asked,
): Promise<Record<string, unknown> | null> {
  if (asked === false) return null;
  if (asked !== true) throw asked.fault;
  await using operator = await context.unprovedOperator(loaded);
  const status: Record<string, unknown> = await operator.status();
  const names = ["version", "phase", "boot", "boots", "records", "memory", "counters", "unresolved", "running"];
  names.push("queued", "waiting", "terminals", "policy", "capabilities", "sandbox", "observability", "deployment");
  const { sessions, fault, log } = status as {
    sessions: readonly unknown[];
    fault: { code: string } | null;
    log: string;
  };
  const shown = Object.fromEntries(names.map((name) => [name, status[name]]));
  return { ...shown, log, sessions: sessions.length, fault: fault?.code ?? null };
}

async function newestRecords(context: CommandContext, loaded: LoadedConfiguration, running: boolean): Promise<unknown> {
  const records: TypedRecord[] = [];
  if (running) {
    await using operator = await context.unprovedOperator(loaded);
    const { records: size } = await hostStatus(operator);
    for (let from = Math.max(0, size - RECORDS_MAX); from < size; ) {
      const page = await operator.records(from);
      if (page.records.length === 0) break;
      records.push(...page.records);
      from += page.records.length;
    }
  } else {
    await using copy = await copyForVerification(join(loaded.resolved.stateDirectory, "journal"));
    const { store, size } = await copy.open();
    try {
      const reader = new StoreReader(store, size);
      const from = Math.max(await reader.prunedBefore(), size - RECORDS_MAX);
      for await (const record of reader.read(from, size)) records.push(record);
    } finally {
      await store.close();
    }
  }
  return records.slice(-RECORDS_MAX).map(toldRecord);
}

/** The reason of a failure is kept only for errors of the disk; others may quote what a call was about. */
function toldFailure({ reason, ...failure }: FailureReport): object {
  return ERRORS[failure.code]?.type === "MemoryError" ? { ...failure, reason } : failure;
}

function logLines(path: string): readonly unknown[] {
  return tailOf(path).split("\n").slice(1).flatMap(toldLine).slice(-LINES_MAX);
}

function tailOf(path: string): string {
  try {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { size } = fstatSync(descriptor);
      const buffer = Buffer.alloc(Math.min(size, LOG_BYTES_MAX));
      const length = readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
      // The first line may have lost its beginning, so the caller drops everything before the first line break.
      return `${size > buffer.length ? "" : "\n"}${buffer.toString("utf8", 0, length)}`;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return "";
  }
}

/** Removes the user's name and the machine's name everywhere. */
function withoutPerson<T>(bundle: T): T {
  const names: [string, string][] = [
    [homedir(), "~"],
    [hostname(), "[machine]"],
    [userInfo().username, "[user]"],
  ];
  // Short or common words, such as the home folder of root, identify nobody, and replacing them would spoil the text.
  const told = names.filter(([name]) => name.length > 3 && name !== "root");
  return masked(bundle, (text) => told.reduce((shown, [name, mask]) => shown.replaceAll(name, mask), text));
}
