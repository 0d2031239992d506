/**
 * What the runtime takes from outside and cannot compute: time, identifiers, storage for the journal and its keys, an
 * engine for decisions, and the identity of its process. A simulation replaces all of these and runs the same runtime.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { type LookUp, systemLookUp } from "@femtoclaw/capabilities";
import { type Clock, type JournalStore, type Keyring, systemClock } from "@femtoclaw/journal/live";
import { type PolicyEngine, type PolicyEngineOptions, policyEngines } from "@femtoclaw/policy/live";
import { type Announce, type Claim, claimDirectory, storageIn } from "./epochs/claim.ts";

/**
 * Time, identifiers, storage, host names and the policy engine: all that a simulation has to replace.
 * `systemSurroundings` has the real ones.
 */
export interface Surroundings {
  /** Its monotonic time begins with this boot. */
  readonly clock: Clock;
  /** The process, as the record of its boot names it. */
  readonly process: ProcessIdentity;
  /** A UUID that was never given before. It identifies a boot, a session or an execution. */
  newId(): string;
  /** Unguessable bytes, for the salts of commitments. */
  randomBytes(bytes: number): Uint8Array;
  /**
   * Returns storage whose stores are not open yet; the caller opens and closes them. `announce` is called with a log
   * that takes another's place.
   */
  openStorage(stateDirectory: string, announce?: Announce): Promise<Storage>;
  /** An engine that has no policy yet. Called again after the previous engine crashed. */
  openPolicyEngine(options: PolicyEngineOptions): Promise<PolicyEngine>;
  /** Looks up the addresses of a host name. */
  readonly lookUp: LookUp;
}

/** The process as its boot record names it: version of Node.js, `platform-arch`, process and user number. */
export interface ProcessIdentity {
  readonly node: string;
  readonly platform: string;
  readonly pid: number;
  readonly uid: number;
}

/** Where the journal and its keys are kept. */
export interface Storage {
  /** Returns a new, unopened store over the same storage. After a failed write a new store replaces the old one. */
  createStore(): JournalStore;
  /** Private keys of the log. */
  readonly keyring: Keyring;
  /** The state directory that holds both; null if they are not in a directory. */
  readonly claim: Claim | null;
}

/** This machine and this process. The policy engine is compiled from now on, while the journal is being read. */
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
