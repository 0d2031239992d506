/** What the page asks of the source of its log: the same for a running host, a recording and an exported file. */
import type { RecordPage } from "@femtoclaw/protocol";
import type { Summary } from "./frames.ts";

export interface Beginning {
  readonly mode: "live" | "recording" | "file";
  /** Name of the log. */
  readonly log: string;
  readonly version: string;
  /** Whether questions can be answered here. */
  readonly approve: boolean;
  /** The state before the first record; null if that is record 0. */
  readonly summary: Summary | null;
  /** The result of verifying a recording; null for a host, whose records are proved one by one. */
  readonly verdict: Verdict | null;
}

export interface Verdict {
  readonly verdict: string;
  readonly size: number;
  readonly signedSize: number;
  readonly root: string;
  readonly caveats: readonly string[];
}

export interface ProofView {
  readonly seq: number;
  readonly size: number;
  readonly origin: string;
  readonly holds: boolean;
  readonly reason: string | null;
}

/** A question to an operator, as the command line shows it. */
export interface Question {
  readonly id: string;
  readonly execution_id: string;
  readonly tool: string;
  readonly rule: string;
  readonly reason: string;
  readonly source: string | null;
  readonly session: string;
  readonly principal: string;
  readonly agent: string | null;
  readonly channel: string | null;
  readonly label: string | null;
  readonly args: Readonly<Record<string, unknown>> | null;
  readonly facts: unknown;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string | null }[];
  readonly approvers: number;
  readonly granted: readonly string[];
  readonly asked_at: string;
  readonly expires_at: string;
  readonly digest: string;
  readonly self_approvable: boolean;
}

export interface Answer {
  readonly approval: string;
  readonly digest: string;
  readonly answer: "granted" | "refused";
  readonly reason?: string;
}

/** Why policy decided so: the rules, and their conditions in policy's own words. */
export interface Explained {
  readonly rules: readonly {
    readonly id: string;
    readonly source: string | null;
    readonly reason: string | null;
    readonly fix: string | null;
  }[];
  readonly questions: readonly {
    readonly nearest: {
      readonly rule: string;
      readonly met: readonly string[];
      readonly failed: readonly string[];
    } | null;
    readonly forbidding: readonly string[];
    /** Number of permits that are about the tool. */
    readonly permits: number;
  }[];
}

export interface Inspection {
  begin(): Promise<Beginning>;
  /** Waits a while if there are no records from there on yet. */
  records(from: number): Promise<RecordPage>;
  /** The status of the host; null if there is no host. */
  status(): Promise<Readonly<Record<string, unknown>> | null>;
  /** The body of a record, with the values to which it only commits; null if they are not available. */
  body(seq: number): Promise<Readonly<Record<string, unknown>> | null>;
  explain(ref: string): Promise<Explained | null>;
  prove(seq: number): Promise<ProofView | null>;
  questions(): Promise<readonly Question[]>;
  answer(answer: Answer): Promise<{ readonly seq: number; readonly complete: boolean }>;
}
