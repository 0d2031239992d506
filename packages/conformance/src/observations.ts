/**
 * Everything that was seen of a deployment, as data. Stories gather it, and judgements are functions of it, so a test
 * can change what was seen and check that the right clause fails.
 */

/** One part of what was seen, or why it could not be seen. */
export type Seen<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** A reply to a call, reduced to what judgements look at. */
export interface Answered {
  readonly exit: number | null;
  readonly status: string;
  readonly decision: string | null;
  readonly code: string | null;
  readonly seq: number | null;
  readonly execution: string | null;
  /** A program's standard output, or a file's content. */
  readonly text: string | null;
  readonly truncated: boolean;
}

export interface SeenRecord {
  readonly seq: number;
  readonly type: string;
  readonly boot: string;
  readonly execution: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

const CALLS = [
  "message",
  "read",
  "write",
  "program",
  "fetch",
  "unpermittedFetch",
  "terminal",
  "unknown",
  "disabled",
  "badArguments",
  "unpermittedPath",
  "unpermittedProgram",
  "deniedPath",
  "deniedThroughProgram",
  "ownConfiguration",
  "flood",
  "slow",
  "refusedBySystem",
] as const;
export type CallName = (typeof CALLS)[number];

export interface Life {
  /** Exit code of a call before any host ran. */
  readonly beforeStart: number | null;
  readonly readyMs: number;
  readonly status: {
    readonly phase: string;
    readonly integrity: string;
    readonly sandbox: string | null;
    readonly uid: number | null;
    readonly privileges: string;
    /** Digest of everything that was deployed: executable, configuration, policy and so on. */
    readonly deployment: string | null;
  };
  /** Messages that no gate may accept, with the outcome of each. */
  readonly malformed: readonly { readonly name: string; readonly status: string; readonly code: string | null }[];
  /** Files that exist and must not: effects of calls that should have been refused. */
  readonly forbiddenEffects: readonly string[];
  readonly calls: Readonly<Record<CallName, Answered>>;
  /** The same call by each way to the gate, as the types of its records with their decisions. */
  readonly surfaces: readonly { readonly surface: string; readonly records: readonly string[] }[];
  /** An agent's answers to operator verbs on its own socket; null if there was no answer. */
  readonly agentVerbs: readonly { readonly verb: string; readonly code: string | null }[];
  readonly isolation: {
    readonly host: Readonly<Record<string, string>>;
    readonly child: Readonly<Record<string, string>>;
    /** Processes that a child sees. */
    readonly processes: number;
    /** Network interfaces that a child sees, as the kernel lists them. */
    readonly interfaces: readonly string[];
  };
  readonly registry: { readonly disabled: string | null; readonly enabled: string };
  readonly approval: {
    readonly asked: string;
    readonly openAfterCrash: boolean;
    readonly firstAnswer: number | null;
    readonly secondAnswer: number | null;
    /** Lines written by the approved call in all its runs. */
    readonly effects: number;
  };
  readonly crash: {
    readonly interrupted: string | null;
    /** Command lines of programs that outlived their host. */
    readonly survivors: readonly string[];
    /** Whether history from before the crash is still listed. */
    readonly remembered: boolean;
  };
  readonly resources: {
    readonly idleCpuShare: number;
    readonly executions: number;
    readonly rssGrowthBytes: number;
    readonly descriptorGrowth: number;
    readonly zombies: number;
  };
  readonly overload: readonly string[];
  readonly stop: {
    readonly exit: number | string;
    readonly acknowledged: number;
    /** Acknowledged records that the journal does not hold. */
    readonly missing: readonly number[];
    readonly leftBehind: readonly string[];
  };
  readonly audit: {
    readonly exit: number | null;
    readonly verdict: string;
    readonly pinned: string;
    /** Exit codes of `check-proof` for replies that were given. */
    readonly proofs: readonly (number | null)[];
    /** Exit code of a check of the same proof with another record. */
    readonly forgedProof: number | null;
  };
  readonly replay: {
    readonly exit: number | null;
    readonly snapshotsEqual: number;
    readonly recomputed: number | null;
    /** Whether a replay in another language and time zone gives the same states. */
    readonly sameElsewhere: boolean;
  };
  readonly records: readonly SeenRecord[];
  readonly spans: readonly { readonly name: string; readonly execution: string | null }[];
  /** Requests with telemetry that the receiver refused while it was shut. */
  readonly refusedWhileShut: number;
  /** Where secrets were found again, by the way they had gone in. */
  readonly leaks: readonly string[];
}

/** A start, or another command, with something broken. */
export interface Broken {
  readonly exit: number | null;
  readonly code: string | null;
  readonly said: string;
}

export interface Failures {
  readonly syntax: Broken;
  readonly unknownKey: Broken;
  readonly othersMayWrite: Broken;
  readonly failingTest: Broken;
  readonly flippedByte: Broken;
  readonly flippedVerify: Broken;
  readonly twice: Broken;
  readonly damagedCursor: { readonly started: boolean; readonly observability: string };
  /** Files that exist and must not. */
  readonly forbiddenEffects: readonly string[];
  /** Exit codes after the repair: of a call, and of the verification. */
  readonly repaired: { readonly call: number | null; readonly verify: number | null };
  /** Exit codes of verifying a tampered export, by the kind of tampering. */
  readonly tampered: Readonly<Record<string, number | null>>;
  /** Digests of the configuration in the boot records, before and after a change. */
  readonly configurationDigests: readonly string[];
}

export interface Twins {
  readonly messages: number;
  /** Whether the second one also ran as another user under another host name. */
  readonly otherUserAndHost: boolean;
  /** The first message, or the records, at which two fresh deployments differ; null when they do not. */
  readonly firstDifference: string | null;
}

/** The examined file, and its reaction to tampering from outside. */
export interface Executable {
  /** Whether it is one file by itself; false for a checkout that needs a Node.js beside it. */
  readonly isStandalone: boolean;
  readonly format: string;
  /** Exit code of a host with an empty path, stopped once it was ready; null if it never was. */
  readonly alone: number | null;
  /** Attempts to run code in the process by its environment or a flag that succeeded; there should be none. */
  readonly injected: readonly string[];
  /** Digests of the file and of another build of it; null if none was named. */
  readonly builds: { readonly this: string; readonly other: string } | null;
}

/** A start without something that programs are confined by, or with something taken away by a service. */
export interface Surrounding {
  readonly name: string;
  /** Why it could not be tried here; null if it was. */
  readonly untried: string | null;
  readonly started: boolean;
  /** The code by which the start was refused. */
  readonly code: string | null;
  /** Whether a program of a started host is alone in its namespaces and sees no denied file. */
  readonly confines: boolean;
}

/** An installation into a folder of its own, or why the executable refused to be installed. */
export type Installation =
  | { readonly refused: string }
  | {
      readonly refused: null;
      readonly layout: { readonly executable: boolean; readonly configuration: string; readonly state: string };
      readonly sameAsSigned: boolean;
      /** The result of installing a copy with one changed byte. */
      readonly flipped: Broken;
      /** Files created outside of that folder. */
      readonly outside: readonly string[];
      /** Files that others can change, or that lend their rights to anyone who runs them. */
      readonly loose: readonly string[];
      /** Types of the records of its first boot. */
      readonly told: readonly string[];
      /** Its host: user, privileges, and the answer about a file that the system protects from it. */
      readonly process: {
        readonly uid: number | null;
        readonly privileges: string;
        readonly refusedBySystem: string | null;
      };
      /** Its state with a running host, according to its own commands. */
      readonly deployed: Deployed;
      readonly kills: readonly {
        /** What stands where the command should: nothing, the signed executable, or anything else. */
        readonly left: "none" | "whole" | "part";
        readonly again: number | null;
        readonly works: boolean;
      }[];
    };

/** An upgrade below a running host, and the way back; or why none could be tried. */
export type Upgrade =
  | { readonly refused: string }
  | {
      readonly refused: null;
      /** The version in force before. */
      readonly from: string;
      /** Exit codes of the upgrade and of the way back. */
      readonly exits: { readonly upgraded: number | null; readonly rolledBack: number | null };
      /** Phase of the host after the upgrade. */
      readonly phase: string;
      /** Results of trying to put in force what must not be. */
      readonly refusals: Readonly<Record<string, Broken>>;
      /** Whether the same host went on through all of these attempts. */
      readonly undisturbed: boolean;
      readonly history: {
        /** Records from before. */
        readonly records: number;
        /** Numbers of records that are gone or changed. */
        readonly changed: readonly number[];
        /** Exit codes of checks by a checkpoint and a proof from before. */
        readonly checkpoint: number | null;
        readonly proof: number | null;
      };
      /** What waited for an operator. */
      readonly question: { readonly isOpen: boolean; readonly effects: number };
      readonly configuration: { readonly same: boolean; readonly kept: boolean };
      /** Numbers of intents from times in which no host accepted calls. */
      readonly executedBetween: readonly number[];
      readonly kills: readonly {
        readonly works: boolean;
        readonly again: number | null;
        /** The last words of the upgrade that completed an interrupted one. */
        readonly said: string;
        readonly phase: string;
      }[];
      /** Spans that report it. */
      readonly told: readonly string[];
    };

/** A deployment in use, according to its own commands. */
export interface Deployed {
  readonly findings: readonly { readonly check: string; readonly verdict: string; readonly detail: string }[];
  /** Digest of the configuration that the host has in force; null if no host runs. */
  readonly inForce: string | null;
  readonly onDisk: string;
  /** Whether the host's log continues the one that was seen before; null if no host runs. */
  readonly goesOn: boolean | null;
  readonly verify: { readonly exit: number | null; readonly verdict: string; readonly pinned: string };
}

export interface Observations {
  readonly version: string;
  readonly life: Seen<Life>;
  readonly failures: Seen<Failures>;
  readonly twins: Seen<Twins>;
  readonly executable: Seen<Executable>;
  readonly surroundings: Seen<readonly Surrounding[]>;
  readonly installation: Seen<Installation>;
  readonly upgrade: Seen<Upgrade>;
  /** Null if nobody asked about one. */
  readonly deployed: Seen<Deployed> | null;
}
