/**
 * The report of a host that a fault or a bug has ended. It is a file in the state directory, because perhaps nobody
 * reads the host's stderr, the journal may be what failed, and telemetry may never arrive.
 */
import { lstatSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { textWithoutSecrets } from "@femtoclaw/journal/live";
import { makeFolders, sweepAbandoned } from "@femtoclaw/journal/state-directory";
import { ERRORS, type ErrorCode, EXIT, FemtoError, faultOf, parseJson, VERSION } from "@femtoclaw/protocol";
import { framesOf } from "./stack-frames.ts";

const FOLDER = "failures";
const NAME = /^\d{8}T\d{9}Z\.json$/;
/** A report that is being written; version 0.19.0 and older named no process. */
const STAGED = /^\d{8}T\d{9}Z\.json(?:\.(?<pid>\d+))?\.next$/;
/** LIMIT: reports that are kept, so that a host which a supervisor restarts again and again does not fill the disk. */
const KEPT_MAX = 16;
/** LIMIT: characters of a reason. */
const REASON_CHARS_MAX = 4_096;
/** These are no failures: another host is running in this place, or an operator has to correct something first. */
const NO_FAILURE: ReadonlySet<ErrorCode> = new Set(["FEMTO_JOURNAL_LOCKED", "FEMTO_HOST_RUNNING"]);
const isNoFailure = ({ code }: FemtoError): boolean => NO_FAILURE.has(code) || ERRORS[code].exit === EXIT.configuration;

export interface FailureReport {
  readonly v: 1;
  readonly at: string;
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  /** Null if the runtime never started. */
  readonly boot: string | null;
  readonly phase: string | null;
  readonly uptime_s: number;
  readonly code: ErrorCode;
  readonly error_type: string;
  readonly reason: string;
  readonly fix: string;
  /** Places in the code, without any values. */
  readonly frames: readonly string[];
}

/** What is known about the host when it fails. */
export type HostState = () => { readonly boot: string; readonly phase: string } | null;

/** Returns the path of the written file; null if none could be written. A report never obscures the failure itself. */
export function writeFailure(stateDirectory: string, error: unknown, host: HostState): string | null {
  if (error instanceof FemtoError && isNoFailure(error)) return null;
  try {
    if (!isOwn(stateDirectory)) return null;
    const folder = join(stateDirectory, FOLDER);
    makeFolders(folder, 0o700);
    if (!isOwn(folder)) return null;
    const report = reportOf(error, host());
    const name = `${report.at.replace(/[-:.]/g, "")}.json`;
    const next = join(folder, `${name}.${process.pid}.next`);
    writeFileSync(next, `${textWithoutSecrets(report)}\n`, { flag: "wx", mode: 0o600 });
    renameSync(next, join(folder, name));
    sweepAbandoned(folder, STAGED);
    for (const old of namesIn(folder).slice(0, -KEPT_MAX)) rmSync(join(folder, old));
    return join(folder, name);
  } catch {
    return null;
  }
}

/** The reports in a state directory, oldest first. Unreadable reports are left out. */
export function readFailures(stateDirectory: string): readonly FailureReport[] {
  const folder = join(stateDirectory, FOLDER);
  try {
    if (!isOwn(folder)) return [];
    return namesIn(folder).map((name) => parseJson(readFileSync(join(folder, name), "utf8")) as FailureReport);
  } catch {
    return [];
  }
}

function reportOf(error: unknown, host: ReturnType<HostState>): FailureReport {
  const fault = faultOf(error);
  return {
    v: 1,
    at: new Date().toISOString(),
    version: VERSION,
    node: process.version,
    pid: process.pid,
    boot: host?.boot ?? null,
    phase: host?.phase ?? null,
    uptime_s: Math.round(process.uptime()),
    code: fault.code,
    error_type: fault.type,
    reason: fault.message.slice(0, REASON_CHARS_MAX),
    fix: fault.fix,
    frames: framesOf(error),
  };
}

function namesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => NAME.test(name))
    .sort();
}

/** INVARIANT: I8: a report is not written into somebody else's folder, nor through a link. */
function isOwn(folder: string): boolean {
  const status = lstatSync(folder);
  return status.isDirectory() && status.uid === process.geteuid?.() && (status.mode & 0o077) === 0;
}
