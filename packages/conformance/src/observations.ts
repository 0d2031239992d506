/**
 * Everything that was seen of a deployment, as data. Stories gather it; judgements are functions of it, so that
 * a test can change what was seen and ask whether the right clause fails.
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

export const CALLS = [
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
    /** Digest of all that was deployed: executable, configuration, policy and the like. */
    readonly deployment: string | null;
  };
  /** Messages that no gate may take, and what became of each. */
  readonly malformed: readonly { readonly name: string; readonly status: string; readonly code: string | null }[];
  /** Files that exist and must not: the effects of what was to be refused. */
  readonly forbiddenEffects: readonly string[];
  readonly calls: Readonly<Record<CallName, Answered>>;
  /** The same call by each way to the gate, as the types of its records with their decisions. */
  readonly surfaces: readonly { readonly surface: string; readonly records: readonly string[] }[];
  /** What an agent got for asking for an operator's verb on its socket; null for silence. */
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
    /** Lines that the approved call has written, altogether. */
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
  /** Spans that had arrived while the receiver was shut. */
  readonly spansWhileShut: number;
  /** Where secrets were found that went in at some door, by door. */
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
  /** Exit codes of the verification of an export that was tampered with, by what was done to it. */
  readonly tampered: Readonly<Record<string, number | null>>;
  /** Whether a change of the configuration is told by the boot records. */
  readonly configurationDigests: readonly string[];
}

export interface Twins {
  readonly messages: number;
  /** Whether the second one ran as another user, under another host name, as well. */
  readonly otherUserAndHost: boolean;
  /** The first message, or the records, at which two fresh deployments differ; null when they do not. */
  readonly firstDifference: string | null;
}

/** The file that is run, and how it takes to being tampered with from outside. */
export interface Executable {
  /** Whether it is one file by itself; false for a checkout that runs by a Node.js beside it. */
  readonly isStandalone: boolean;
  readonly format: string;
  /** Exit code of a host with nothing on its path that was stopped once it was ready; null where it never was. */
  readonly alone: number | null;
  /** What was run in the process by its environment or a flag, of what was tried; none is right. */
  readonly injected: readonly string[];
  /** Digests of the file and of another build of it; null where none was named. */
  readonly builds: { readonly this: string; readonly other: string } | null;
}

/** A start where something is missing that it confines programs by, or that a service takes away. */
export interface Surrounding {
  readonly name: string;
  /** Why it could not be tried here; null where it was. */
  readonly untried: string | null;
  readonly started: boolean;
  /** The code by which the start was refused. */
  readonly code: string | null;
  /** Of a host that started: whether a program of its is alone in its namespaces and sees no denied file. */
  readonly confines: boolean;
}

/** An installation into a folder of its own; or why it did not let itself be installed. */
export type Installation =
  | { readonly refused: string }
  | {
      readonly refused: null;
      readonly layout: { readonly executable: boolean; readonly configuration: string; readonly state: string };
      readonly sameAsSigned: boolean;
      /** What became of installing a copy with one other byte. */
      readonly flipped: Broken;
      /** What was made anywhere but in that folder. */
      readonly outside: readonly string[];
      /** What others can change, or what lends its rights to whoever runs it. */
      readonly loose: readonly string[];
      /** Types of the records of its first boot. */
      readonly told: readonly string[];
      /** Its host: whom it runs as, with which privileges, and what it says of a file that the system closes to it. */
      readonly process: {
        readonly uid: number | null;
        readonly privileges: string;
        readonly refusedBySystem: string | null;
      };
      /** How it stands, with its host running, by what its own commands say. */
      readonly deployed: Deployed;
      readonly kills: readonly {
        readonly left: "none" | "whole";
        readonly again: number | null;
        readonly works: boolean;
      }[];
    };

/** An upgrade under a host that runs, and the way back; or why none could be tried. */
export type Upgrade =
  | { readonly refused: string }
  | {
      readonly refused: null;
      /** What was in force before. */
      readonly from: string;
      /** Exit codes of the upgrade and of the way back. */
      readonly exits: { readonly upgraded: number | null; readonly rolledBack: number | null };
      /** Phase of the host after it. */
      readonly phase: string;
      /** What became of trying to put in force what must not be. */
      readonly refusals: Readonly<Record<string, Broken>>;
      /** Whether the same host went on through all of that. */
      readonly undisturbed: boolean;
      readonly history: {
        /** Records from before. */
        readonly records: number;
        /** Those that are gone or others now. */
        readonly changed: readonly number[];
        /** Exit codes of checks by a checkpoint and a proof from before. */
        readonly checkpoint: number | null;
        readonly proof: number | null;
      };
      /** What waited for an operator. */
      readonly question: { readonly isOpen: boolean; readonly effects: number };
      readonly configuration: { readonly same: boolean; readonly kept: boolean };
      /** Numbers of intents from outside of the time in which a host took calls. */
      readonly executedBetween: readonly number[];
      readonly kills: readonly {
        readonly works: boolean;
        readonly again: number | null;
        /** The last words of the upgrade that ended what was cut off. */
        readonly said: string;
        readonly phase: string;
      }[];
      /** Spans that tell of it. */
      readonly told: readonly string[];
    };

/** A deployment that is in use, by what its own commands say. */
export interface Deployed {
  readonly findings: readonly { readonly check: string; readonly verdict: string; readonly detail: string }[];
  /** Digest of the configuration that the host has in force; null where none runs. */
  readonly inForce: string | null;
  readonly onDisk: string;
  /** Whether the host's log goes on from what was seen of it; null where none runs. */
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
  /** Null where nobody asked about one. */
  readonly deployed: Seen<Deployed> | null;
}
