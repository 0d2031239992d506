/** The folded metrics beside the journal. A cache: without it, or with one that is damaged, records are folded again. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "@femtoclaw/journal";
import { type FoldedState, parseState } from "./metric-fold.ts";

const FILE = "telemetry-metrics";
/** Raised when the fold of the same records would be another. */
const FORMAT = 1;

interface Place {
  readonly stateDirectory: string;
  /** Name of the log: of another one nothing is taken. */
  readonly log: string;
  readonly size: number;
}

/** Null where there is none to go on from. */
export async function loadFolded({ stateDirectory, log, size }: Place): Promise<FoldedState | null> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(join(stateDirectory, FILE), "utf8"));
  } catch {
    // Missing, not readable or not JSON: all the same to a cache.
    return null;
  }
  const { format, log: written, state } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (format !== FORMAT || written !== log) return null;
  const parsed = parseState(state);
  // INVARIANT: what counts more records than there are counts none of these.
  return parsed !== null && parsed.next <= size ? parsed : null;
}

export async function storeFolded(stateDirectory: string, log: string, state: FoldedState): Promise<void> {
  await replaceFile(stateDirectory, FILE, `${JSON.stringify({ format: FORMAT, log, state })}\n`);
}
