/**
 * Claims a state directory for this process. In an empty one a log begins; in one that is still the same its log is
 * continued; in any other a new epoch is opened, so that no copy ever signs beside its original.
 */
import { readdir } from "node:fs/promises";
import {
  FileKeyring,
  finishSuccession,
  type KnownRecord,
  LeveldbStore,
  lockClaim,
  openStateDirectory,
  type StateDirectory,
  standingOf,
} from "@femtoclaw/journal/live";
import type { LogParent } from "@femtoclaw/protocol";
import type { Storage } from "../surroundings.ts";
import type { EpochOptions, OpenedEpoch } from "./open-epoch.ts";

export interface Claim {
  readonly directory: StateDirectory;
  /** The record that the journal has to hold at least. */
  readonly known: KnownRecord | null;
  /** The log that the key here may begin, if there is none yet; null means that it needs a key of its own. */
  readonly ownOrigin: string | null;
  /** The epoch that had to be opened; null if none. */
  readonly epoch: OpenedEpoch | null;
}

export type Announce = EpochOptions["announce"];

/** The journal and the keys of a claimed directory. */
export function storageIn(claim: Claim): Storage {
  const { journal, keys } = claim.directory;
  return { createStore: () => new LeveldbStore(journal), keyring: new FileKeyring(keys), claim };
}

export async function claimDirectory(path: string, announce: Announce): Promise<Claim> {
  const directory = await openStateDirectory(path, { create: true });
  // INVARIANT: I7: of several starts, only one at a time examines and decides, so none begins a log where another one
  // moves one.
  using _ = lockClaim(directory.root);
  await finishSuccession(directory.root);
  const standing = await standingOf(directory.root);
  if (standing.same) {
    const { boot: known, origin } = standing.identity;
    return { directory, known, ownOrigin: known === null ? origin : null, epoch: null };
  }
  if ((await readdir(directory.journal)).length === 0) return fresh(directory);
  return await openAnew(directory, standing.reason, announce);
}

/** Leaves the log in the directory to its owner, and goes on in a new one. */
export async function claimAnew(
  directory: StateDirectory,
  reason: LogParent["reason"],
  announce: Announce,
): Promise<Claim> {
  using _ = lockClaim(directory.root);
  return await openAnew(directory, reason, announce);
}

async function openAnew(directory: StateDirectory, reason: LogParent["reason"], announce: Announce): Promise<Claim> {
  const { root, journal } = directory;
  // The module verifies a whole log. A start in an unchanged directory does not load it.
  const { openEpoch } = await import("./open-epoch.ts");
  const epoch = await openEpoch({ root, journal, reason, ...(announce === undefined ? {} : { announce }) });
  await finishSuccession(root);
  return { ...fresh(directory), epoch };
}

const fresh = (directory: StateDirectory): Claim => ({ directory, known: null, ownOrigin: null, epoch: null });
