/** What the gate works with. The runtime puts the real parts in. */

import type {
  Capability,
  ConnectionFacts,
  ConnectionRequest,
  FactsResult,
  JsonObject,
  TerminalKeeper,
} from "@femtoclaw/capabilities";
import type { Appended, Clock, JournalEntry } from "@femtoclaw/journal";
import type { DecisionShare, Question } from "@femtoclaw/policy";
import type {
  Authority,
  CapabilityManifest,
  ErrorCode,
  ExecutionId,
  Facts,
  HistoryFacts,
  OutputStream,
  SessionId,
  ShadowVerdict,
  UpstreamNotice,
} from "@femtoclaw/protocol";
import type { ChildLimits, SandboxView } from "@femtoclaw/sandbox";
import type { QuestionRecord } from "../approvals.ts";
import type { ApprovalSettings } from "../configuration/resolved-configuration.ts";
import type { DrivenExecution } from "../driven-execution.ts";
import type { SessionHistories } from "../projection/session-histories.ts";
import type { Relays } from "../relay/relays.ts";
import type { CapabilitySecrets, CapabilityValidators } from "./argument-validators.ts";
import type { Execution } from "./execution.ts";
import type { FairSlots } from "./fair-slots.ts";
import type { LoopTurns } from "./loop-turns.ts";
import type { SessionQuota } from "./session-quota.ts";
import type { Problem } from "./verdict.ts";

export interface Registered {
  readonly capability: Capability;
  readonly validators: CapabilityValidators;
  readonly secrets: CapabilitySecrets;
  readonly enabled: boolean;
  /** Names the files that run, where they are those of a package. */
  readonly codeSha256?: string;
  /** Why it is not called though it is enabled; absent where it is. */
  readonly problem?: Problem;
  /** Why it is not called with these arguments, which match its schema; absent where the schema says all. */
  problemOf?(args: JsonObject): Problem | null;
  readonly timeoutMs: number;
  readonly outputBytes: number;
  readonly child: ChildLimits;
}

export type GateDecision =
  | { readonly allowed: true; readonly rules: readonly string[]; readonly revision: string }
  | (Question & { readonly revision: string })
  | {
      readonly allowed: false;
      readonly rules: readonly string[];
      readonly revision: string | null;
      readonly code: ErrorCode;
      readonly reason: string;
    };

export type { FactsResult };

export interface Standing {
  readonly authority: Authority;
  /** What confines programs; null while no enabled capability needs it. */
  readonly sandbox: SandboxView | null;
}

export interface DecisionAsked {
  readonly principal: string;
  readonly capability: string;
  readonly questions: Facts["questions"];
  readonly history: HistoryFacts;
  /** Whether operators have said yes to this very call. */
  readonly approved: boolean;
  readonly share: DecisionShare;
}

/** Rules on trial. What they say is recorded; it decides nothing. */
export interface OnTrial {
  verdict(request: DecisionAsked): ShadowVerdict;
}

/** What goes on after the call that began it. */
export interface GateTerminals {
  /** For the effect of one call, which opens and closes terminals of its own session. */
  keeper(execution: Execution): TerminalKeeper;
  /** Ends those that would not be permitted any more. */
  review(): void;
}

/** Output of what runs, for those who look on. */
export interface GateOutputs {
  take(execution: ExecutionId, session: SessionId, stream: OutputStream, piece: Uint8Array): void;
  /** What an MCP server said; there are no secrets in it any more. */
  tell(execution: ExecutionId, session: SessionId, notice: UpstreamNotice): void;
  ended(execution: ExecutionId): void;
}

export interface GateParts {
  readonly clock: Clock;
  newId(): string;
  /** What is in force now for a principal; a call goes by what was in force when its facts were taken, to its end. */
  standing(principal: string): Standing;
  /** Places in the runtime's own stages. */
  readonly stages: FairSlots;
  /** Turns in which sessions do their steps. */
  readonly turns: LoopTurns;
  /** Places for running capabilities. */
  readonly effects: FairSlots;
  /** Room for outcomes, in the journal's queue and in the disk reserve, that are not durable yet. */
  readonly outcomes: FairSlots;
  /** Null while calls are taken, else why not. */
  admission(): Problem | null;
  spawn(id: ExecutionId): DrivenExecution;
  /** Drives a call again that has waited for an answer, from the state in which it waited. */
  resume(id: ExecutionId): DrivenExecution;
  /** Ends what drove a call that waits for an answer. */
  evict(id: ExecutionId): void;
  registered(tool: string): Registered | undefined;
  /** Resolves when it is known whether there is such a tool; null where it is. */
  arriving(tool: string): Promise<void> | null;
  /** Why there is no such tool; null where nothing more than that is known. */
  absent(tool: string): Problem | null;
  /** What sessions did before, as far as records have numbers. */
  readonly histories: SessionHistories;
  /** `hop`: N for the Nth redirect of a call that runs; absent for the call itself. */
  takeFacts(
    manifest: CapabilityManifest,
    args: JsonObject,
    standing: Standing,
    session: SessionId,
    hop?: number,
  ): Promise<FactsResult>;
  /** Takes the facts of a host that a program of a running call wants to connect to. */
  connectionFacts(request: Omit<ConnectionRequest, "names">): Promise<ConnectionFacts>;
  readonly terminals: GateTerminals;
  readonly outputs: GateOutputs;
  /** What MCP servers say beside their answers. */
  readonly relays: Pick<Relays, "of">;
  decide(request: DecisionAsked): GateDecision;
  /** The rules that are on trial beside those in force; null where none are. */
  onTrial(): OnTrial | null;
  append(entry: JournalEntry): Promise<Pick<Appended, "seq" | "bytes">>;
  /** Of questions to operators. */
  readonly approvals: ApprovalSettings;
  /** Name of the log, which signed answers are for. */
  readonly log: string;
  /** The record of a question with the values that it commits to. */
  question(seq: number): Promise<QuestionRecord>;
  /** Hears of a call that cannot go on, though its question is settled. */
  lost(id: ExecutionId, reason: string): void;
  /** Whether the proposer of a session is still there. */
  isOpen(session: SessionId): boolean;
  /** What the session of a call that waited may still add to the journal. */
  quota(session: SessionId): SessionQuota;
}
