/** What embedders are handed of the runtime's parts: the members that a type names, and nothing else of the part. */
import type { JournalReader, LogReader } from "@femtoclaw/journal";
import type { CapabilityPackages } from "./capability-packages/capability-packages.ts";
import type { NamesOf } from "./known-names.ts";
import type { Upstreams } from "./upstreams/upstreams.ts";

/**
 * The part with these members alone. INVARIANT: I4: a type hides the rest only from those who are compiled with it. The
 * rest could write to the log, or use a terminal without a decision.
 */
export function handedOut<T extends object>(part: T, names: NamesOf<T>): T {
  const handed = {};
  for (const name of Object.keys(names) as (keyof T)[]) {
    const get = (): unknown => {
      const member = part[name];
      return typeof member === "function" ? member.bind(part) : member;
    };
    Object.defineProperty(handed, name, { enumerable: true, get });
  }
  return Object.freeze(handed) as T;
}

export const JOURNAL_READER: NamesOf<JournalReader> = {
  size: true,
  read: true,
  readBackwards: true,
  prunedBefore: true,
  readFrom: true,
  readStored: true,
  withValues: true,
  blob: true,
  locate: true,
  latestSnapshot: true,
  oldestSnapshot: true,
  snapshotAt: true,
  snapshots: true,
};

export const LOG_READER: NamesOf<LogReader> = {
  ...JOURNAL_READER,
  hashes: true,
  checkpoints: true,
  checkpointAt: true,
  latestCheckpoint: true,
  checkpointFrom: true,
  rotationFrom: true,
  rotations: true,
};

export type OperatedUpstreams = Pick<
  Upstreams,
  "start" | "list" | "compared" | "accept" | "reset" | "capabilities" | "settled"
>;

export const OPERATED_UPSTREAMS: NamesOf<OperatedUpstreams> = {
  start: true,
  list: true,
  compared: true,
  accept: true,
  reset: true,
  capabilities: true,
  settled: true,
};

export type OperatedPackages = Pick<CapabilityPackages, "list" | "accept" | "reset">;

export const OPERATED_PACKAGES: NamesOf<OperatedPackages> = { list: true, accept: true, reset: true };
