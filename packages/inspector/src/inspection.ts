/** What the page asks of whoever has the log: the same for a running host, a recording and an exported file. */
import type { TypedRecord } from "@femtoclaw/protocol";
import type { Summary } from "./frames.ts";

export interface Beginning {
  readonly mode: "live" | "recording" | "file";
  /** Name of the log. */
  readonly log: string;
  readonly version: string;
  /** Whether questions can be answered here. */
  readonly approve: boolean;
  /** Where the records begin; null where that is record 0. */
  readonly summary: Summary | null;
  /** What a verification said of a recording, in a few words; null for a host, whose records are proved one by one. */
  readonly verdict: Verdict | null;
}

export interface Verdict {
  readonly verdict: string;
  readonly size: number;
  readonly signedSize: number;
  readonly root: string;
  readonly caveats: readonly string[];
}

export interface RecordPage {
  /** Records that there are. */
  readonly size: number;
  /** As they are stored, one after the other; none where there is nothing new. */
  readonly records: readonly TypedRecord[];
}

export interface ProofView {
  readonly seq: number;
  readonly size: number;
  readonly origin: string;
  readonly holds: boolean;
  readonly reason: string | null;
}

/** What an operator is asked, as the command line shows it. */
export interface Question {
  readonly id: string;
  readonly execution_id: string;
  readonly tool: string;
  readonly rule: string;
  readonly reason: string;
  readonly source: string | null;
  readonly session: string;
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

/** Why policy said what it said: conditions in its own words. */
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
    /** Permits that say something about the tool. */
    readonly permits: number;
  }[];
}

export interface Inspection {
  begin(): Promise<Beginning>;
  /** Waits a while where there are no records from there on yet. */
  records(from: number): Promise<RecordPage>;
  /** What the host says of itself; null where there is none. */
  status(): Promise<Readonly<Record<string, unknown>> | null>;
  /** The body of a record with the values that it only commits to; null where they are not here. */
  body(seq: number): Promise<Readonly<Record<string, unknown>> | null>;
  explain(ref: string): Promise<Explained | null>;
  prove(seq: number): Promise<ProofView | null>;
  questions(): Promise<readonly Question[]>;
  answer(answer: Answer): Promise<{ readonly seq: number; readonly complete: boolean }>;
}
