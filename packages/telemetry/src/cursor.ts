/**
 * The position of one signal: the next sequence number to send, and the version of the last boot before it. The file is
 * replaced by a rename, so it is never half written.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { systemErrorCode } from "@femtoclaw/protocol";

export interface Cursor {
  readonly next: number;
  /** Null if unknown, as in files of versions that did not write it. */
  readonly version: string | null;
}

/** The signals that are sent record by record. */
export type RecordSignal = "traces" | "logs";

const FILES: Readonly<Record<RecordSignal, string>> = { traces: "telemetry-cursor", logs: "telemetry-cursor-logs" };

/** A missing or damaged cursor means the beginning: records may be sent twice, but none is skipped. */
export function loadCursor(stateDirectory: string, signal: RecordSignal): Cursor {
  try {
    const [number = "", version = ""] = readFileSync(join(stateDirectory, FILES[signal]), "utf8").split("\n");
    const next = Number(number.trim());
    if (!Number.isSafeInteger(next) || next < 0) return { next: 0, version: null };
    return { next, version: /^[0-9A-Za-z.+-]{1,64}$/.test(version) ? version : null };
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return { next: 0, version: null };
    throw error;
  }
}

export function storeCursor(stateDirectory: string, signal: RecordSignal, { next, version }: Cursor): void {
  const path = join(stateDirectory, FILES[signal]);
  const descriptor = openSync(`${path}.new`, "w", 0o600);
  try {
    writeSync(descriptor, `${next}\n${version === null ? "" : `${version}\n`}`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(`${path}.new`, path);
}
