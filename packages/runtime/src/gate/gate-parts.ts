/** The interfaces of what the gate works with. The runtime supplies the real parts. */

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
import type { DrivenExecution } from "../actors/driven-execution.ts";
import type { ApprovalSettings } from "../configuration/resolved-configuration.ts";
import type { QuestionRecord } from "../operators/approvals.ts";
import type { SessionHistories } from "../projection/session-histories.ts";
import type { Relays } from "../relay/relays.ts";
import type { FairSlots } from "./admission/fair-slots.ts";
import type { LoopTurns } from "./admission/loop-turns.ts";
import type { SessionQuota } from "./admission/session-quota.ts";
import type { Execution } from "./execution.ts";
import type { CapabilitySecrets, CapabilityValidators } from "./schemas/argument-validators.ts";
import type { Problem } from "./verdict.ts";

export interface Registered {
  readonly capability: Capability;
  readonly validators: CapabilityValidators;
  readonly secrets: CapabilitySecrets;
  readonly enabled: boolean;
  /** Identifies the files that run, if the capability is a package. */
  readonly codeSha256?: string;
  /** Why the capability cannot be called although it is enabled; absent if it can. */
  readonly problem?: Problem;
  /**
   * Why the capability cannot be called with these arguments, which match its schema. Absent if the schema is all there
   * is to check.
   */
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
  /** What programs see of this machine; null if no enabled capability needs a sandbox. */
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

/** Rules on trial. Their verdict is recorded and decides nothing. */
export interface OnTrial {
  verdict(request: DecisionAsked): ShadowVerdict;
}

/** Terminals, which outlive the call that opened them. */
export interface GateTerminals {
  /** For the effect of one call, which opens and closes terminals of its own session. */
  keeper(execution: Execution): TerminalKeeper;
  /** Ends terminals that would no longer be permitted. */
  review(): void;
}

/** Passes the output of running calls to those who watch. */
export interface GateOutputs {
  take(execution: ExecutionId, session: SessionId, stream: OutputStream, piece: Uint8Array): void;
  /** Passes on what an MCP server said; secrets have been taken out already. */
  tell(execution: ExecutionId, session: SessionId, notice: UpstreamNotice): void;
  ended(execution: ExecutionId): void;
}

export interface GateParts {
  readonly clock: Clock;
  newId(): string;
  /** What is in force now for a principal. A call uses what was in force when its facts were taken, to its end. */
  standing(principal: string): Standing;
  /** Places in the runtime's own stages. */
  readonly stages: FairSlots;
  /** Shares the event loop between sessions. */
  readonly turns: LoopTurns;
  /** Places for running capabilities. */
  readonly effects: FairSlots;
  /** Room in the journal's queue and in the disk reserve for outcomes that are not durable yet. */
  readonly outcomes: FairSlots;
  /** Turns of large results, which take the processor and the disk for milliseconds each, on their way to the journal. */
  readonly largeResults: FairSlots;
  /** Null while calls are taken, else the reason why not. */
  admission(): Problem | null;
  spawn(id: ExecutionId): DrivenExecution;
  /** Resumes the state machine of a call that waited for an answer, in the state in which it waited. */
  resume(id: ExecutionId): DrivenExecution;
  /** Ends the state machine of a call that now waits for an answer. */
  evict(id: ExecutionId): void;
  registered(tool: string): Registered | undefined;
  /** Resolves when it is known whether this tool exists; null if that is known already. */
  arriving(tool: string): Promise<void> | null;
  /** Why this tool does not exist; null if nothing more is known about it. */
  absent(tool: string): Problem | null;
  /** What sessions have done so far, according to all records that have a number, durable or not. */
  readonly histories: SessionHistories;
  /** `hop` is N for the Nth redirect of a running call, and absent for the call itself. */
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
  /** What MCP servers say besides their answers. */
  readonly relays: Pick<Relays, "of">;
  decide(request: DecisionAsked): GateDecision;
  /** The rules on trial beside those in force; null if there are none. */
  onTrial(): OnTrial | null;
  append(entry: JournalEntry): Promise<Pick<Appended, "seq" | "bytes">>;
  /** Settings for questions to operators. */
  readonly approvals: ApprovalSettings;
  /** Name of the log for which answers are signed. */
  readonly log: string;
  /** The record of a question with the values that it commits to. */
  question(seq: number): Promise<QuestionRecord>;
  /** Called for a call that cannot go on although its question is settled. */
  lost(id: ExecutionId, reason: string): void;
  /** Whether the proposer of a session is still there. */
  isOpen(session: SessionId): boolean;
  /** How much the session of a call that waited may still add to the journal. */
  quota(session: SessionId): SessionQuota;
}
