/** Where export stands: the next sequence number to send. Replaced whole by a rename, so never half written. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { systemErrorCode } from "@femtoclaw/protocol";

const FILE = "telemetry-cursor";

/** A missing or damaged cursor means the beginning: records may be sent again, but none is left out. */
export function loadCursor(stateDirectory: string): number {
  try {
    const cursor = Number(readFileSync(join(stateDirectory, FILE), "utf8").trim());
    return Number.isSafeInteger(cursor) && cursor >= 0 ? cursor : 0;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return 0;
    throw error;
  }
}

export function storeCursor(stateDirectory: string, cursor: number): void {
  const path = join(stateDirectory, FILE);
  const descriptor = openSync(`${path}.new`, "w", 0o600);
  try {
    writeSync(descriptor, `${cursor}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(`${path}.new`, path);
}
