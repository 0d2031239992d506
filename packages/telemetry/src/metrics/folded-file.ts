/**
 * Stores the folded metrics beside the journal. It is a cache: if it is missing or damaged, records are folded again.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "@femtoclaw/journal";
import { parseJson } from "@femtoclaw/protocol";
import { type FoldedState, parseState } from "./metric-fold.ts";

const FILE = "telemetry-metrics";
/** Has to be raised when the same records would be folded differently. */
const FORMAT = 1;

interface Place {
  readonly stateDirectory: string;
  /** Name of the log; the state of another log is ignored. */
  readonly log: string;
  readonly size: number;
}

/** Null if there is no state to continue from. */
export async function loadFolded({ stateDirectory, log, size }: Place): Promise<FoldedState | null> {
  let value: unknown;
  try {
    value = parseJson(await readFile(join(stateDirectory, FILE), "utf8"));
  } catch {
    // Missing, unreadable or not JSON: for a cache it makes no difference.
    return null;
  }
  const { format, log: written, state } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (format !== FORMAT || written !== log) return null;
  const parsed = parseState(state);
  // INVARIANT: a state that counts more records than the log has does not belong to it.
  return parsed !== null && parsed.next <= size ? parsed : null;
}

export async function storeFolded(stateDirectory: string, log: string, state: FoldedState): Promise<void> {
  await replaceFile(stateDirectory, FILE, `${JSON.stringify({ format: FORMAT, log, state })}\n`);
}
