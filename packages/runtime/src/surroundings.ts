/**
 * What the runtime takes from outside of itself and cannot compute: time, identifiers, where the journal
 * and its keys are kept, an engine for decisions, and which process it is. A simulation puts others in
 * their place and runs the same runtime.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { type LookUp, systemLookUp } from "@femtoclaw/capabilities";
import { type Clock, type JournalStore, type Keyring, systemClock } from "@femtoclaw/journal/live";
import { type PolicyEngine, type PolicyEngineOptions, policyEngines } from "@femtoclaw/policy/live";
import { type Announce, type Claim, claimDirectory, storageIn } from "./epochs/claim.ts";

/**
 * Time, identifiers, storage, names of hosts and the engine: all that a simulation has to replace. `systemSurroundings`
 * has the real ones.
 */
export interface Surroundings {
  /** Begins with this boot. */
  readonly clock: Clock;
  /** The process, as the record of its boot names it. */
  readonly process: ProcessIdentity;
  /** A UUID that was never given before; boots, sessions and executions go by them. */
  newId(): string;
  /** Bytes that nobody can guess: the salts of commitments. */
  randomBytes(bytes: number): Uint8Array;
  /** The store is not open yet; whoever gets it opens and closes it. `announce` hears of a log that takes another's place. */
  openStorage(stateDirectory: string, announce?: Announce): Promise<Storage>;
  /** An engine that decides nothing yet. Called again after a crash of the one before. */
  openPolicyEngine(options: PolicyEngineOptions): Promise<PolicyEngine>;
  /** The addresses of a host's name. */
  readonly lookUp: LookUp;
}

/**
 * The process as the record of its boot names it: version of Node.js, `platform-arch`, and the numbers of process and
 * user.
 */
export interface ProcessIdentity {
  readonly node: string;
  readonly platform: string;
  readonly pid: number;
  readonly uid: number;
}

/** Where the journal and its keys are kept. */
export interface Storage {
  /** A store over the same storage each time, not open yet: after a failed write another one takes its place. */
  createStore(): JournalStore;
  /** Private keys of the log. */
  readonly keyring: Keyring;
  /** The state directory in which both lie; null where they lie in none. */
  readonly claim: Claim | null;
}

/** This machine and this process. The engine for decisions is compiled from here on, while others read the journal. */
export function systemSurroundings(): Surroundings {
  return {
    clock: systemClock(),
    process: {
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
      pid: process.pid,
      uid: process.getuid?.() ?? 0,
    },
    newId: randomUUID,
    randomBytes: (bytes) => randomBytes(bytes),
    openStorage: async (stateDirectory, announce) => storageIn(await claimDirectory(stateDirectory, announce)),
    openPolicyEngine: policyEngines(),
    lookUp: systemLookUp,
  };
}
